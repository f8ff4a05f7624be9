// Searching names. Pure.

const plain = (s: string): string => s.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** matches says whether a name holds every word of a query, in any order, whatever the accents and separators. */
export function matches(name: string, query: string): boolean {
  const text = plain(name).replace(/[_.-]+/g, ' ');
  return plain(query).replace(/[_.-]+/g, ' ').split(/\s+/).every((word) => text.includes(word));
}

/** hueOf is a hue, 0…359, that stays the same for a name. */
export function hueOf(name: string): number {
  let h = 2166136261; // FNV-1a
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 16777619);
  return (h >>> 0) % 360;
}
