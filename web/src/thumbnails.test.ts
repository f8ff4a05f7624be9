import { expect, test } from 'vitest';
import { parseThumbnails, parseTime, thumbnailAt } from './thumbnails.ts';

const at = 'http://h/v/films/a.zip/thumbs/t.vtt';
const sprite = 'http://h/v/films/a.zip/thumbs/sprite.jpg';

test.each([['01:02:03.500', 3723.5], ['02:03.004', 123.004], ['100:00:00.000', 360000], ['3', NaN], ['1:2:3:4', NaN], ['-1:00', NaN]])('parseTime(%j) = %d', (s, want) => expect(parseTime(s)).toBe(want));

test('pieces of a sprite and whole images', () => {
  const vtt = '\uFEFFWEBVTT\r\n\r\nNOTE hello\r\n\r\n1\r\n00:00.000 --> 00:02.000 align:left\r\nsprite.jpg#xywh=160,90,160,90\r\n\r\n00:02.000 --> 00:04.000\r\n../shots/2.jpg\r\n';
  expect(parseThumbnails(vtt, at)).toEqual([
    { start: 0, end: 2, url: sprite, piece: { x: 160, y: 90, w: 160, h: 90 } },
    { start: 2, end: 4, url: 'http://h/v/films/a.zip/shots/2.jpg', piece: null },
  ]);
});

test.each([
  ['an image on another host', '00:00.000 --> 00:02.000\nhttps://evil.example/a.jpg#xywh=0,0,1,1'],
  ['a script', '00:00.000 --> 00:02.000\njavascript:alert(1)'],
  ['an empty piece', '00:00.000 --> 00:02.000\na.jpg#xywh=0,0,0,9'],
  ['an end before the start', '00:03.000 --> 00:02.000\na.jpg'],
  ['no image', '00:00.000 --> 00:02.000\n\na.jpg'],
  ['no times', 'a --> b\na.jpg'],
])('%s is left out', (_, cue) => expect(parseThumbnails(`WEBVTT\n\n${cue}\n`, at)).toEqual([]));

test('the number of cues is bounded', () => {
  const cue = '00:00.000 --> 00:02.000\na.jpg\n\n';
  expect(parseThumbnails(cue.repeat(30_000), at)).toHaveLength(20_000);
});

test.each([[-1, 0], [0, 0], [1.9, 0], [2, 2], [99, 4]])('thumbnailAt(%d) begins at %d', (time, want) => {
  const list = [0, 2, 4].map((start) => ({ start, end: start + 2, url: sprite, piece: null }));
  expect(thumbnailAt(list, time)?.start).toBe(want);
});

test('no thumbnails', () => expect(thumbnailAt([], 3)).toBeNull());
