// The gateway's event stream: what is read from storage and what is given to players, as it happens.
import { absolute, type Title } from './paths.ts';

export interface Read { kind: 'read'; entry: string; off: number; n: number; ms: number } // bytes [off, off+n) of the archive
export interface Serve { kind: 'serve'; entry: string; off: number; n: number; ms: number; outcome: 'hit' | 'miss' | 'shared' }
export type ArchiveEvent = Read | Serve;

/** watchArchive calls back for each event of an archive until signal ends it. EventSource reconnects by itself. */
export function watchArchive(t: Title, signal: AbortSignal, on: (e: ArchiveEvent) => void): void {
  const stream = new EventSource(absolute(`api/v1/events?${new URLSearchParams({ source: t.source, archive: t.archive })}`));
  const take = (kind: 'read' | 'serve') => (m: MessageEvent<string>) => {
    const e = parseEvent(kind, m.data);
    if (e) on(e);
  };
  stream.addEventListener('read', take('read'));
  stream.addEventListener('serve', take('serve'));
  signal.addEventListener('abort', () => stream.close());
}

/** parseEvent reads an event's data; null for what makes no sense. Pure. */
export function parseEvent(kind: 'read' | 'serve', data: string): ArchiveEvent | null {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(data) as Record<string, unknown>;
  } catch {
    return null;
  }
  const count = (name: string) => (Number.isSafeInteger(raw[name]) && (raw[name] as number) >= 0 ? (raw[name] as number) : NaN);
  const off = count('off'), n = count('n'), ms = count('ms') || 0;
  const entry = typeof raw['entry'] === 'string' ? raw['entry'] : '';
  if (Number.isNaN(off) || Number.isNaN(n)) return null;
  if (kind === 'read') return { kind, entry, off, n, ms };
  const outcome = raw['outcome'];
  return { kind, entry, off, n, ms, outcome: outcome === 'hit' || outcome === 'shared' ? outcome : 'miss' };
}
