// A poster of the grid. What the archive holds is asked for only when the card comes near the screen: it costs the
// gateway a read of the archive's directory.
import { describeArchive, entryURL, type ArchiveInfo, type ArchiveItem } from '../api.ts';
import { el, reducedMotion } from '../dom.ts';
import { formatBytes, titleOf } from '../format.ts';
import { deepLink } from '../paths.ts';
import { asProblem } from '../problems.ts';
import { hueOf } from './match.ts';
import { Queue } from './queue.ts';

const queue = new Queue(4); // descriptions asked for at once
const hoverDelay = 180; // ms before a preview is fetched

export class Card {
  private readonly art = el('div', { class: 'card-art' });
  private readonly note = el('span', { class: 'card-note' });
  readonly node: HTMLElement;
  private preview: HTMLImageElement | null = null;

  constructor(readonly item: ArchiveItem, signal: AbortSignal) {
    const title = titleOf(item.name), folder = item.name.slice(0, item.name.lastIndexOf('/') + 1);
    const letter = el('span', { class: 'card-letter', 'aria-hidden': 'true' }, [...title][0] ?? '');
    this.art.style.setProperty('--hue', String(hueOf(item.name)));
    this.art.append(letter);
    this.note.textContent = item.size ? formatBytes(item.size) : '';
    const link = el('a', { class: 'card', href: deepLink({ source: item.source, archive: item.name }), title: item.name }, this.art,
      el('span', { class: 'card-text' }, el('span', { class: 'card-title' }, title), el('span', { class: 'card-sub' }, folder ? el('span', { class: 'card-folder' }, folder) : null, this.note)));
    this.node = el('li', {}, link);
    const near = new IntersectionObserver((list) => {
      if (!list.some((e) => e.isIntersecting)) return;
      near.disconnect();
      queue.add(() => this.describe(link, signal));
    }, { rootMargin: '200px' });
    near.observe(this.node);
    signal.addEventListener('abort', () => near.disconnect());
  }

  private async describe(link: HTMLElement, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const info = await describeArchive({ source: this.item.source, archive: this.item.name }, signal);
      this.note.textContent = [formatBytes(info.size), info.kind.toUpperCase() || 'no playlist'].join(' · ');
      if (info.poster) this.show(entryURL(info, info.poster), 'card-poster');
      if (info.preview) this.listen(link, info);
    } catch (err) {
      if (signal.aborted) return;
      this.note.textContent = asProblem(err).message;
      this.node.classList.add('card-bad');
    }
  }

  private show(url: string, name: string): HTMLImageElement {
    const img = el('img', { class: name, alt: '', decoding: 'async', draggable: 'false' });
    img.addEventListener('load', () => img.classList.add('shown'));
    img.addEventListener('error', () => img.remove());
    img.src = url;
    this.art.append(img);
    return img;
  }

  private listen(link: HTMLElement, info: ArchiveInfo): void {
    let timer = 0;
    const begin = () => {
      if (reducedMotion.matches || this.preview) return;
      clearTimeout(timer);
      timer = window.setTimeout(() => { this.preview = this.show(entryURL(info, info.preview), 'card-preview'); }, hoverDelay);
    };
    const end = () => {
      clearTimeout(timer);
      this.preview?.remove();
      this.preview = null;
    };
    link.addEventListener('pointerenter', begin);
    link.addEventListener('focus', begin);
    link.addEventListener('pointerleave', end);
    link.addEventListener('blur', end);
  }
}
