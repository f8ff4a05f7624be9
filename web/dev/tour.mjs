// A tour of the page in a real browser against a running gateway: it plays, presses every key, and takes pictures.
//   npm run tour -- http://127.0.0.1:8080/ films/aurora.zip /tmp/pictures
// Exits 1 when something is not as it should be. CHROMIUM names the browser; /usr/bin/chromium without.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [gateway = 'http://127.0.0.1:8080/', title = 'local/aurora.zip', folder = 'tour'] = process.argv.slice(2);
const sizes = { desktop: { width: 1280, height: 860 }, phone: { width: 360, height: 740 } };
const faults = [];
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});

function expect(what, ok) {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}`);
  if (!ok) faults.push(what);
}

async function open(path, size, colorScheme, more = {}) {
  const context = await browser.newContext({ viewport: sizes[size], colorScheme, hasTouch: size === 'phone', isMobile: size === 'phone', ...more });
  const page = await context.newPage();
  page.on('console', (m) => { if (m.type() === 'error') expect(`no error on the console: ${m.text()}`, false); });
  page.on('pageerror', (e) => expect(`no exception: ${e.message}`, false));
  await page.goto(new URL(path, gateway).href);
  return page;
}

const shot = (page, name, fullPage = false) => page.screenshot({ path: join(folder, `${name}.png`), fullPage });
const video = (page, read) => page.evaluate(`(() => { const v = document.querySelector('video'); return ${read}; })()`);
const until = async (page, what, condition) => {
  const deadline = Date.now() + 15_000; // asked from here: the page's policy lets no string become a script in it
  while (!(await video(page, condition)) && Date.now() < deadline) await page.waitForTimeout(50);
  expect(what, await video(page, condition));
};
const fits = async (page, name) => expect(`${name} fits its width`, await page.evaluate('document.documentElement.scrollWidth <= innerWidth'));

async function play(page) {
  await page.locator('.player-big').click();
  await video(page, 'v.muted = true');
  await until(page, 'it plays', 'v.currentTime > 1');
}

async function library(size, scheme) {
  const page = await open('', size, scheme);
  await page.locator('.card').first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(700); // posters fade in
  await fits(page, 'library');
  await shot(page, `library-${size}-${scheme}`);
  await page.keyboard.press('/');
  await page.keyboard.type('zzzz no such title');
  expect('a search that finds nothing shows nothing', (await page.locator('.card:visible').count()) === 0);
  await page.context().close();
}

async function keys(page) {
  await page.keyboard.press(' ');
  await until(page, 'space pauses', 'v.paused');
  await page.keyboard.press('k');
  await until(page, 'k plays', '!v.paused');
  await page.keyboard.press('ArrowRight');
  await until(page, 'the right arrow seeks', 'v.currentTime > 5.5');
  await page.keyboard.press('m');
  await until(page, 'm gives sound', '!v.muted');
  await page.keyboard.press('m');
  await page.keyboard.press('f');
  await until(page, 'f fills the screen', 'document.fullscreenElement !== null');
  await page.keyboard.press('f');
  await until(page, 'f leaves it', 'document.fullscreenElement === null');
  if (await page.getByRole('button', { name: 'Subtitles' }).isVisible()) {
    await page.keyboard.press('c');
    await until(page, 'c shows subtitles', "[...v.textTracks].some((t) => t.mode === 'showing' && t.cues?.length > 0)");
  }
}

async function menus(page) {
  await page.getByRole('button', { name: 'Settings' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitemradio', { name: '1.5 ×' }).click();
  await until(page, 'the menu sets the speed', 'v.playbackRate === 1.5');
  expect('the menu closes', !(await page.locator('.menu').isVisible()));
}

async function details(page) {
  expect('reads of storage or hits are counted', await page.locator('.numbers dd').nth(2).textContent() !== '0 B');
  const rows = page.locator('.entries tbody tr');
  await page.getByLabel('Filter entries by name').fill('.m3u8');
  await until(page, 'the filter filters', "[...document.querySelectorAll('.entries tbody td:first-child')].every((d) => d.textContent.includes('.m3u8'))");
  expect('the filter finds playlists', (await rows.count()) > 0);
  await page.getByLabel('Filter entries by name').fill('');
}

async function titlePage(size, scheme, thorough) {
  const page = await open(`#/${title}`, size, scheme);
  await play(page);
  if (thorough) {
    await keys(page);
    await menus(page);
    await details(page);
  }
  await page.evaluate('scrollTo(0, 0)');
  const bar = await page.locator('.seek').boundingBox();
  if (size === 'desktop') await page.mouse.move(bar.x + bar.width * 0.6, bar.y + bar.height / 2);
  await page.waitForTimeout(600); // thumbnails come
  await fits(page, 'title');
  await shot(page, `title-${size}-${scheme}`);
  await shot(page, `title-${size}-${scheme}-full`, true);
  await page.context().close();
}

async function embed() {
  const page = await open(`embed/${title}`, 'desktop', 'dark');
  await play(page);
  const [w, h] = await page.evaluate("(() => { const b = document.querySelector('.player').getBoundingClientRect(); return [b.width, b.height]; })()");
  expect('the embedded player fills its frame', w === sizes.desktop.width && h === sizes.desktop.height);
  await shot(page, 'embed');
  await page.context().close();
}

try {
  await titlePage('desktop', 'dark', true);
  await titlePage('desktop', 'light', false);
  await titlePage('phone', 'dark', false);
  for (const [size, scheme] of [['desktop', 'dark'], ['desktop', 'light'], ['phone', 'dark']]) await library(size, scheme);
  await embed();
} finally {
  await browser.close();
}
process.exitCode = faults.length ? 1 : 0;
