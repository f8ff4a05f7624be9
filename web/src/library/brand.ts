import { el } from '../dom.ts';

/** brand is the word mark, which leads to the library: a reel of entries, some of them lit. */
export function brand(): HTMLElement {
  const mark = el('span', { class: 'brand-mark', 'aria-hidden': 'true' });
  for (let i = 0; i < 6; i++) mark.append(el('i'));
  return el('a', { class: 'brand', href: '#/', 'aria-label': 'zipreel: library' }, mark, el('span', {}, 'zipreel'));
}
