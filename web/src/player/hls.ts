// HLS through hls.js.
import Hls, { ErrorDetails, ErrorTypes, Events, type ErrorData, type HlsConfig } from 'hls.js';
import workerPath from 'hls.js/dist/hls.worker.js?url';
import { formatBitrate } from '../format.ts';
import { Problem, problemOf } from '../problems.ts';
import { levelLabel, trackLabel, type Choice, type Engine, type EngineEvents } from './engine.ts';

export const hlsSupported = (): boolean => Hls.isSupported();

const buffered = 60; // seconds read ahead of a title that plays

const config: Partial<HlsConfig> = {
  workerPath, // as a file of its own: the page's policy allows no worker made of text
  capLevelToPlayerSize: true,
  backBufferLength: 30,
  maxBufferLength: 30, // seconds
  maxMaxBufferLength: 2, // until it plays: then buffered
};

export function startHls(video: HTMLVideoElement, url: string, events: EngineEvents): Engine {
  const hls = new Hls(config);
  hls.subtitleDisplay = true;
  let mended = 0; // decoding errors recovered from
  for (const e of [Events.MANIFEST_PARSED, Events.LEVEL_SWITCHED, Events.LEVELS_UPDATED, Events.AUDIO_TRACKS_UPDATED, Events.AUDIO_TRACK_SWITCHED,
    Events.SUBTITLE_TRACKS_UPDATED, Events.SUBTITLE_TRACK_SWITCH] as const) hls.on(e, () => events.changed());
  hls.on(Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.type === ErrorTypes.MEDIA_ERROR && mended++ < 2) hls.recoverMediaError();
    else void explain(data, url).then(events.failed);
  });
  video.addEventListener('play', () => { hls.config.maxMaxBufferLength = buffered; }, { once: true });
  hls.loadSource(url);
  hls.attachMedia(video);
  return new HlsEngine(hls, events);
}

class HlsEngine implements Engine {
  private chosen = -1;
  constructor(private readonly hls: Hls, private readonly events: EngineEvents) {}

  tracks() {
    const { hls } = this;
    const best = hls.levels.map((l, id) => ({ id, height: l.height, bitrate: l.bitrate })).sort((a, b) => b.height - a.height || b.bitrate - a.bitrate);
    return {
      levels: best.map(({ id, height, bitrate }): Choice => ({ id, label: levelLabel(height, formatBitrate(bitrate)), note: formatBitrate(bitrate) })),
      level: this.chosen,
      playing: hls.currentLevel,
      audio: hls.audioTracks.map((t, id) => ({ id, label: trackLabel(t.name, t.lang, `Track ${id + 1}`) })),
      audioTrack: hls.audioTrack,
      subtitles: hls.subtitleTracks.map((t, id) => ({ id, label: trackLabel(t.name, t.lang, `Track ${id + 1}`) })),
      subtitle: hls.subtitleTrack,
    };
  }

  setLevel(id: number) {
    this.chosen = id;
    this.hls.nextLevel = id; // with the next segment; what plays is not interrupted
    this.events.changed();
  }

  setAudio(id: number) { this.hls.audioTrack = id; }
  setSubtitle(id: number) { this.hls.subtitleTrack = id; }
  destroy() { this.hls.destroy(); }
}

/** explain finds the gateway's own words for a failure. hls.js keeps the status but not the body: it is asked again. */
async function explain(data: ErrorData, playlist: string): Promise<Problem> {
  if (data.type === ErrorTypes.NETWORK_ERROR) return ask(data.frag?.url ?? data.context?.url ?? data.url ?? playlist);
  if (data.details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || data.type === ErrorTypes.KEY_SYSTEM_ERROR) return new Problem('unsupported', 0, data.details);
  return new Problem('media', 0, data.details);
}

async function ask(url: string): Promise<Problem> {
  const stop = new AbortController();
  try {
    const res = await fetch(url, { signal: stop.signal });
    return res.ok ? new Problem('origin-unavailable', 0, 'It answered when asked again.') : await problemOf(res);
  } catch {
    return new Problem('offline', 0, '');
  } finally {
    stop.abort(); // the body, where it is a segment's, is not wanted
  }
}
