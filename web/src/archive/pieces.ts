// The archive as a row of pieces, from entries of which perhaps only some are known. Pure.
import type { Entry } from '../api.ts';
import { directoryGroup, keyOf, type Group, type Groups } from './groups.ts';

export interface Piece {
  from: number; to: number; // bytes [from, to) of the archive
  group: Group;
  name: string; // of the entry, or "" where the piece stands for several
  count: number; // entries in it
}

/** pieces lays known entries (sorted by index) end to end. Between two that are not neighbours everything counts to
 * the group of the first: sampling sees to it that this is nearly true. The directory comes last. */
export function pieces(known: readonly Entry[], groups: Groups, directoryOffset: number, size: number): Piece[] {
  const list: Piece[] = [];
  known.forEach((e, k) => {
    const next = known[k + 1], group = groups.of(keyOf(e));
    const count = next ? next.i - e.i : 1, to = next && count > 1 ? next.offset : e.end;
    const last = list.at(-1);
    if (count > 1 && last && last.count > 1 && last.group === group && last.to === e.offset) {
      last.to = to;
      last.count += count;
    } else if (to > e.offset) list.push({ from: e.offset, to, group, name: count > 1 ? '' : e.name, count });
  });
  if (size > directoryOffset) list.push({ from: directoryOffset, to: size, group: directoryGroup, name: '', count: 0 });
  return list;
}

/** pieceAt finds the piece that holds a byte; null in a gap. */
export function pieceAt(list: readonly Piece[], byte: number): Piece | null {
  let lo = 0, hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (list[mid]!.from <= byte) lo = mid + 1;
    else hi = mid;
  }
  const p = list[lo - 1];
  return p && byte < p.to ? p : null;
}
