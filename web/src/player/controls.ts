// The controls over the video: buttons, seek bar, menus, keys, and what a pointer or a finger does.
import { append, el, icon } from '../dom.ts';
import { formatTime } from '../format.ts';
import * as icons from '../icons.ts';
import { noTracks, type Engine, type Tracks } from './engine.ts';
import { listenGestures } from './gestures.ts';
import { listenKeys, type Actions } from './keys.ts';
import { Menu, type Page } from './menu.ts';
import { Seekbar, seekable } from './seekbar.ts';

const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2];

export class Controls implements Actions {
  readonly seekbar: Seekbar;
  readonly nodes: HTMLElement[];
  private readonly play = button('Play', icons.play, 'k', () => this.toggle());
  private readonly big = el('button', { class: 'player-big', type: 'button', 'aria-label': 'Play', onclick: () => this.toggle() }, icon(icons.play, false));
  private readonly sound = button('Mute', icons.volume, 'm', () => this.mute());
  private readonly level = el('input', { class: 'volume', type: 'range', min: 0, max: 1, step: 0.01, 'aria-label': 'Volume' });
  private readonly time = el('span', { class: 'player-time' });
  private readonly cc = button('Subtitles', icons.captions, 'c', () => this.menu.toggle(this.cc, () => [this.subtitlePage()]));
  private readonly gear = button('Settings', icons.settings, '', () => this.menu.toggle(this.gear, () => this.settingPages()));
  private readonly pipButton = button('Picture in picture', icons.pip, 'i', () => this.pip());
  private readonly full = button('Full screen', icons.enterFull, 'f', () => this.fullscreen());
  private readonly menu = new Menu();
  private engine: Engine | null = null;
  private tracks: Tracks = noTracks;
  private lastSubtitle = 0;

  constructor(private readonly player: HTMLElement, private readonly video: HTMLVideoElement, title: string, signal: AbortSignal) {
    this.seekbar = new Seekbar(video);
    this.cc.hidden = true;
    this.pipButton.hidden = !document.pictureInPictureEnabled;
    for (const b of [this.cc, this.gear]) {
      b.setAttribute('aria-haspopup', 'menu');
      b.setAttribute('aria-expanded', 'false');
    }
    const row = el('div', { class: 'player-row' }, this.play, el('div', { class: 'player-sound' }, this.sound, this.level), this.time,
      el('span', { class: 'player-space' }), this.cc, this.gear, this.pipButton, this.full);
    this.nodes = [
      el('div', { class: 'player-title' }, el('span', {}, title)), el('div', { class: 'player-wait', 'aria-hidden': 'true' }), this.big,
      el('div', { class: 'player-bar' }, this.seekbar.node, row), this.menu.node,
    ];
    this.listen(signal);
    listenKeys(player, this, signal);
    listenGestures(player, video, this, () => this.menu.open && (this.menu.close(), true), signal);
    this.update();
  }

  setTracks(engine: Engine | null): void {
    this.engine = engine;
    this.tracks = engine?.tracks() ?? noTracks;
    this.cc.hidden = this.tracks.subtitles.length === 0;
    this.cc.setAttribute('aria-pressed', String(this.tracks.subtitle >= 0));
    if (this.tracks.subtitle >= 0) this.lastSubtitle = this.tracks.subtitle;
  }

  toggle(): void {
    if (this.video.paused) void this.video.play().catch(() => undefined); // refused, or ended by another load
    else this.video.pause();
  }

  seek(by: number): void {
    const { start, end } = seekable(this.video);
    this.video.currentTime = Math.min(Math.max(start, this.video.currentTime + by), end);
  }

  seekTo(share: number): void {
    const { start, end } = seekable(this.video);
    this.video.currentTime = start + share * (end - start);
  }

  volume(by: number): void {
    this.video.muted = false;
    this.video.volume = Math.min(Math.max(0, this.video.volume + by), 1);
  }

  mute(): void { this.video.muted = !this.video.muted; }

  captions(): void {
    if (this.tracks.subtitles.length > 0) this.engine?.setSubtitle(this.tracks.subtitle >= 0 ? -1 : this.lastSubtitle);
  }

  pip(): void {
    if (document.pictureInPictureElement) void document.exitPictureInPicture();
    else void this.video.requestPictureInPicture?.().catch(() => undefined); // no picture yet
  }

