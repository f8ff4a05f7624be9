import { expect, test } from 'vitest';
import { formatBitrate, formatBytes, formatTime, spokenTime, titleOf } from './format.ts';

test.each([
  [0, '0 B'], [999, '999 B'], [1000, '0.98 KiB'], [1536, '1.50 KiB'], [12 * 1024, '12.0 KiB'], [1023 * 1024, '1.00 MiB'], [20 * 1024 ** 3, '20.0 GiB'],
  [-1, '–'], [NaN, '–'],
])('formatBytes(%d) = %s', (n, want) => expect(formatBytes(n)).toBe(want));

test.each([[0, '0:00'], [65.9, '1:05'], [3600, '1:00:00'], [Infinity, '–:––'], [-1, '–:––']])('formatTime(%d) = %s', (s, want) => expect(formatTime(s)).toBe(want));

test.each([[0, '0 seconds'], [61, '1 minute 1 second'], [7200, '2 hours'], [NaN, 'unknown']])('spokenTime(%d) = %s', (s, want) => expect(spokenTime(s)).toBe(want));

test.each([[0, ''], [96_000, '96 kb/s'], [1_840_000, '1.8 Mb/s'], [12_400_000, '12 Mb/s']])('formatBitrate(%d) = %s', (n, want) => expect(formatBitrate(n)).toBe(want));

test.each([
  ['aurora.zip', 'Aurora'], ['a/b/big_buck-bunny.ZIP', 'Big buck bunny'], ['Alien.1979.zip', 'Alien 1979'], ['.zip', '.zip'], ['bafy123', 'Bafy123'],
])('titleOf(%j) = %j', (name, want) => expect(titleOf(name)).toBe(want));
