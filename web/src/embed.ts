// The player alone, filling its frame.
import { describeArchive } from './api.ts';
import { el } from './dom.ts';
import { titleOf } from './format.ts';
import type { Title } from './paths.ts';
import { Player } from './player/player.ts';
import { asProblem } from './problems.ts';

export async function showEmbed(root: HTMLElement, t: Title, signal: AbortSignal): Promise<void> {
  document.title = titleOf(t.archive);
  try {
    const info = await describeArchive(t, signal);
    root.replaceChildren(new Player(info).node);
  } catch (err) {
    if (signal.aborted) return;
    const p = asProblem(err);
    root.replaceChildren(el('div', { class: 'notice', role: 'alert' }, el('p', {}, p.message), el('p', { class: 'notice-code' }, p.code)));
  }
}
