// Plays URLs to their end in one headless Chromium, with the player that each case names, and prints a line of JSON for each:
// {player, url, ms, ended, frames, width, errors, notes}. Cases come as JSON lines {player, url} on standard input;
// the argument says how many are played at once.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const limit = 40_000; // ms for one case
const tabs = Number(process.argv[2] ?? 3); // played at once

const scripts = {
  '/players.js': 'players.js',
  '/hls.js': 'node_modules/hls.js/dist/hls.min.js',
  '/shaka': 'node_modules/shaka-player/dist/shaka-player.compiled.js',
  '/video.js': 'node_modules/video.js/dist/video.min.js',
  '/dash.js': 'node_modules/dashjs/dist/modern/umd/dash.all.min.js',
};

const page = player => `<!doctype html><meta charset="utf-8"><video muted playsinline width="640" height="360"></video>
${`/${player}` in scripts ? `<script src="/${player}"></script>` : ''}<script src="/players.js"></script>`;

// serve answers the page and its scripts on a free port of the loopback.
async function serve() {
  const server = createServer(async (req, res) => {
    const at = new URL(req.url, 'http://localhost');
    const file = scripts[at.pathname];
    if (file) {
      res.setHeader('content-type', 'text/javascript');
      res.end(await readFile(fileURLToPath(new URL(file, import.meta.url))));
    } else if (at.pathname === '/') {
      res.setHeader('content-type', 'text/html');
      res.end(page(at.searchParams.get('player')));
    } else {
      res.writeHead(404).end();
    }
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  return server;
}

// play plays one case to its end, or to the first error, in a profile of its own.
async function play(browser, home, { player, url }) {
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`${home}?${new URLSearchParams({ player, url })}`);
  const began = Date.now();
  let state;
  do {
    await new Promise(done => setTimeout(done, 100));
    state = await tab.evaluate(() => window.state());
  } while (!state.ended && !state.errors.length && Date.now() - began < limit);
  await context.close();
  return { player, url, ms: Date.now() - began, ...state };
}

const cases = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) cases.push(JSON.parse(line));
}
const server = await serve();
const home = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
await Promise.all(Array.from({ length: tabs }, async () => {
  for (let c = cases.shift(); c; c = cases.shift()) console.log(JSON.stringify(await play(browser, home, c)));
}));
await browser.close();
server.close();
