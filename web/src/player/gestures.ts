// Pointer and touch on the picture itself, and hiding the controls when nobody moves.
import type { Actions } from './keys.ts';

const idleAfter = 2600; // ms
const doubleTap = 300; // ms

/** listenGestures: click plays and pauses, double click fills the screen; a tap shows or hides the controls, a double
 * tap on the left or right third seeks. dismiss closes what is open, and says whether anything was. */
export function listenGestures(player: HTMLElement, video: HTMLVideoElement, actions: Actions, dismiss: () => boolean, signal: AbortSignal): void {
  let timer = 0, lastTap = 0;
  const wake = () => {
    player.classList.remove('idle');
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (!video.paused && !player.querySelector('.menu:not([hidden])') && !player.querySelector(':focus-visible')) player.classList.add('idle');
    }, idleAfter);
  };
  const tap = (e: PointerEvent) => {
    const box = player.getBoundingClientRect(), at = (e.clientX - box.left) / box.width;
    if (e.timeStamp - lastTap < doubleTap && (at < 1 / 3 || at > 2 / 3)) actions.seek(at < 0.5 ? -10 : 10);
    else if (player.classList.contains('idle')) wake();
    else if (!video.paused) player.classList.add('idle');
    lastTap = e.timeStamp;
  };
  video.addEventListener('pointerup', (e) => {
    if (e.button !== 0 || dismiss()) return;
    if (e.pointerType === 'touch') tap(e);
    else actions.toggle();
  }, { signal });
  video.addEventListener('dblclick', () => actions.fullscreen(), { signal });
  player.addEventListener('pointermove', (e) => { if (e.pointerType !== 'touch') wake(); }, { signal });
  player.addEventListener('pointerleave', () => { if (!video.paused) player.classList.add('idle'); }, { signal });
  for (const e of ['keydown', 'focusin'] as const) player.addEventListener(e, wake, { signal });
  for (const e of ['play', 'pause'] as const) video.addEventListener(e, wake, { signal });
  signal.addEventListener('abort', () => clearTimeout(timer));
}
