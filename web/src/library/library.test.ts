import { expect, test } from 'vitest';
import { hueOf, matches } from './match.ts';
import { Queue } from './queue.ts';

test.each([
  ['big_buck-bunny.zip', 'bunny big', true], ['big_buck-bunny.zip', 'buck-b', true], ['Amélie.zip', 'amelie', true], ['a.zip', '', true], ['a.zip', 'b', false],
])('matches(%j, %j) = %s', (name, query, want) => expect(matches(name, query)).toBe(want));

test('a hue is a hue, and stays', () => {
  expect(hueOf('aurora.zip')).toBe(hueOf('aurora.zip'));
  for (const name of ['', 'a', 'ü'.repeat(99)]) expect(hueOf(name)).toBeGreaterThanOrEqual(0);
});

test('a queue runs so many at once, all of them, also after a failure', async () => {
  const queue = new Queue(2), ends: (() => void)[] = [];
  let running = 0, most = 0, done = 0;
  const all = new Promise<void>((resolve) => {
    for (let i = 0; i < 5; i++) {
      queue.add(async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((r) => ends.push(r));
        running--;
        if (++done === 5) resolve();
        if (i === 1) throw new Error('fails');
      });
    }
  });
  while (done < 5) {
    ends.splice(0).forEach((end) => end());
    await Promise.resolve();
  }
  await all;
  expect(most).toBe(2);
});
