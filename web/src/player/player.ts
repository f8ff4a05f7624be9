// The player: a <video>, an engine, and controls of its own.
import { entryURL, type ArchiveInfo } from '../api.ts';
import { el, icon } from '../dom.ts';
import { titleOf } from '../format.ts';
import * as icons from '../icons.ts';
import { asProblem, lasting, Problem } from '../problems.ts';
import { parseThumbnails } from '../thumbnails.ts';
import { Controls } from './controls.ts';
import { start, type Engine } from './engine.ts';

const maxThumbnailTrack = 2 << 20; // bytes

export class Player {
  readonly video = el('video', { class: 'player-video', playsinline: true, preload: 'metadata', tabindex: -1 });
  private readonly message = el('div', { class: 'player-message', role: 'alert', hidden: true });
  readonly node: HTMLElement;
  private readonly controls: Controls;
  private engine: Engine | null = null;
  private readonly life = new AbortController();

  constructor(private readonly info: ArchiveInfo) {
    const title = titleOf(info.name);
    this.node = el('section', { class: 'player', 'aria-label': `Player: ${title}` }, this.video);
    this.controls = new Controls(this.node, this.video, title, this.life.signal);
    this.node.append(...this.controls.nodes, this.message);
    if (info.poster) this.video.poster = entryURL(info, info.poster);
    void this.load();
    void this.loadThumbnails();
  }

  destroy(): void {
    this.life.abort();
    this.engine?.destroy();
    this.engine = null;
    if (document.fullscreenElement === this.node) void document.exitFullscreen();
  }

  private async load(): Promise<void> {
    const { info, life } = this;
    this.message.hidden = true;
    this.node.classList.remove('failed');
    this.node.classList.toggle('unplayable', !info.playable);
    if (!info.playable || !info.kind) return this.fail(new Problem('not-found-playlist', 404, ''));
    const events = { changed: () => this.controls.setTracks(this.engine), failed: (p: Problem) => this.fail(p) };
    try {
      const engine = await start(this.video, entryURL(info, info.playlist), info.kind, events);
      if (life.signal.aborted) return engine.destroy();
      this.engine = engine;
      events.changed();
    } catch (err) {
      this.fail(asProblem(err));
    }
  }

  private fail(p: Problem): void {
    if (this.life.signal.aborted) return;
    const again = () => {
      this.engine?.destroy();
      this.engine = null;
      void this.load();
    };
    this.node.classList.add('failed');
    this.message.replaceChildren(
      el('p', { class: 'player-message-text' }, p.message),
      el('p', { class: 'player-message-code' }, [p.code, p.detail].filter(Boolean).join(' · ')),
      lasting(p) ? '' : el('button', { class: 'button', type: 'button', onclick: again }, icon(icons.replay), 'Try again'),
    );
    this.message.hidden = false;
  }

  /** loadThumbnails is a comfort: when it fails, the seek bar shows times only. */
  private async loadThumbnails(): Promise<void> {
    if (!this.info.thumbnails) return;
    const url = entryURL(this.info, this.info.thumbnails);
    try {
      const res = await fetch(url, { signal: this.life.signal });
      if (!res.ok || Number(res.headers.get('Content-Length') ?? 0) > maxThumbnailTrack) return;
      this.controls.seekbar.setThumbnails(parseThumbnails(await res.text(), url));
    } catch {
      // no thumbnails, then
    }
  }
}
