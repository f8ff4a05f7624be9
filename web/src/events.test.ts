import { expect, test } from 'vitest';
import { parseEvent } from './events.ts';

test('a read and a serve', () => {
  expect(parseEvent('read', '{"entry":"a.ts","off":10,"n":5,"ms":3}')).toEqual({ kind: 'read', entry: 'a.ts', off: 10, n: 5, ms: 3 });
  expect(parseEvent('serve', '{"off":10,"n":5,"ms":0,"outcome":"hit"}')).toEqual({ kind: 'serve', entry: '', off: 10, n: 5, ms: 0, outcome: 'hit' });
});

test.each(['', '{', '{}', '{"off":-1,"n":5}', '{"off":1.5,"n":5}', '{"off":"1","n":5}', '{"off":1}'])('%j is no event', (data) => expect(parseEvent('read', data)).toBeNull());
