// Runs in the page: what each player does with the video element, and what the test asks for.
const wanted = new URLSearchParams(location.search);
const errors = []; // what a viewer would see, or the network did
const notes = []; // what a player mended by itself
let ended = false;

const fail = (...what) => errors.push(what.join(' '));
const video = () => document.querySelector('video');

// What hls.js calls an error and is its own doing: it ends a request when it changes its mind about a rendition, and at this
// speed it steps over the gap between the beginnings of sound and picture. Plain files cause these too.
const own = ['aborted', 'bufferSeekOverHole', 'bufferStalledError', 'bufferNudgeOnStall'];

const players = {
  'hls.js'(el, url) {
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, d) => {
      const mended = !d.fatal && own.includes(d.details);
      (mended ? notes : errors).push(`${d.type} ${d.details} fatal=${d.fatal}`);
    });
    hls.loadSource(url);
    hls.attachMedia(el);
  },
  native(el, url) {
    el.addEventListener('error', () => fail('media error', el.error.code, el.error.message));
    el.src = url;
  },
  async shaka(el, url) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    player.addEventListener('error', e => fail('shaka', e.detail.code));
    await player.attach(el);
    await player.load(url).catch(e => fail('shaka', e.code, e.message));
  },
  'video.js'(el, url) {
    const player = videojs(el, { html5: { vhs: { overrideNative: true }, nativeAudioTracks: false, nativeVideoTracks: false } });
    player.on('error', () => fail('video.js', player.error().message));
    player.src({ src: url, type: url.endsWith('.mpd') ? 'application/dash+xml' : 'application/x-mpegURL' });
  },
  'dash.js'(el, url) {
    const player = dashjs.MediaPlayer().create();
    player.updateSettings({ debug: { logLevel: 0 } });
    player.on('error', e => fail('dash.js', JSON.stringify(e.error?.message ?? e.error)));
    player.initialize(el, url, true);
  },
};

// Players may put another element in the place of ours: events are taken where they pass the document.
const faster = () => { video().playbackRate = 4; };
document.addEventListener('playing', faster, true);
document.addEventListener('loadedmetadata', () => { faster(); video().play().catch(e => fail('play', e)); }, true);
document.addEventListener('ended', () => { ended = true; }, true);
addEventListener('error', e => fail(e.message));
addEventListener('unhandledrejection', e => fail(e.reason));

window.state = () => ({ ended, errors, notes, frames: video().getVideoPlaybackQuality().totalVideoFrames, width: video().videoWidth });
players[wanted.get('player')](video(), wanted.get('url'));
