import { expect, test } from 'vitest';
import type { Entry } from '../api.ts';
import { Groups, keyOf, maxRenditions } from './groups.ts';
import { bins, Heat, Totals } from './heat.ts';
import { pieceAt, pieces } from './pieces.ts';
import { sample } from './sample.ts';

const entry = (i: number, name: string, kind = 'segment'): Entry => ({ i, name, kind, offset: i * 100, end: i * 100 + 100, size: 40, compressed: 40, crc32: '00000000' });

test.each([['720p/a.ts', 'segment', '720p'], ['a/b/c.ts', 'segment', 'a/b'], ['c.ts', 'segment', ''], ['720p/a.m3u8', 'playlist', ':playlist'], ['x', 'key', ':other']])(
  'keyOf(%j, %j) = %j', (name, kind, want) => expect(keyOf({ name, kind })).toBe(want));

test('renditions beyond the colours share the last', () => {
  const groups = new Groups();
  const tones = Array.from({ length: maxRenditions + 3 }, (_, i) => groups.of(`r${i}`).tone);
  expect(new Set(tones).size).toBe(maxRenditions);
  expect(groups.used).toHaveLength(maxRenditions + 1);
});

test('pieces of an archive that is known whole', () => {
  const list = pieces([entry(0, 'a/0.ts'), entry(1, 'a/1.ts'), entry(2, 'm.m3u8', 'playlist')], new Groups(), 300, 350);
  expect(list.map((p) => [p.from, p.to, p.group.label, p.name, p.count])).toEqual([
    [0, 100, 'a', 'a/0.ts', 1], [100, 200, 'a', 'a/1.ts', 1], [200, 300, 'Playlists', 'm.m3u8', 1], [300, 350, 'Directory', '', 0],
  ]);
});

test('pieces of an archive that is known in part: runs of one group join', () => {
  const list = pieces([entry(0, 'a/0.ts'), entry(10, 'a/10.ts'), entry(20, 'b/20.ts')], new Groups(), 2100, 2100);
  expect(list.map((p) => [p.from, p.to, p.group.label, p.count])).toEqual([[0, 2000, 'a', 20], [2000, 2100, 'b', 1]]);
});

test.each([[0, 'a/0.ts'], [99, 'a/0.ts'], [100, 'a/1.ts'], [200, null], [-1, null]])('pieceAt(%d) = %j', (byte, want) => {
  const list = pieces([entry(0, 'a/0.ts'), entry(1, 'a/1.ts')], new Groups(), 200, 200);
  expect(pieceAt(list, byte)?.name ?? null).toBe(want);
});

test('an archive of two million entries is drawn exactly from at most 160 of them', async () => {
  const total = 2_000_000, border = [777_777, 1_234_567];
  const name = (i: number) => `${i < border[0]! ? 'a' : i < border[1]! ? 'b' : 'c'}/${i}.ts`;
  let asked = 0;
  const known = await sample(total, async (first, n) => {
    asked++;
    return Array.from({ length: Math.min(n, total - first) }, (_, k) => entry(first + k, name(first + k)));
  });
  expect(asked).toBeLessThanOrEqual(160);
  const list = pieces(known, new Groups(), total * 100, total * 100).filter((p) => p.count > 1);
  expect(list.find((p) => p.group.label === 'a')?.to).toBeLessThanOrEqual(border[0]! * 100);
  expect(pieceAt(pieces(known, new Groups(), total * 100, total * 100), border[1]! * 100)?.group.label).toBe('c');
  expect(pieceAt(pieces(known, new Groups(), total * 100, total * 100), border[1]! * 100 - 1)?.group.label).toBe('b');
});

test('alternating renditions do not break the budget', async () => {
  let asked = 0;
  await sample(1_000_000, async (i) => { asked++; return [entry(i, `${i % 7}/x.ts`)]; });
  expect(asked).toBeLessThanOrEqual(160);
});

test('a small archive is read whole, by pages', async () => {
  const pagesAsked: number[] = [];
  const known = await sample(2500, async (first, n) => {
    pagesAsked.push(first);
    return Array.from({ length: Math.min(n, 2500 - first) }, (_, k) => entry(first + k, 'x'));
  });
  expect([known.length, pagesAsked]).toEqual([2500, [0, 1000, 2000]]);
});

test('heat marks exactly the bins of a range, and nothing outside the archive', () => {
  const heat = new Heat(bins * 10);
  heat.mark({ kind: 'read', entry: '', off: 100, n: 20, ms: 1 }, 5);
  expect([...heat.readAt.subarray(9, 13)]).toEqual([0, 5, 5, 0]);
  heat.mark({ kind: 'serve', entry: '', off: bins * 10 - 5, n: 1e12, ms: 1, outcome: 'hit' }, 6);
  heat.mark({ kind: 'serve', entry: '', off: bins * 10, n: 5, ms: 1, outcome: 'hit' }, 7);
  expect([heat.serveAt[bins - 2], heat.serveAt[bins - 1], heat.cached[bins - 1]]).toEqual([0, 6, 1]);
});

test('totals', () => {
  const t = new Totals();
  t.add({ kind: 'read', entry: '', off: 0, n: 10, ms: 4 });
  for (const outcome of ['hit', 'miss', 'shared', 'hit'] as const) t.add({ kind: 'serve', entry: '', off: 0, n: 5, ms: 0, outcome });
  expect([t.reads, t.readBytes, t.serves, t.serveBytes, t.hits, t.shared]).toEqual([1, 10, 4, 20, 2, 1]);
});
