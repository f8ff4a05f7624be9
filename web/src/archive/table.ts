// The archive's entries, by pages: there may be two million.
import { entryURL, listEntries, type ArchiveInfo, type Entry } from '../api.ts';
import { append, el, icon } from '../dom.ts';
import { formatBytes, formatCount } from '../format.ts';
import * as icons from '../icons.ts';
import { asProblem } from '../problems.ts';

const perPage = 25;
const filterDelay = 220; // ms without a key before a filter is sent
const columns = ['Name', 'Kind', 'Offset', 'Size', 'CRC-32'];

export class EntryTable {
  private readonly body = el('tbody');
  private readonly status = el('span', { class: 'pager-status', role: 'status' });
  private readonly previous = el('button', { class: 'button button-icon', type: 'button', 'aria-label': 'Previous entries', onclick: () => this.back() }, icon(icons.back));
  private readonly following = el('button', { class: 'button button-icon', type: 'button', 'aria-label': 'Next entries', onclick: () => this.forth() }, icon(icons.forward));
  private readonly filter = el('input', { class: 'filter', type: 'search', placeholder: 'Filter by name', 'aria-label': 'Filter entries by name', autocomplete: 'off', spellcheck: 'false' });
  readonly node: HTMLElement;
  private starts: number[] = [0]; // where the pages up to this one begin
  private next = -1;
  private request = new AbortController();

  constructor(private readonly info: ArchiveInfo, signal: AbortSignal, private readonly pointed: (e: Entry | null) => void) {
    const head = el('tr', {}, ...columns.map((c) => el('th', { scope: 'col' }, c)));
    this.node = el('section', { class: 'panel', 'aria-labelledby': 'entries-title' },
      el('div', { class: 'panel-head' }, el('h2', { id: 'entries-title' }, 'Entries'), this.filter),
      el('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Entries' }, el('table', { class: 'entries' }, el('thead', {}, head), this.body)),
      el('div', { class: 'pager' }, this.status, this.previous, this.following));
    let timer = 0;
    this.filter.addEventListener('input', () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => { this.starts = [0]; void this.load(); }, filterDelay);
    });
    signal.addEventListener('abort', () => { clearTimeout(timer); this.request.abort(); });
    void this.load();
  }

  private back(): void {
    if (this.starts.length < 2) return;
    this.starts.pop();
    void this.load();
  }

  private forth(): void {
    if (this.next < 0) return;
    this.starts.push(this.next);
    void this.load();
  }

  /** load shows the page that begins at the last of starts. A filter looks at a part of the entries for each answer,
   * and may have found nothing yet: then it goes on from there. */
  private async load(): Promise<void> {
    this.request.abort();
    const { signal } = (this.request = new AbortController());
    const title = { source: this.info.source, archive: this.info.name }, q = this.filter.value.trim();
    const found: Entry[] = [];
    let first = this.starts.at(-1) ?? 0;
    try {
      for (;;) {
        const page = await listEntries(title, first, perPage - found.length, q, signal);
        found.push(...page.entries);
        first = page.next;
        if (first < 0 || found.length >= perPage) break;
        this.status.textContent = `Searching, ${formatCount(first)} of ${formatCount(page.total)} …`;
      }
    } catch (err) {
      if (!signal.aborted) this.status.textContent = asProblem(err).message;
      return;
    }
    this.next = first;
    this.show(found, q);
  }

  private show(found: Entry[], q: string): void {
    this.pointed(null);
    this.body.replaceChildren();
    append(this.body, ...found.map((e) => this.row(e)));
    this.previous.disabled = this.starts.length < 2;
    this.following.disabled = this.next < 0;
    const a = found[0], z = found.at(-1), total = formatCount(this.info.entries);
    if (!a || !z) this.status.textContent = q ? 'No entry’s name contains this.' : 'The archive is empty.';
    else if (q) this.status.textContent = `${found.length}${this.next < 0 && this.starts.length === 1 ? '' : ' on this page'}, of ${total}`;
    else this.status.textContent = `${formatCount(a.i + 1)} – ${formatCount(z.i + 1)} of ${total}`;
  }

  private row(e: Entry): HTMLTableRowElement {
    const name = e.error
      ? el('span', { class: 'entry-bad', title: `Not served: ${e.error}` }, e.name)
      : el('a', { href: entryURL(this.info, e.name), target: '_blank', rel: 'noopener' }, e.name);
    const tr = el('tr', {}, el('td', {}, name), el('td', {}, e.error ?? e.kind), el('td', { class: 'num' }, formatCount(e.offset)),
      el('td', { class: 'num', title: `${formatCount(e.size)} bytes` }, formatBytes(e.size)), el('td', { class: 'mono' }, e.crc32));
    tr.addEventListener('pointerenter', () => this.pointed(e));
    tr.addEventListener('pointerleave', () => this.pointed(null));
    return tr;
  }
}
