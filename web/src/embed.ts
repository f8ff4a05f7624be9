// The player alone, filling its frame.
import { describeArchive } from './api.ts';
import { titleOf } from './format.ts';
import { problemNotice } from './notice.ts';
import type { Title } from './paths.ts';
import { Player } from './player/player.ts';
import { asProblem } from './problems.ts';

export async function showEmbed(root: HTMLElement, t: Title): Promise<void> {
  document.title = titleOf(t.archive);
  try {
    root.replaceChildren(new Player(await describeArchive(t)).node);
  } catch (err) {
    root.replaceChildren(problemNotice(titleOf(t.archive), asProblem(err), () => void showEmbed(root, t)));
  }
}
