// A stand-in for the gateway while the page is worked on: folders of media as if they were archives. It knows the
// page's API and nothing of ZIP; offsets are made up from the files' sizes. Not part of the page.
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';

interface Entry { i: number; name: string; offset: number; end: number; size: number; compressed: number; crc32: string; kind: string }
interface Archive { source: string; name: string; folder: string; entries: Entry[]; size: number; read: Set<string> }
interface Watcher { res: ServerResponse; source: string | null; archive: string | null }

const header = 60; // bytes before an entry's data, roughly
const types: Record<string, string> = {
  '.m3u8': 'application/vnd.apple.mpegurl', '.mpd': 'application/dash+xml', '.ts': 'video/mp2t', '.m4s': 'video/mp4', '.mp4': 'video/mp4',
  '.vtt': 'text/vtt', '.jpg': 'image/jpeg', '.png': 'image/png', '.webp': 'image/webp', '.json': 'application/json',
};
const kinds: Record<string, string> = {
  '.m3u8': 'playlist', '.mpd': 'playlist', '.vtt': 'subtitles', '.jpg': 'image', '.png': 'image', '.webp': 'image', '.json': 'json',
  '.ts': 'segment', '.m4s': 'segment', '.mp4': 'segment',
};

export function mockGateway(media: string): Plugin {
  const gateway = new Mock(media);
  const use = (server: { middlewares: { use(h: (q: IncomingMessage, s: ServerResponse, next: () => void) => void): void } }) => {
    server.middlewares.use((req, res, next) => { if (!gateway.serve(req, res)) next(); });
  };
  return { name: 'mock-gateway', configureServer: use, configurePreviewServer: use };
}

class Mock {
  private archives: Archive[] = [];
  private watchers = new Set<Watcher>();

  constructor(media: string) {
    for (const source of readdirSync(media)) {
      for (const title of readdirSync(join(media, source))) this.archives.push(open(media, source, title));
    }
    this.archives.push(huge('vault', 'two-million.zip', 2_000_000));
  }

  serve(req: IncomingMessage, res: ServerResponse): boolean {
    const url = new URL(req.url ?? '/', 'http://mock');
    const path = url.pathname.split('/').map(decodeURIComponent).join('/');
    const q = url.searchParams;
    if (path.startsWith('/api/v1/sources')) return json(res, { sources: this.sources() });
    if (path === '/api/v1/archives') return json(res, this.list(q));
    if (path.startsWith('/api/v1/archives/')) return this.withArchive(res, path.slice(17), (a) => json(res, info(a)));
    if (path.startsWith('/api/v1/entries/')) return this.withArchive(res, path.slice(16), (a) => json(res, entries(a, q)));
    if (path === '/api/v1/stats') return json(res, { hits: 0, misses: 0, shared: 0, originReads: 0, originBytes: 0, sentBytes: 0 });
    if (path === '/api/v1/events') return this.watch(req, res, q);
    if (path.startsWith('/v/')) return this.entry(req, res, path.slice(3));
    return false;
  }

  private sources() {
    const names = [...new Set(this.archives.map((a) => a.source))];
    return names.map((name) => ({ name, listable: true, archives: this.archives.filter((a) => a.source === name).length }));
  }

  private list(q: URLSearchParams) {
    const all = this.archives.filter((a) => (!q.get('source') || a.source === q.get('source')) && a.name > (q.get('after') ?? ''));
    return { archives: all.map((a) => ({ source: a.source, name: a.name, url: `v/${a.source}/${encodeURI(a.name)}`, size: a.size })), next: '' };
  }

  private withArchive(res: ServerResponse, path: string, answer: (a: Archive) => boolean): boolean {
    const a = this.archives.find((x) => `${x.source}/${x.name}` === path);
    return a ? answer(a) : problem(res, 404, 'not-found-archive');
  }

  private watch(req: IncomingMessage, res: ServerResponse, q: URLSearchParams): boolean {
    const w = { res, source: q.get('source'), archive: q.get('archive') };
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.write(':\n\n');
    this.watchers.add(w);
    req.on('close', () => this.watchers.delete(w));
    return true;
  }

  private publish(event: string, a: Archive, e: Entry, more: object) {
    const data = JSON.stringify({ source: a.source, archive: a.name, entry: e.name, ...more });
    for (const w of this.watchers) {
      if ((w.source ?? a.source) === a.source && (w.archive ?? a.name) === a.name) w.res.write(`event: ${event}\ndata: ${data}\n\n`);
    }
  }

