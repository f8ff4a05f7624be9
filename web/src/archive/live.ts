// The live part of an archive's page: map, legend, numbers and the latest events.
import { listEntries, type ArchiveInfo, type Entry } from '../api.ts';
import { append, el } from '../dom.ts';
import { watchArchive, type ArchiveEvent } from '../events.ts';
import { formatBytes, formatCount } from '../format.ts';
import { asProblem } from '../problems.ts';
import { Groups } from './groups.ts';
import { Totals } from './heat.ts';
import { ArchiveMap } from './map.ts';
import { pieceAt, pieces, type Piece } from './pieces.ts';
import { allUpTo, sample } from './sample.ts';

const shownEvents = 6;

export class Live {
  private readonly map: ArchiveMap;
  private readonly legend = el('ul', { class: 'legend', role: 'list' });
  private readonly hint = el('p', { class: 'map-hint' });
  private readonly feed = el('ol', { class: 'feed', 'aria-label': 'Latest events' });
  private readonly totals = new Totals();
  private pieces: Piece[] = [];
  private readonly numbers: [string, HTMLElement, () => string][];
  private readonly idleHint: string;
  readonly node: HTMLElement;

  constructor(private readonly info: ArchiveInfo, private readonly signal: AbortSignal) {
    const t = this.totals, value = () => el('dd', {});
    this.numbers = [
      ['Reads of storage', value(), () => formatCount(t.reads)],
      ['Bytes from storage', value(), () => formatBytes(t.readBytes)],
      ['Given to players', value(), () => formatBytes(t.serveBytes)],
      ['Needed no read', value(), () => (t.serves ? `${Math.round((100 * (t.hits + t.shared)) / t.serves)} %` : '–')],
    ];
    this.idleHint = `${formatCount(info.entries)} entries in ${formatBytes(info.size)}. Point at a block to see what it is.`;
    this.map = new ArchiveMap(info.size, signal, (p) => this.point(p));
    this.hint.textContent = this.idleHint;
    this.feed.append(el('li', { class: 'feed-empty' }, 'Press play and watch the ranges come in.'));
    const dl = el('dl', { class: 'numbers' });
    for (const [label, dd] of this.numbers) append(dl, el('div', {}, el('dt', {}, label), dd));
    this.node = el('section', { class: 'panel live', 'aria-labelledby': 'live-title' },
      el('div', { class: 'panel-head' }, el('h2', { id: 'live-title' }, 'Inside the archive'), this.legend),
      this.map.canvas, this.hint, el('div', { class: 'live-foot' }, dl, this.feed));
    this.count();
    void this.loadMap();
    watchArchive({ source: info.source, archive: info.name }, signal, (e) => this.take(e));
  }

  highlight(e: Entry | null): void {
    this.map.highlight(e && { from: e.offset, to: e.end });
  }

  private async loadMap(): Promise<void> {
    const { info, signal } = this, title = { source: info.source, archive: info.name };
    try {
      const known = await sample(info.entries, async (first, n) => (await listEntries(title, first, n, '', signal)).entries);
      const groups = new Groups();
      this.pieces = pieces(known, groups, info.directoryOffset, info.size);
      this.map.setPieces(this.pieces);
      this.tellLegend(groups);
    } catch (err) {
      if (!signal.aborted) this.hint.textContent = asProblem(err).message;
    }
  }

  private tellLegend(groups: Groups): void {
    const swatch = (tone: string, label: string) => el('li', {}, el('i', { class: 'swatch', 'data-tone': tone, 'aria-hidden': 'true' }), label);
    append(this.legend, ...groups.used.map((g) => swatch(g.tone, g.label)), swatch('directory', 'Directory'));
    this.map.canvas.setAttribute('aria-label', `Map of the archive’s bytes, in this order: ${groups.used.map((g) => g.label).join(', ')}, directory.`);
    if (this.info.entries > allUpTo) this.legend.append(el('li', { class: 'legend-note' }, 'sampled'));
  }

  private point(p: Piece | null): void {
    if (!p) this.hint.textContent = this.idleHint;
    else {
      const what = p.name || (p.count > 1 ? `${formatCount(p.count)} entries, ${p.group.label}` : p.group.label);
      this.hint.textContent = `${what} · ${formatBytes(p.to - p.from)} at byte ${formatCount(p.from)}`;
    }
  }

  private take(e: ArchiveEvent): void {
    this.totals.add(e);
    this.map.mark(e);
    this.count();
    if (e.kind === 'serve' && e.outcome === 'miss') return; // its read was told
    const verb = e.kind === 'read' ? 'read' : e.outcome === 'hit' ? 'cache' : 'shared';
    const line = el('li', {}, el('b', { class: `feed-${verb}` }, verb), el('span', { class: 'feed-name' }, e.entry || this.nameAt(e.off)),
      el('span', { class: 'feed-n' }, formatBytes(e.n)), el('span', { class: 'feed-ms' }, `${e.ms} ms`));
    this.feed.querySelector('.feed-empty')?.remove();
    this.feed.prepend(line);
    while (this.feed.childElementCount > shownEvents) this.feed.lastElementChild?.remove();
  }

  /** nameAt tells what a read that names no entry was for. One for several entries counts for its first. */
  private nameAt(byte: number): string {
    const p = pieceAt(this.pieces, byte);
    return p?.name || p?.group.label || '–';
  }

  private count(): void {
    for (const [, dd, text] of this.numbers) dd.textContent = text();
  }
}
