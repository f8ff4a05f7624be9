// How numbers are written. Pure.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** formatBytes writes a count of bytes with three digits at most: "512 B", "1.5 MiB". */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return '–';
  let n = bytes, unit = 0;
  while (n >= 999.5 && unit < units.length - 1) { n /= 1024; unit++; }
  const digits = unit === 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
  return `${n.toFixed(digits)} ${units[unit]}`;
}

/** formatTime writes seconds as "4:05" or "1:02:03". What is no time (a live stream's end) is "–:––". */
export function formatTime(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–:––';
  const s = Math.floor(seconds), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** spokenTime writes seconds for a screen reader: "1 hour 2 minutes 3 seconds". */
export function spokenTime(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return 'unknown';
  const s = Math.floor(seconds);
  const parts: [number, string][] = [[Math.floor(s / 3600), 'hour'], [Math.floor(s / 60) % 60, 'minute'], [s % 60, 'second']];
  const said = parts.filter(([n], i) => n > 0 || (i === 2 && s === 0)).map(([n, unit]) => `${n} ${unit}${n === 1 ? '' : 's'}`);
  return said.join(' ');
}

/** formatCount writes a whole number with groups of three. */
export function formatCount(n: number): string {
  return n.toLocaleString('en-US');
}

/** formatBitrate writes bits per second. */
export function formatBitrate(bits: number): string {
  if (!(bits > 0)) return '';
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(bits >= 1e7 ? 0 : 1)} Mb/s` : `${Math.round(bits / 1e3)} kb/s`;
}

/** titleOf makes an archive's name readable: no folder, no .zip, no underscores. */
export function titleOf(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1).replace(/\.zip$/i, '');
  const words = last.replace(/[_]+|\.(?=\S)/g, ' ').replace(/(\p{L}|\d)-(?=\p{L}|\d)/gu, '$1 ').trim();
  return (words || last || name).replace(/^\p{Ll}/u, (c) => c.toUpperCase());
}
