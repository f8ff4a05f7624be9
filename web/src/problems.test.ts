import { expect, test } from 'vitest';
import { asProblem, problemOf } from './problems.ts';

const answer = (body: string, type: string, status = 503) => new Response(body, { status, headers: { 'Content-Type': type } });

test('a known code gets plain words', async () => {
  const p = await problemOf(answer('{"code":"origin-slow","detail":"d"}', 'application/problem+json'));
  expect([p.code, p.status, p.detail]).toEqual(['origin-slow', 503, 'd']);
  expect(p.message).toMatch(/slow to answer/);
});

test('an unknown code is told by its detail', async () => {
  expect((await problemOf(answer('{"code":"new-code","detail":"So it is."}', 'application/problem+json'))).message).toBe('So it is.');
});

test.each([['<html>', 'text/html'], ['{', 'application/problem+json'], ['null', 'application/problem+json']])('%j as %s is told by its status', async (body, type) => {
  expect((await problemOf(answer(body, type, 502))).code).toBe('http-502');
});

test('no answer at all', () => expect(asProblem(new TypeError('Failed to fetch')).code).toBe('offline'));
