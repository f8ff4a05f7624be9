// What an archive's bytes belong to: renditions by their folder, and the small things around them. Pure.
import type { Entry } from '../api.ts';

export const maxRenditions = 6; // with a colour of their own; further ones share the last

/** Group is a run of colour on the map. tone is the name of its colour in the style sheet. */
export interface Group { key: string; label: string; tone: string }

const others: Record<string, Group> = {
  image: { key: ':image', label: 'Images', tone: 'image' },
  subtitles: { key: ':subtitles', label: 'Subtitles', tone: 'text' },
  playlist: { key: ':playlist', label: 'Playlists', tone: 'playlist' },
  other: { key: ':other', label: 'Other', tone: 'other' },
};

export const directoryGroup: Group = { key: ':directory', label: 'Directory', tone: 'directory' };

/** keyOf names the group of an entry: for segments the folder they are in. */
export function keyOf(e: Pick<Entry, 'name' | 'kind'>): string {
  if (e.kind === 'segment') return e.name.slice(0, Math.max(0, e.name.lastIndexOf('/')));
  return (others[e.kind] ?? others['other']!).key;
}

/** Groups hands out a colour to each rendition, in the order they are met. */
export class Groups {
  private readonly known = new Map<string, Group>(Object.values(others).map((g) => [g.key, g]));
  private renditions = 0;
  readonly used: Group[] = [];

  of(key: string): Group {
    let g = this.known.get(key);
    if (!g) {
      const more = this.renditions >= maxRenditions;
      g = { key, label: more ? 'More' : key || 'Media', tone: `r${Math.min(this.renditions, maxRenditions - 1)}` };
      if (!more) this.renditions++;
      this.known.set(key, g);
    }
    const { label } = g;
    if (!this.used.some((u) => u.label === label)) this.used.push(g);
    return g;
  }
}
