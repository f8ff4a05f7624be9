// HLS as the browser itself plays it (Safari on iOS).
import { Problem } from '../problems.ts';
import { noTracks, trackLabel, type Engine, type EngineEvents } from './engine.ts';

export function startNative(video: HTMLVideoElement, url: string, events: EngineEvents): Engine {
  if (!video.canPlayType('application/vnd.apple.mpegurl')) throw new Problem('unsupported', 0, 'no HLS');
  const listeners = new AbortController();
  const { signal } = listeners;
  video.addEventListener('error', () => events.failed(new Problem(video.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'offline' : 'media', 0, video.error?.message ?? '')), { signal });
  for (const e of ['addtrack', 'removetrack', 'change'] as const) video.textTracks.addEventListener(e, () => events.changed(), { signal });
  video.src = url;
  return new NativeEngine(video, listeners);
}

/** NativeEngine knows subtitles only: levels are the browser's own business. */
class NativeEngine implements Engine {
  constructor(private readonly video: HTMLVideoElement, private readonly listeners: AbortController) {}

  private texts(): TextTrack[] {
    return [...this.video.textTracks].filter((t) => t.kind === 'subtitles' || t.kind === 'captions');
  }

  tracks() {
    const texts = this.texts();
    const subtitles = texts.map((t, id) => ({ id, label: trackLabel(t.label, t.language, `Track ${id + 1}`) }));
    return { ...noTracks, subtitles, subtitle: texts.findIndex((t) => t.mode === 'showing') };
  }

  setLevel() {}
  setAudio() {}
  setSubtitle(id: number) { this.texts().forEach((t, i) => { t.mode = i === id ? 'showing' : 'disabled'; }); }

  destroy() {
    this.listeners.abort();
    this.video.removeAttribute('src');
    this.video.load();
  }
}
