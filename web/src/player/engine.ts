// What the controls need of whatever turns a playlist into pictures. One engine per <video>, until destroy.
import type { Problem } from '../problems.ts';

/** Choice is one line of a menu. id is the engine's own. */
export interface Choice { id: number; label: string; note?: string }

export interface Tracks {
  levels: Choice[]; // best first; without "auto"
  level: number; // chosen, or -1: automatic
  playing: number; // the level on screen, or -1: not known
  audio: Choice[];
  audioTrack: number;
  subtitles: Choice[];
  subtitle: number; // or -1: none
}

export const noTracks: Tracks = { levels: [], level: -1, playing: -1, audio: [], audioTrack: -1, subtitles: [], subtitle: -1 };

export interface Engine {
  tracks(): Tracks;
  setLevel(id: number): void; // -1: automatic
  setAudio(id: number): void;
  setSubtitle(id: number): void; // -1: none
  destroy(): void;
}

export interface EngineEvents {
  changed(): void; // tracks() answers something else now
  failed(p: Problem): void; // playing has ended for good
}

export type Kind = 'hls' | 'dash';

/** start loads url into video. Rejects with a Problem when this browser has no way to play it. Libraries come with
 * the first title that needs them. */
export async function start(video: HTMLVideoElement, url: string, kind: Kind, events: EngineEvents): Promise<Engine> {
  if (kind === 'dash') return (await import('./dash.ts')).startDash(video, url, events);
  const { startHls, hlsSupported } = await import('./hls.ts');
  if (hlsSupported()) return startHls(video, url, events);
  return (await import('./native.ts')).startNative(video, url, events);
}

/** levelLabel names a level by what people know it as: its height, else its rate. */
export function levelLabel(height: number | undefined, bitrate: string): string {
  return height ? `${height}p` : bitrate || 'Video';
}

const languages = typeof Intl.DisplayNames === 'function' ? new Intl.DisplayNames(undefined, { type: 'language' }) : null;

/** trackLabel names an audio or subtitle track by its own name, else by its language. */
export function trackLabel(name: string | undefined, language: string | undefined, fallback: string): string {
  if (name && name !== language) return name;
  try {
    return (language && languages?.of(language)) || language || fallback;
  } catch {
    return language || fallback; // no well-formed language tag
  }
}
