// The archive drawn as strips of bytes, left to right and top to bottom: one block for each entry, dim until its bytes
// have been read from storage, flashing when they are read and when they are served.
import { el, reducedMotion } from '../dom.ts';
import type { ArchiveEvent } from '../events.ts';
import { bins, Heat } from './heat.ts';
import { pieceAt, type Piece } from './pieces.ts';

const flash = 1500; // ms that a flash takes to fade
const gap = 5; // CSS pixels between strips
const dim = 0.2, lit = 0.92; // opacity of bytes not read yet, and read

export class ArchiveMap {
  readonly canvas = el('canvas', { class: 'map-canvas', role: 'img', 'aria-label': 'Map of the archive’s bytes' });
  private readonly heat: Heat;
  private pieces: Piece[] = [];
  private width = 0;
  private rows = 0;
  private rowHeight = 0;
  private frame = 0;
  private marked: { from: number; to: number } | null = null;
  private readonly tones = new Map<string, string>();

  constructor(private readonly size: number, signal: AbortSignal, private readonly pointed: (p: Piece | null) => void) {
    this.heat = new Heat(size);
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(this.canvas);
    signal.addEventListener('abort', () => { resized.disconnect(); cancelAnimationFrame(this.frame); });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.tones.clear(); this.draw(); }, { signal });
    this.canvas.addEventListener('pointermove', (e) => this.pointed(pieceAt(this.pieces, this.byteAt(e))));
    this.canvas.addEventListener('pointerleave', () => this.pointed(null));
  }

  setPieces(list: Piece[]): void {
    this.pieces = list;
    this.draw();
  }

  mark(e: ArchiveEvent): void {
    this.heat.mark(e, performance.now());
    this.draw();
  }

  /** highlight outlines bytes [from, to), or nothing. */
  highlight(span: { from: number; to: number } | null): void {
    this.marked = span;
    this.draw();
  }

  private byteAt(e: PointerEvent): number {
    const row = Math.min(this.rows - 1, Math.max(0, Math.floor(e.offsetY / (this.rowHeight + gap))));
    return ((row + Math.min(Math.max(0, e.offsetX / this.width), 0.9999)) / this.rows) * this.size;
  }

  private resize(): void {
    const box = this.canvas.getBoundingClientRect();
    if (box.width === 0) return;
    const narrow = box.width < 560;
    this.width = box.width;
    this.rows = narrow ? 8 : 5;
    this.rowHeight = (box.height - gap * (this.rows - 1)) / this.rows;
    const scale = Math.min(devicePixelRatio || 1, 3);
    this.canvas.width = Math.round(box.width * scale);
    this.canvas.height = Math.round(box.height * scale);
    this.draw();
  }

  private draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.paint(performance.now())) this.draw();
    });
  }

  /** paint draws all of it, and says whether anything is still fading. */
  private paint(now: number): boolean {
    const c = this.canvas.getContext('2d');
    if (!c || this.width === 0) return false;
    c.setTransform(this.canvas.width / this.width, 0, 0, this.canvas.width / this.width, 0, 0);
    c.clearRect(0, 0, this.width, this.canvas.height);
    const perRow = this.size / this.rows;
    let fading = false;
    for (const p of this.pieces) {
      for (let row = Math.floor(p.from / perRow); row < this.rows && row * perRow < p.to; row++) {
        const from = Math.max(p.from, row * perRow), to = Math.min(p.to, (row + 1) * perRow);
        fading = this.block(c, p, from, to, row, now) || fading;
      }
    }
    if (this.marked) this.outline(c, this.marked, perRow);
    return fading && !reducedMotion.matches;
  }

  /** block draws bytes [from, to) of a piece, which lie in one strip, in runs of equal state. */
  private block(c: CanvasRenderingContext2D, p: Piece, from: number, to: number, row: number, now: number): boolean {
    const perRow = this.size / this.rows, y = row * (this.rowHeight + gap);
    const x0 = ((from - row * perRow) / perRow) * this.width, x1 = ((to - row * perRow) / perRow) * this.width;
    const wide = x1 - x0 > 4, w = Math.max(wide ? x1 - x0 - 1.5 : x1 - x0, 0.75);
    const first = this.heat.bin(from), last = Math.max(first, this.heat.bin(to - 1));
    let fading = false;
    for (let b = first; b <= last;) {
      const state = this.state(b, now);
      let end = b + 1;
      while (end <= last && this.state(end, now) === state) end++;
      const a = b === first ? x0 : x0 + (((b / bins) * this.size - from) / (to - from)) * w;
      const z = end > last ? x0 + w : x0 + (((end / bins) * this.size - from) / (to - from)) * w;
      const radius = wide ? [b === first ? 2.5 : 0, end > last ? 2.5 : 0, end > last ? 2.5 : 0, b === first ? 2.5 : 0] : 0;
      fading = this.run(c, p.group.tone, state, a, y, z - a, radius) || fading;
      b = end;
    }
    return fading;
  }

  /** state of a bin: read or not, and how bright its flash is, in 32 steps so that runs form. */
  private state(bin: number, now: number): number {
    const { readAt, serveAt, cached } = this.heat;
    const read = readAt[bin]!, served = serveAt[bin]!;
    const at = Math.max(read, served), age = at === 0 ? flash : now - at;
    const glow = age >= flash ? 0 : Math.round(31 * (1 - age / flash));
    return (at > 0 ? 1 : 0) | (served >= read && cached[bin] ? 2 : 0) | (glow << 2);
  }

  private run(c: CanvasRenderingContext2D, tone: string, state: number, x: number, y: number, w: number, radius: number | number[]): boolean {
    const fill = (color: string, alpha: number) => {
      c.globalAlpha = alpha;
      c.fillStyle = color;
      c.beginPath();
      c.roundRect(x, y, w, this.rowHeight, radius);
      c.fill();
    };
    fill(this.tone(tone), state & 1 ? lit : dim);
    const glow = reducedMotion.matches ? 0 : state >> 2;
    if (glow > 0) fill(this.tone(state & 2 ? 'hit' : 'read'), (glow / 31) ** 1.5 * 0.95);
    c.globalAlpha = 1;
    return glow > 0;
  }

  private outline(c: CanvasRenderingContext2D, span: { from: number; to: number }, perRow: number): void {
    c.strokeStyle = this.tone('mark');
    c.lineWidth = 2;
    for (let row = Math.floor(span.from / perRow); row < this.rows && row * perRow < span.to; row++) {
      const from = Math.max(span.from, row * perRow) - row * perRow, to = Math.min(span.to - row * perRow, perRow);
      c.strokeRect((from / perRow) * this.width, row * (this.rowHeight + gap) + 1, Math.max(2, ((to - from) / perRow) * this.width - 1.5), this.rowHeight - 2);
    }
  }

  /** tone is a colour of the style sheet, looked up once for each theme. */
  private tone(name: string): string {
    let color = this.tones.get(name);
    if (!color) {
      color = getComputedStyle(this.canvas).getPropertyValue(`--tone-${name}`).trim() || '#888';
      this.tones.set(name, color);
    }
    return color;
  }
}
