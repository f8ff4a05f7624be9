// The gateway's JSON API, typed. Every call rejects with a Problem, or with an AbortError when signal ends it.
import { absolute, encodePath, type Title } from './paths.ts';
import { asProblem, problemOf } from './problems.ts';

export interface Source { name: string; archives: number; listable: boolean } // archives: -1 not known
export interface ArchiveItem { source: string; name: string; url: string; size?: number }
export interface ArchiveInfo {
  source: string; name: string;
  url: string; // of the title, relative to the mount
  base: string; // what entries' URLs start with
  size: number; entries: number;
  playable: boolean; playlist: string; kind: 'hls' | 'dash' | '';
  poster: string; preview: string; thumbnails: string; // entry names, or ""
  directoryOffset: number; version: string;
}
export interface Entry {
  i: number; name: string;
  offset: number; end: number; // of the archive: the local header's first byte, and the byte after the entry
  size: number; compressed: number; crc32: string; kind: string;
  error?: string; // why it is not served
}
export interface EntryPage { entries: Entry[]; next: number; total: number } // next: -1 at the end

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  try {
    const res = await fetch(absolute(path), signal ? { signal } : {});
    if (!res.ok) throw await problemOf(res);
    return (await res.json()) as T;
  } catch (err) {
    if (signal?.aborted) throw err;
    throw asProblem(err);
  }
}

export async function listSources(signal?: AbortSignal): Promise<Source[]> {
  return (await get<{ sources: Source[] }>('api/v1/sources', signal)).sources;
}

export function listArchives(source: string, after: string, signal?: AbortSignal): Promise<{ archives: ArchiveItem[]; next: string }> {
  return get(`api/v1/archives?${new URLSearchParams({ source, after, limit: '100' })}`, signal);
}

export function describeArchive(t: Title, signal?: AbortSignal): Promise<ArchiveInfo> {
  return get(`api/v1/archives/${encodePath(t.source)}/${encodePath(t.archive)}`, signal);
}

/** listEntries answers entries from index first on, in order of offset, whose names contain q. */
export function listEntries(t: Title, first: number, limit: number, q: string, signal?: AbortSignal): Promise<EntryPage> {
  const query = new URLSearchParams({ after: String(first), limit: String(limit), ...(q && { q }) });
  return get(`api/v1/entries/${encodePath(t.source)}/${encodePath(t.archive)}?${query}`, signal);
}

/** entryURL is an entry's absolute URL. */
export function entryURL(info: ArchiveInfo, name: string): string {
  return absolute(info.base + encodePath(name.replace(/^\.\//, '')));
}
