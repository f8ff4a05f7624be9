// Plays URLs to their end in one headless Chromium, with the player that each case names, and prints a line of JSON for each:
// {player, url, ended, frames, width, errors}. Cases come as JSON lines {player, url} on standard input.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const libraries = {
  '/hls.js': 'hls.js/dist/hls.min.js',
  '/shaka.js': 'shaka-player/dist/shaka-player.compiled.js',
  '/video.js': 'video.js/dist/video.min.js',
  '/dash.js': 'dashjs/dist/modern/umd/dash.all.min.js',
};

// What each player does with the video element; `fail` takes a fatal error.
const players = {
  'hls.js': ['/hls.js', `const h = new Hls(); /* small holes that it seeks over at this speed, and requests that it ends itself, are no faults */ h.on(Hls.Events.ERROR, (_, d) => { if (d.fatal || d.type === Hls.ErrorTypes.NETWORK_ERROR && d.details !== 'aborted') fail(d.type + ' ' + d.details + ' fatal'); }); h.loadSource(url); h.attachMedia(video);`],
  native: ['', `video.addEventListener('error', () => fail('media error ' + video.error.code + ' ' + video.error.message)); video.src = url;`],
  shaka: ['/shaka.js', `shaka.polyfill.installAll(); const p = new shaka.Player(); p.addEventListener('error', e => fail('shaka ' + e.detail.code)); p.attach(video).then(() => p.load(url)).catch(e => fail('shaka ' + e.code + ' ' + e.message));`],
  'video.js': ['/video.js', `const p = videojs(video, { html5: { vhs: { overrideNative: true }, nativeAudioTracks: false, nativeVideoTracks: false } }); p.on('error', () => fail('video.js ' + p.error().message)); p.src({ src: url, type: url.endsWith('.mpd') ? 'application/dash+xml' : 'application/x-mpegURL' });`],
  'dash.js': ['/dash.js', `const p = dashjs.MediaPlayer().create(); p.updateSettings({ debug: { logLevel: 0 } }); p.on('error', e => fail('dash.js ' + JSON.stringify(e.error && e.error.message || e.error))); p.initialize(video, url, true);`],
};

const page = (player, url) => `<!doctype html><meta charset="utf-8"><body><video id="v" muted playsinline width="640" height="360"></video>
${players[player][0] ? `<script src="${players[player][0]}"></script>` : ''}
<script>
const url = ${JSON.stringify(url)}, errors = [], fail = e => errors.push(String(e));
let video = document.getElementById('v'), ended = false;
const el = () => document.querySelector('video');
addEventListener('error', e => fail(e.message));
document.addEventListener('ended', () => { ended = true; }, true);
document.addEventListener('loadedmetadata', () => { const v = el(); v.playbackRate = 4; v.play().catch(e => fail(e)); }, true);
document.addEventListener('playing', () => { el().playbackRate = 4; }, true);
${players[player][1]}
window.state = () => ({ ended, errors, frames: el().getVideoPlaybackQuality().totalVideoFrames, width: el().videoWidth });
</script>`;

const server = createServer(async (req, res) => {
  const at = new URL(req.url, 'http://localhost');
  try {
    if (libraries[at.pathname]) {
      res.setHeader('content-type', 'text/javascript');
      res.end(await readFile(fileURLToPath(new URL('node_modules/' + libraries[at.pathname], import.meta.url))));
    } else if (at.pathname === '/play') {
      res.setHeader('content-type', 'text/html');
      res.end(page(at.searchParams.get('player'), at.searchParams.get('url')));
    } else {
      res.statusCode = 404;
      res.end();
    }
  } catch (e) {
    res.statusCode = 500;
    res.end(String(e));
  }
});
await new Promise(done => server.listen(0, '127.0.0.1', done));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
const until = 40_000;
for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const { player, url } = JSON.parse(line);
  const context = await browser.newContext();
  const tab = await context.newPage();
  const crashed = [];
  tab.on('pageerror', e => crashed.push(String(e)));
  await tab.goto(`http://127.0.0.1:${server.address().port}/play?player=${player}&url=${encodeURIComponent(url)}`);
  const began = Date.now();
  let state;
  do {
    await new Promise(done => setTimeout(done, 100));
    state = await tab.evaluate(() => window.state());
  } while (!state.ended && !state.errors.some(e => /fatal|error/.test(e)) && Date.now() - began < until);
  state.errors.push(...crashed);
  console.log(JSON.stringify({ player, url, ms: Date.now() - began, ...state }));
  await context.close();
}
await browser.close();
server.close();