  private entry(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    const a = this.archives.find((x) => path.startsWith(`${x.source}/${x.name}/`));
    if (!a) return problem(res, 404, 'not-found-archive');
    const name = path.slice(a.source.length + a.name.length + 2);
    const e = a.entries.find((x) => x.name === name);
    if (!e || !a.folder) return problem(res, 404, 'not-found-entry');
    const [from, to] = rangeOf(req.headers.range, e.size);
    const fresh = !a.read.has(name);
    a.read.add(name);
    if (fresh) this.publish('read', a, e, { off: e.offset, n: e.end - e.offset, ms: 12 + (e.size >> 15) });
    this.publish('serve', a, e, { off: e.offset + header + from, n: to - from, outcome: fresh ? 'miss' : 'hit', ms: 1 });
    res.writeHead(req.headers.range ? 206 : 200, {
      'Content-Type': types[extname(name)] ?? 'application/octet-stream', 'Content-Length': to - from, 'Accept-Ranges': 'bytes',
      ...(req.headers.range && { 'Content-Range': `bytes ${from}-${to - 1}/${e.size}` }),
    });
    createReadStream(join(a.folder, name), { start: from, end: Math.max(from, to - 1) }).pipe(res);
    return true;
  }
}

function open(media: string, source: string, title: string): Archive {
  const folder = join(media, source, title);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((d) => d.isFile())
    .map((d) => relative(folder, join(d.parentPath, d.name))).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  let at = 0;
  const list = names.map((name, i) => {
    const size = statSync(join(folder, name)).size;
    const e = made(i, name, at, size);
    at = e.end;
    return e;
  });
  return { source, name: `${title}.zip`, folder, entries: list, size: at + list.length * 80, read: new Set() };
}

/** As zipreel pack writes: media, then pictures and subtitles, then playlists. */
function order(name: string): number {
  const kind = kinds[extname(name)];
  return kind === 'segment' ? 0 : kind === 'playlist' ? 2 : 1;
}

function made(i: number, name: string, offset: number, size: number): Entry {
  const crc = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  return { i, name, offset, end: offset + header + size, size, compressed: size, crc32: crc.toString(16).padStart(8, '0'), kind: kinds[extname(name)] ?? 'other' };
}

/** An archive whose entries are made up as they are asked for. */
function huge(source: string, name: string, count: number): Archive {
  const size = 100_000, each = size + header, perRendition = count / 4;
  const at = (i: number): Entry => made(i, `${['240p', '480p', '720p', '1080p'][Math.floor(i / perRendition)]}/seg_${String(i % perRendition).padStart(6, '0')}.ts`, i * each, size);
  const list = new Proxy([] as Entry[], { get: (t, k) => (k === 'length' ? count : typeof k === 'string' && /^\d+$/.test(k) ? at(Number(k)) : Reflect.get(t, k)) });
  return { source, name, folder: '', entries: list, size: count * (each + 80), read: new Set() };
}

function info(a: Archive) {
  const has = (re: RegExp) => (a.folder ? a.entries.find((e) => re.test(e.name))?.name ?? '' : '');
  const playlist = has(/^(master\.m3u8|manifest\.mpd)$/) || has(/\.(m3u8|mpd)$/);
  const last = a.entries[a.entries.length - 1];
  return {
    source: a.source, name: a.name, url: `v/${a.source}/${encodeURI(a.name)}`, base: `v/${a.source}/${encodeURI(a.name)}/`, size: a.size,
    entries: a.entries.length, playable: playlist !== '', playlist, kind: playlist.endsWith('.mpd') ? 'dash' : playlist ? 'hls' : '',
    poster: has(/(^|\/)(cover|poster)\./), preview: has(/(^|\/)preview\.webp$/), thumbnails: has(/(^|\/)thumb[^/]*\.vtt$/),
    directoryOffset: last?.end ?? 0, version: '00',
  };
}

function entries(a: Archive, q: URLSearchParams) {
  const limit = Math.min(Number(q.get('limit') ?? 100), 1000), part = (q.get('q') ?? '').toLowerCase();
  const found: Entry[] = [];
  let i = Number(q.get('after') ?? 0);
  const stop = Math.min(a.entries.length, i + 50_000);
  for (; i < stop && found.length < limit; i++) {
    const e = a.entries[i];
    if (e?.name.toLowerCase().includes(part)) found.push(e);
  }
  return { entries: found, next: i >= a.entries.length ? -1 : i, total: a.entries.length };
}

function rangeOf(range: string | undefined, size: number): [number, number] {
  const m = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  return m ? [Number(m[1]), m[2] ? Math.min(size, Number(m[2]) + 1) : size] : [0, size];
}

function json(res: ServerResponse, body: unknown): boolean {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
  return true;
}

function problem(res: ServerResponse, status: number, code: string): boolean {
  res.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ type: 'about:blank', title: code, status, code, detail: '' }));
  return true;
}
