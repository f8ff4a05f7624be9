// Which bytes of the archive were read and served, and when: a fixed number of bins over the whole archive, so that
// hours of events take no more memory than the first. Pure.
import type { ArchiveEvent } from '../events.ts';

export const bins = 8192;

export class Heat {
  readonly readAt = new Float64Array(bins); // ms; 0: never
  readonly serveAt = new Float64Array(bins);
  readonly cached = new Uint8Array(bins); // 1: the last serve needed no read of its own

  constructor(private readonly size: number) {}

  /** mark notes an event at time now (ms, > 0). What reaches out of the archive is cut off. */
  mark(e: ArchiveEvent, now: number): void {
    if (this.size <= 0 || e.n <= 0 || e.off >= this.size) return;
    const first = this.bin(e.off), last = this.bin(Math.min(e.off + e.n, this.size) - 1);
    if (e.kind === 'read') return void this.readAt.fill(now, first, last + 1);
    this.serveAt.fill(now, first, last + 1);
    this.cached.fill(e.outcome === 'miss' ? 0 : 1, first, last + 1);
  }

  bin(byte: number): number {
    return Math.min(bins - 1, Math.floor((byte / this.size) * bins));
  }
}

/** Totals counts events since the page was opened. */
export class Totals {
  reads = 0;
  readBytes = 0;
  readMillis = 0;
  serves = 0;
  serveBytes = 0;
  hits = 0;
  shared = 0;

  add(e: ArchiveEvent): void {
    if (e.kind === 'read') {
      this.reads++;
      this.readBytes += e.n;
      this.readMillis += e.ms;
      return;
    }
    this.serves++;
    this.serveBytes += e.n;
    if (e.outcome === 'hit') this.hits++;
    else if (e.outcome === 'shared') this.shared++;
  }
}
