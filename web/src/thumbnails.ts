// WebVTT thumbnail tracks: each cue names an image, or a piece of one (Media Fragments, #xywh=x,y,w,h). Pure.

export interface Thumbnail {
  start: number; // seconds
  end: number;
  url: string; // absolute, without the fragment
  piece: { x: number; y: number; w: number; h: number } | null; // pixels; null: the whole image
}

const maxCues = 20_000; // 11 hours at one each 2 s

/** parseThumbnails reads a track. Image names are relative to url, the track's own address; images elsewhere than on
 * its host are left out, and so is every cue that makes no sense. */
export function parseThumbnails(text: string, url: string): Thumbnail[] {
  const found: Thumbnail[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (let i = 0; i < lines.length && found.length < maxCues; i++) {
    const times = /^\s*([\d:.]+)\s+-->\s+([\d:.]+)/.exec(lines[i]!);
    if (!times) continue;
    const start = parseTime(times[1]!), end = parseTime(times[2]!);
    const image = parseImage(lines[i + 1]?.trim() ?? '', url);
    if (image && start >= 0 && end > start) found.push({ start, end, ...image });
  }
  return found.sort((a, b) => a.start - b.start);
}

/** parseTime reads "01:02:03.456" or "02:03.456" as seconds; NaN for anything else (WebVTT §4.1). */
export function parseTime(s: string): number {
  const m = /^(?:(\d{1,5}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,6})?)$/.exec(s);
  return m ? Number(m[1] ?? 0) * 3600 + Number(m[2]) * 60 + Number(m[3]) : NaN;
}

function parseImage(line: string, base: string): Pick<Thumbnail, 'url' | 'piece'> | null {
  if (!line || !URL.canParse(line, base)) return null;
  const url = new URL(line, base);
  if (url.origin !== new URL(base).origin) return null;
  const m = /^#xywh=(?:pixel:)?(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})$/.exec(url.hash);
  url.hash = '';
  if (!m) return { url: url.href, piece: null };
  const [x, y, w, h] = m.slice(1).map(Number) as [number, number, number, number];
  return w > 0 && h > 0 ? { url: url.href, piece: { x, y, w, h } } : null;
}

/** thumbnailAt finds the cue of a time: the last that began, even where it has ended. Sorted list. */
export function thumbnailAt(list: readonly Thumbnail[], seconds: number): Thumbnail | null {
  let lo = 0, hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (list[mid]!.start <= seconds) lo = mid + 1;
    else hi = mid;
  }
  return list[Math.max(0, lo - 1)] ?? null;
}
