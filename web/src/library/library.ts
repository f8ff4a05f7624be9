// The library: every source's archives as a grid of posters, and a search over their names.
import { listArchives, listSources, type Source } from '../api.ts';
import { append, el, icon } from '../dom.ts';
import * as icons from '../icons.ts';
import { deepLink } from '../paths.ts';
import { asProblem } from '../problems.ts';
import { brand } from './brand.ts';
import { Card } from './card.ts';
import { matches } from './match.ts';

const maxSearched = 5000; // names fetched for a search, of each source

export function showLibrary(root: HTMLElement, signal: AbortSignal): void {
  document.title = 'zipreel';
  const input = el('input', { class: 'search-input', type: 'search', placeholder: 'Search titles', 'aria-label': 'Search titles', autocomplete: 'off', spellcheck: 'false' });
  const main = el('main', { class: 'titles-page' });
  append(root, el('header', { class: 'top' }, brand(), el('label', { class: 'search' }, icon(icons.search), input)), main);
  const shelves: Shelf[] = [];
  input.addEventListener('input', () => shelves.forEach((s) => s.filter(input.value)));
  document.addEventListener('keydown', (e) => {
    if (e.key !== '/' || e.target instanceof HTMLInputElement) return;
    e.preventDefault();
    input.focus();
  }, { signal });
  listSources(signal).then((sources) => {
    for (const s of sources) shelves.push(new Shelf(s, signal));
    append(main, ...shelves.map((s) => s.node));
    if (sources.length === 0) append(main, notice('Nothing to show yet', 'Start zipreel with an archive, a directory or a URL.'));
  }).catch((err: unknown) => {
    if (!signal.aborted) append(main, notice('The library could not be loaded', asProblem(err).message));
  });
}

function notice(title: string, text: string): HTMLElement {
  return el('div', { class: 'notice', role: 'status' }, el('h2', {}, title), el('p', {}, text));
}

/** Shelf is one source. It loads its archives by pages, as the end of the grid comes into view. */
class Shelf {
  private readonly count = el('span', { class: 'shelf-count' });
  private readonly grid = el('ul', { class: 'grid', role: 'list' });
  private readonly more = el('div', { class: 'shelf-more', role: 'status' });
  readonly node = el('section', { class: 'shelf', 'aria-label': '' });
  private cards: Card[] = [];
  private next = '';
  private ended = false;
  private loading = false;
  private query = '';

  constructor(private readonly source: Source, private readonly signal: AbortSignal) {
    this.node.setAttribute('aria-label', `Source ${source.name}`);
    append(this.node, el('h2', { class: 'shelf-title' }, el('span', {}, source.name), this.count), this.grid, this.more);
    if (!source.listable && source.archives <= 0) {
      this.ended = true;
      append(this.node, openByName(source.name));
      return;
    }
    const seen = new IntersectionObserver((list) => { if (list.some((e) => e.isIntersecting)) void this.load(); }, { rootMargin: '600px' });
    seen.observe(this.more);
    signal.addEventListener('abort', () => seen.disconnect());
  }

  filter(query: string): void {
    this.query = query;
    for (const c of this.cards) c.node.hidden = !matches(c.item.name, query);
    this.tell();
    if (query) void this.load();
  }

  private async load(): Promise<void> {
    if (this.loading || this.ended) return;
    this.loading = true;
    try {
      const page = await listArchives(this.source.name, this.next, this.signal);
      const cards = page.archives.map((a) => new Card(a, this.signal));
      for (const c of cards) c.node.hidden = !matches(c.item.name, this.query);
      this.cards.push(...cards);
      append(this.grid, ...cards.map((c) => c.node));
      this.next = page.next;
      this.ended = page.next === '';
      this.tell();
    } catch (err) {
      if (this.signal.aborted) return;
      this.ended = true;
      this.more.textContent = asProblem(err).message;
    } finally {
      this.loading = false;
    }
    if (!this.ended && (this.inView() || (this.query && this.cards.length < maxSearched))) void this.load();
  }

  private inView(): boolean {
    return this.more.getBoundingClientRect().top < innerHeight + 600;
  }

  private tell(): void {
    const shown = this.cards.filter((c) => !c.node.hidden).length;
    this.count.textContent = this.query ? `${shown} of ${this.cards.length}` : `${this.cards.length}${this.ended ? '' : '+'}`;
    this.more.textContent = shown > 0 || !this.ended ? '' : this.query ? 'No title here matches.' : 'No archives here yet.';
  }
}

/** openByName is for storage that cannot be listed: an archive is named by hand. */
function openByName(source: string): HTMLElement {
  const name = el('input', { class: 'open-input', type: 'text', placeholder: 'path/to/title.zip', 'aria-label': `Archive of ${source}`, autocomplete: 'off', spellcheck: 'false' });
  const form = el('form', { class: 'open' }, el('p', {}, 'This source cannot be listed. Open an archive by its name:'),
    el('div', { class: 'open-row' }, name, el('button', { class: 'button', type: 'submit' }, 'Open')));
  form.addEventListener('submit', (e) => {
    e.preventDefault();
    const archive = name.value.trim().replace(/^\/+/, '');
    if (archive) location.hash = deepLink({ source, archive });
  });
  return form;
}
