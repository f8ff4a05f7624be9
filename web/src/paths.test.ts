import { expect, test } from 'vitest';
import { deepLink, embedSnippet, encodePath, parseDeepLink, parseEmbed } from './paths.ts';

test.each([
  ['720p/seg 1.ts', '720p/seg%201.ts'], ['a+b%2F#?.ts', 'a%2Bb%252F%23%3F.ts'], ['ü/日.ts', '%C3%BC/%E6%97%A5.ts'],
  ['a/../b', 'a/%00/b'], ['./a', '%00/a'], ['javascript:x', 'javascript%3Ax'], ['\uD800', '%EF%BF%BD'],
])('encodePath(%j) = %j', (name, want) => expect(encodePath(name)).toBe(want));

test.each([
  { source: 'films', archive: 'bbb.zip' }, { source: 'films', archive: 'a b/c#d?/100%.zip' }, { source: 'x', archive: 'Qm+ü/日.zip' },
])('a deep link to %j leads back to it', (t) => expect(parseDeepLink(deepLink(t))).toEqual(t));

test.each(['', '#', '#/', '#/films', '#/films/', '#/films/%zz.zip', '#films/a.zip'])('parseDeepLink(%j) is the library', (hash) => expect(parseDeepLink(hash)).toBeNull());

test.each([
  ['/embed/a/b/c.zip', '/', { source: 'a', archive: 'b/c.zip' }], ['/x/embed/embed/a%20b.zip', '/x/', { source: 'embed', archive: 'a b.zip' }],
  ['/embed/embed/a/b.zip', '/embed/', { source: 'a', archive: 'b.zip' }], ['/embed/a/b.zip/', '/', { source: 'a', archive: 'b.zip' }],
  ['/embed/a', '/', null], ['/embed/a/', '/', null], ['/', '/', null], ['/embed/a/%', '/', null],
])('parseEmbed(%j, %j)', (path, root, want) => expect(parseEmbed(path, root)).toEqual(want));

test('the embed snippet escapes what it is given', () => {
  expect(embedSnippet('https://h/embed/a/b%22.zip', '"><script>')).toContain('src="https://h/embed/a/b%22.zip" title="&quot;&gt;&lt;script&gt;"');
});
