// The seek bar: what has played, what is buffered, and a picture of where the pointer is.
import { el } from '../dom.ts';
import { formatTime, spokenTime } from '../format.ts';
import { thumbnailAt, type Thumbnail } from '../thumbnails.ts';

const previewWidth = 168; // CSS pixels

export class Seekbar {
  private readonly played = el('div', { class: 'seek-played' });
  private readonly buffered = el('div', { class: 'seek-buffered' });
  private readonly ghost = el('div', { class: 'seek-ghost' });
  private readonly knob = el('div', { class: 'seek-knob' });
  private readonly image = el('img', { alt: '', draggable: 'false' });
  private readonly frame = el('div', { class: 'seek-frame', hidden: true }, this.image);
  private readonly label = el('span', { class: 'seek-time' });
  private readonly preview = el('div', { class: 'seek-preview', 'aria-hidden': 'true' }, this.frame, this.label);
  readonly node = el('div', { class: 'seek', role: 'slider', tabindex: 0, 'aria-label': 'Seek', 'aria-valuemin': 0 },
    el('div', { class: 'seek-track' }, this.buffered, this.ghost, this.played), this.knob, this.preview);
  private thumbnails: Thumbnail[] = [];
  private dragging = false;

  constructor(private readonly video: HTMLVideoElement) {
    const { node } = this;
    node.addEventListener('pointerdown', (e) => this.press(e));
    node.addEventListener('pointermove', (e) => this.point(e));
    node.addEventListener('pointerup', () => this.release());
    node.addEventListener('pointercancel', () => this.release());
    node.addEventListener('pointerleave', () => { if (!this.dragging) node.classList.remove('pointed'); });
    for (const e of ['timeupdate', 'progress', 'durationchange', 'seeking', 'emptied'] as const) video.addEventListener(e, () => this.update());
    this.update();
  }

  setThumbnails(list: Thumbnail[]): void { this.thumbnails = list; }

  private update(): void {
    const { video, node } = this;
    const { start, end } = seekable(video);
    const share = (t: number) => `${end > start ? Math.min(100, Math.max(0, (100 * (t - start)) / (end - start))) : 0}%`;
    const now = share(video.currentTime);
    this.played.style.width = now;
    this.knob.style.left = now;
    this.buffered.style.width = share(bufferedEnd(video));
    node.setAttribute('aria-valuemax', String(Math.round(end)));
    node.setAttribute('aria-valuenow', String(Math.round(video.currentTime)));
    node.setAttribute('aria-valuetext', `${spokenTime(video.currentTime)} of ${spokenTime(end)}`);
  }

  private press(e: PointerEvent): void {
    if (e.button !== 0) return;
    this.dragging = true;
    this.node.setPointerCapture(e.pointerId);
    this.node.classList.add('dragging');
    this.point(e);
  }

  private release(): void {
    this.dragging = false;
    this.node.classList.remove('dragging', 'pointed');
  }

  private point(e: PointerEvent): void {
    const box = this.node.getBoundingClientRect();
    const x = Math.min(Math.max(0, e.clientX - box.left), box.width);
    const { start, end } = seekable(this.video);
    if (box.width === 0 || end <= start) return;
    const time = start + (x / box.width) * (end - start);
    if (this.dragging) this.video.currentTime = time;
    this.node.classList.add('pointed');
    this.ghost.style.width = `${x}px`;
    this.show(time, x, box.width);
  }

  private show(time: number, x: number, width: number): void {
    this.label.textContent = formatTime(time);
    const thumb = thumbnailAt(this.thumbnails, time);
    this.frame.hidden = !thumb;
    if (thumb) this.crop(thumb);
    const half = (thumb ? previewWidth + 4 : 56) / 2;
    this.preview.style.left = `${Math.min(Math.max(half, x), Math.max(half, width - half))}px`;
  }

  /** crop moves the image inside its frame so that only the thumbnail's piece shows, as wide as the preview. */
  private crop({ url, piece }: Thumbnail): void {
    const { image, frame } = this;
    if (image.src !== url) {
      image.src = url;
      image.onload = () => { if (!this.frame.hidden) this.fit(piece); };
    }
    frame.style.width = `${previewWidth}px`;
    this.fit(piece);
  }

  private fit(piece: Thumbnail['piece']): void {
    const { image, frame } = this;
    const scale = previewWidth / (piece?.w ?? (image.naturalWidth || previewWidth));
    frame.style.height = `${Math.round((piece?.h ?? image.naturalHeight) * scale)}px`;
    image.style.width = `${image.naturalWidth * scale}px`;
    image.style.transform = piece ? `translate(${-piece.x * scale}px, ${-piece.y * scale}px)` : 'none';
  }
}

/** seekable is the span that can be played: of a live stream, what is still there. Seconds. */
export function seekable(video: HTMLVideoElement): { start: number; end: number } {
  if (Number.isFinite(video.duration)) return { start: 0, end: video.duration };
  const n = video.seekable.length;
  return n ? { start: video.seekable.start(0), end: video.seekable.end(n - 1) } : { start: 0, end: 0 };
}

/** bufferedEnd is where the buffer around the playhead ends. */
function bufferedEnd(video: HTMLVideoElement): number {
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= video.currentTime + 0.5 && video.buffered.end(i) >= video.currentTime) return video.buffered.end(i);
  }
  return video.currentTime;
}