  speed(by: number): void {
    const next = speeds[Math.max(0, speeds.indexOf(this.video.playbackRate)) + by];
    if (next) this.video.playbackRate = next;
  }

  fullscreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (this.player.requestFullscreen) void this.player.requestFullscreen().catch(() => undefined); // an iframe may not
    else (this.video as HTMLVideoElement & { webkitEnterFullscreen?(): void }).webkitEnterFullscreen?.(); // iPhone
  }

  private subtitlePage(): Page {
    const choices = [{ id: -1, label: 'Off' }, ...this.tracks.subtitles];
    return { title: 'Subtitles', choices, chosen: this.tracks.subtitle, choose: (id) => this.engine?.setSubtitle(id) };
  }

  private settingPages(): Page[] {
    const t = this.tracks, pages: Page[] = [];
    if (t.levels.length > 1) {
      const playing = t.levels.find((l) => l.id === t.playing)?.label;
      const auto = { id: -1, label: t.level < 0 && playing ? `Auto (${playing})` : 'Auto' };
      pages.push({ title: 'Quality', choices: [auto, ...t.levels], chosen: t.level, choose: (id) => this.engine?.setLevel(id) });
    }
    if (t.audio.length > 1) pages.push({ title: 'Audio', choices: t.audio, chosen: t.audioTrack, choose: (id) => this.engine?.setAudio(id) });
    const rates = speeds.map((s) => ({ id: s, label: s === 1 ? 'Normal' : `${s} ×` }));
    pages.push({ title: 'Speed', choices: rates, chosen: this.video.playbackRate, choose: (s) => { this.video.playbackRate = s; } });
    return pages;
  }

  private listen(signal: AbortSignal): void {
    const { video } = this;
    for (const e of ['play', 'pause', 'ended', 'volumechange', 'timeupdate', 'durationchange', 'seeking', 'seeked', 'waiting', 'playing', 'canplay', 'emptied'] as const) {
      video.addEventListener(e, () => this.update(), { signal });
    }
    this.level.addEventListener('input', () => { video.volume = Number(this.level.value); video.muted = false; });
    document.addEventListener('pointerdown', (e) => {
      const at = e.target as Node; // on the picture it is a gesture's to close it, which then does nothing else
      if (at !== video && !this.menu.node.contains(at) && !this.cc.contains(at) && !this.gear.contains(at)) this.menu.close();
    }, { signal });
    document.addEventListener('fullscreenchange', () => this.update(), { signal });
  }

  private update(): void {
    const { video, player } = this;
    const { end } = seekable(video);
    const silent = video.muted || video.volume === 0, isFull = document.fullscreenElement === player;
    relabel(this.play, video.ended ? 'Play again' : video.paused ? 'Play' : 'Pause', video.ended ? icons.replay : video.paused ? icons.play : icons.pause, 'k');
    relabel(this.sound, silent ? 'Unmute' : 'Mute', silent ? icons.muted : icons.volume, 'm');
    relabel(this.full, isFull ? 'Leave full screen' : 'Full screen', isFull ? icons.leaveFull : icons.enterFull, 'f');
    this.level.value = String(silent ? 0 : video.volume);
    this.level.style.setProperty('--at', `${silent ? 0 : video.volume * 100}%`);
    this.time.textContent = video.duration === Infinity ? 'Live' : `${formatTime(video.currentTime)} / ${formatTime(end)}`;
    player.classList.toggle('paused', video.paused);
    player.classList.toggle('fresh', video.paused && video.currentTime === 0);
    player.classList.toggle('waiting', !video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !video.ended);
  }
}

function button(label: string, path: string, key: string, act: () => void): HTMLButtonElement {
  const b = el('button', { class: 'player-button', type: 'button', onclick: act });
  relabel(b, label, path, key);
  return b;
}

/** relabel changes a button's name and icon, and only where they differ: focus and tooltips stay. */
function relabel(b: HTMLButtonElement, label: string, path: string, key: string): void {
  if (b.getAttribute('aria-label') === label) return;
  b.setAttribute('aria-label', label);
  b.title = key ? `${label} (${key})` : label;
  b.replaceChildren();
  const solid = path === icons.play || path === icons.pause;
  append(b, icon(path, !solid));
}
