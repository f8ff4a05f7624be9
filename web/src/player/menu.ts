// A menu of choices over the player: pages of radio items, worked by pointer or arrow keys (ARIA menu pattern).
import { append, el, icon } from '../dom.ts';
import * as icons from '../icons.ts';
import type { Choice } from './engine.ts';

export interface Page { title: string; choices: Choice[]; chosen: number; choose(id: number): void }

export class Menu {
  readonly node = el('div', { class: 'menu', role: 'menu', hidden: true, tabindex: -1 });
  private opener: HTMLElement | null = null;

  constructor() {
    this.node.addEventListener('keydown', (e) => this.key(e));
  }

  get open(): boolean { return !this.node.hidden; }

  /** toggle opens the menu for a button, on its list of pages or, if there is but one, on that. */
  toggle(opener: HTMLElement, pages: () => Page[]): void {
    if (this.open && this.opener === opener) return this.close();
    this.close();
    this.opener = opener;
    opener.setAttribute('aria-expanded', 'true');
    this.node.hidden = false;
    const list = pages();
    if (list.length === 1) this.showPage(list[0]!, null);
    else this.showList(pages);
  }

  close(): void {
    if (!this.open) return;
    this.node.hidden = true;
    this.opener?.setAttribute('aria-expanded', 'false');
    if (this.node.contains(document.activeElement)) this.opener?.focus();
    this.opener = null;
  }

  private showList(pages: () => Page[]): void {
    this.node.setAttribute('aria-label', 'Settings');
    this.fill(pages().map((p) => {
      const now = p.choices.find((c) => c.id === p.chosen)?.label ?? '';
      const item = el('button', { class: 'menu-item', role: 'menuitem', type: 'button', 'aria-haspopup': 'menu', tabindex: -1 },
        el('span', {}, p.title), el('span', { class: 'menu-note' }, now), icon(icons.forward));
      item.addEventListener('click', () => this.showPage(p, () => this.showList(pages)));
      return item;
    }));
  }

  private showPage(p: Page, back: (() => void) | null): void {
    this.node.setAttribute('aria-label', p.title);
    const head = back
      ? el('button', { class: 'menu-item menu-head', role: 'menuitem', type: 'button', tabindex: -1, onclick: back }, icon(icons.back), el('span', {}, p.title))
      : el('div', { class: 'menu-head menu-title', role: 'presentation' }, p.title);
    this.fill([head, ...p.choices.map((c) => this.radio(p, c))]);
  }

  private radio(p: Page, c: Choice): HTMLElement {
    const item = el('button', { class: 'menu-item menu-radio', role: 'menuitemradio', type: 'button', tabindex: -1, 'aria-checked': String(c.id === p.chosen) },
      icon(icons.check), el('span', {}, c.label), c.note ? el('span', { class: 'menu-note' }, c.note) : null);
    item.addEventListener('click', () => { p.choose(c.id); this.close(); });
    return item;
  }

  private fill(items: HTMLElement[]): void {
    this.node.replaceChildren();
    append(this.node, ...items);
    (this.node.querySelector<HTMLElement>('[aria-checked="true"]') ?? this.node.querySelector<HTMLElement>('button'))?.focus();
  }

  private key(e: KeyboardEvent): void {
    const items = [...this.node.querySelectorAll<HTMLElement>('button')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 };
    if (e.key in to) items[to[e.key]! % items.length]?.focus();
    else if (e.key === 'Escape') this.close();
    else if (e.key === 'Tab') return this.close();
    else if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
    e.preventDefault();
    e.stopPropagation(); // arrows are not for seeking now
  }
}
