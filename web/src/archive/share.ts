// Addresses to take along: for other players, and for other pages.
import type { ArchiveInfo } from '../api.ts';
import { el, icon } from '../dom.ts';
import { titleOf } from '../format.ts';
import * as icons from '../icons.ts';
import { absolute, embedSnippet, encodePath } from '../paths.ts';

const shownFor = 1600; // ms that "copied" stays

export function share(info: ArchiveInfo): HTMLElement {
  const embed = embedSnippet(absolute(`embed/${encodePath(info.source)}/${encodePath(info.name)}`), titleOf(info.name));
  return el('section', { class: 'panel share', 'aria-label': 'Share' },
    field('Player URL', 'for VLC, mpv or any player', absolute(info.url)), field('Embed', 'the player alone, in any page', embed));
}

function field(label: string, note: string, text: string): HTMLElement {
  const input = el('input', { class: 'share-text', type: 'text', readonly: true, value: text, 'aria-label': label, onfocus: () => input.select() });
  const done = el('span', { class: 'share-done', role: 'status' });
  const button = el('button', { class: 'button', type: 'button', 'aria-label': `Copy ${label}`, onclick: () => void copy() }, icon(icons.copy), done);
  const rest = () => done.replaceChildren('Copy');
  const copy = async () => {
    done.textContent = (await copyText(text, input)) ? 'Copied' : 'Press Ctrl+C';
    setTimeout(rest, shownFor);
  };
  rest();
  return el('div', { class: 'share-field' }, el('p', { class: 'share-label' }, el('b', {}, label), el('span', {}, note)), el('div', { class: 'share-row' }, input, button));
}

/** copyText copies, also where the page has no secure context and so no clipboard: then by selecting. */
async function copyText(text: string, input: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    input.focus();
    input.select();
    return document.execCommand('copy');
  }
}
