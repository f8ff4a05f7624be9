// DASH through shaka-player (its build without HLS and without a user interface).
import shaka from 'shaka-player/dist/shaka-player.dash-es2021.js';
import { formatBitrate } from '../format.ts';
import { asProblem, Problem } from '../problems.ts';
import { levelLabel, trackLabel, type Choice, type Engine, type EngineEvents } from './engine.ts';

export async function startDash(video: HTMLVideoElement, url: string, events: EngineEvents): Promise<Engine> {
  shaka.polyfill.installAll();
  if (!shaka.Player.isBrowserSupported()) throw new Problem('unsupported', 0, 'no Media Source');
  const player: shaka.Player = new shaka.Player();
  await player.attach(video);
  const changed = () => events.changed();
  for (const e of ['trackschanged', 'adaptation', 'variantchanged', 'textchanged', 'audiotrackchanged', 'texttrackvisibility']) player.addEventListener(e, changed);
  player.addEventListener('error', (e: Event) => events.failed(explain((e as Event & { detail?: unknown }).detail)));
  try {
    await player.load(url);
  } catch (err) {
    await player.destroy();
    throw explain(err);
  }
  return new DashEngine(player, events);
}

class DashEngine implements Engine {
  private automatic = true;
  constructor(private readonly player: shaka.Player, private readonly events: EngineEvents) {}

  tracks() {
    const { player } = this;
    const videos = player.getVideoTracks(), audios = player.getAudioTracks(), texts = player.getTextTracks();
    const order = videos.map((_, id) => id).sort((a, b) => (videos[b]!.height ?? 0) - (videos[a]!.height ?? 0) || videos[b]!.bandwidth - videos[a]!.bandwidth);
    const playing = videos.findIndex((t) => t.active);
    return {
      levels: order.map((id): Choice => {
        const rate = formatBitrate(videos[id]!.bandwidth);
        return { id, label: levelLabel(videos[id]!.height ?? undefined, rate), note: rate };
      }),
      level: this.automatic ? -1 : playing,
      playing,
      audio: audios.map((t, id) => ({ id, label: trackLabel(t.label ?? undefined, t.language, `Track ${id + 1}`) })),
      audioTrack: audios.findIndex((t) => t.active),
      subtitles: texts.map((t, id) => ({ id, label: trackLabel(t.label ?? undefined, t.language, `Track ${id + 1}`) })),
      subtitle: texts.findIndex((t) => t.active),
    };
  }

  setLevel(id: number) {
    const track = this.player.getVideoTracks()[id];
    this.automatic = !track;
    this.player.configure({ abr: { enabled: this.automatic } });
    if (track) this.player.selectVideoTrack(track);
    this.events.changed();
  }

  setAudio(id: number) {
    const track = this.player.getAudioTracks()[id];
    if (track) this.player.selectAudioTrack(track);
  }

  setSubtitle(id: number) {
    this.player.selectTextTrack(this.player.getTextTracks()[id] ?? null);
    this.events.changed();
  }

  destroy() { void this.player.destroy(); }
}

/** explain makes a Problem of shaka's errors: a category, and for network errors the status and the body's text. */
function explain(err: unknown): Problem {
  const e = err as { category?: number; code?: number; data?: unknown[] } | null | undefined;
  if (typeof e?.category !== 'number') return asProblem(err);
  const { NETWORK, MANIFEST, DRM } = shaka.util.Error.Category;
  if (e.category === NETWORK) return network(e.data ?? []);
  return new Problem(e.category === DRM || e.category === MANIFEST ? 'unsupported' : 'media', 0, `shaka ${e.code}`);
}

function network(data: unknown[]): Problem {
  const status = typeof data[1] === 'number' ? data[1] : 0;
  try {
    const body = JSON.parse(String(data[2])) as { code?: unknown; detail?: unknown };
    return new Problem(String(body.code ?? 'offline'), status, String(body.detail ?? ''));
  } catch {
    return new Problem(status ? `http-${status}` : 'offline', status, status ? `The server answered ${status}.` : '');
  }
}
