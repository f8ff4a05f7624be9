// Knowing an archive of up to millions of entries well enough to draw it, with a bounded number of questions.
import type { Entry } from '../api.ts';
import { keyOf } from './groups.ts';

export const allUpTo = 4000; // entries; smaller archives are read whole
const page = 1000, spread = 48, budget = 160, atOnce = 4;

/** Ask answers at most n entries from index first on. */
export type Ask = (first: number, n: number) => Promise<Entry[]>;

/** sample answers entries sorted by index: all of a small archive; of a large one some, spread evenly, and then more
 * where two neighbours belong to different groups, to find where one ends and the other begins. */
export async function sample(total: number, ask: Ask): Promise<Entry[]> {
  return total <= allUpTo ? readAll(total, ask) : spreadOut(total, ask);
}

async function readAll(total: number, ask: Ask): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let first = 0; first < total; first += page) all.push(...(await ask(first, page)));
  return all;
}

async function spreadOut(total: number, ask: Ask): Promise<Entry[]> {
  const known = new Map<number, Entry>();
  let asked = 0;
  const fetchAll = async (indexes: number[]) => {
    asked += indexes.length;
    for (let k = 0; k < indexes.length; k += atOnce) {
      const found = await Promise.all(indexes.slice(k, k + atOnce).map((i) => ask(i, 1)));
      for (const e of found.flat()) known.set(e.i, e);
    }
  };
  const first = Array.from({ length: spread }, (_, k) => Math.round((k * (total - 1)) / (spread - 1)));
  await fetchAll([...new Set(first)]);
  while (asked < budget) {
    const middles = borders(sorted(known)).slice(0, budget - asked);
    if (middles.length === 0) break;
    await fetchAll(middles);
  }
  return sorted(known);
}

/** borders answers the index in the middle of each pair of known neighbours that belong to different groups. */
function borders(known: Entry[]): number[] {
  const middles: number[] = [];
  known.forEach((e, k) => {
    const next = known[k + 1];
    if (next && next.i > e.i + 1 && keyOf(next) !== keyOf(e)) middles.push((e.i + next.i) >>> 1);
  });
  return middles;
}

const sorted = (known: Map<number, Entry>): Entry[] => [...known.values()].sort((a, b) => a.i - b.i);
