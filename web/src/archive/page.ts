// The page of one archive: the player, and below it what the archive is and what happens to it.
import { describeArchive, entryURL, type ArchiveInfo } from '../api.ts';
import { append, el, icon } from '../dom.ts';
import { formatBytes, formatCount, titleOf } from '../format.ts';
import * as icons from '../icons.ts';
import { brand } from '../library/brand.ts';
import { problemNotice } from '../notice.ts';
import type { Title } from '../paths.ts';
import { Player } from '../player/player.ts';
import { asProblem } from '../problems.ts';
import { Live } from './live.ts';
import { share } from './share.ts';
import { EntryTable } from './table.ts';

export function showArchive(root: HTMLElement, t: Title, signal: AbortSignal): void {
  document.title = `${titleOf(t.archive)} · zipreel`;
  const main = el('main', { class: 'title-page' });
  append(root, el('header', { class: 'top' }, brand(), el('a', { class: 'back', href: '#/' }, icon(icons.back), 'Library')), main);
  void load(main, t, signal);
}

async function load(main: HTMLElement, t: Title, signal: AbortSignal): Promise<void> {
  main.replaceChildren(el('div', { class: 'stage stage-empty', 'aria-hidden': 'true' }));
  try {
    fill(main, await describeArchive(t, signal), signal);
  } catch (err) {
    if (!signal.aborted) main.replaceChildren(problemNotice(titleOf(t.archive), asProblem(err), () => void load(main, t, signal)));
  }
}

function fill(main: HTMLElement, info: ArchiveInfo, signal: AbortSignal): void {
  const player = new Player(info);
  signal.addEventListener('abort', () => player.destroy());
  const live = new Live(info, signal);
  const table = new EntryTable(info, signal, (e) => live.highlight(e));
  const facts = [info.kind.toUpperCase(), formatBytes(info.size), `${formatCount(info.entries)} entries`].filter(Boolean);
  main.replaceChildren(
    ...(info.poster ? [el('div', { class: 'ambience', 'aria-hidden': 'true' }, el('img', { alt: '', src: entryURL(info, info.poster) }))] : []),
    el('div', { class: 'stage' }, player.node),
    el('div', { class: 'title-head' }, el('h1', {}, titleOf(info.name)), el('p', { class: 'title-path' }, `${info.source}/${info.name}`),
      el('ul', { class: 'facts', role: 'list' }, ...facts.map((f) => el('li', {}, f)))),
    live.node, share(info), table.node,
  );
}
