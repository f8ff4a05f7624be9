// The player's keys. They work while the focus is in the player, and on the rest of the page where nothing else
// wants them.

export interface Actions {
  toggle(): void;
  seek(seconds: number): void; // by
  seekTo(share: number): void; // 0…1
  volume(by: number): void; // 0…1
  mute(): void;
  fullscreen(): void;
  captions(): void;
  pip(): void;
  speed(by: number): void;
}

/** keyAction is what a key does, or null. Pure. */
export function keyAction(key: string, a: Actions): (() => void) | null {
  if (/^[0-9]$/.test(key)) return () => a.seekTo(Number(key) / 10);
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case ' ': case 'k': return () => a.toggle();
    case 'ArrowLeft': return () => a.seek(-5);
    case 'ArrowRight': return () => a.seek(5);
    case 'j': return () => a.seek(-10);
    case 'l': return () => a.seek(10);
    case 'Home': return () => a.seekTo(0);
    case 'End': return () => a.seekTo(1);
    case 'ArrowUp': return () => a.volume(0.05);
    case 'ArrowDown': return () => a.volume(-0.05);
    case 'm': return () => a.mute();
    case 'f': return () => a.fullscreen();
    case 'c': return () => a.captions();
    case 'i': return () => a.pip();
    case '<': return () => a.speed(-1);
    case '>': return () => a.speed(1);
    default: return null;
  }
}

const scrolling = ['ArrowUp', 'ArrowDown', 'Home', 'End']; // the page's, outside of the player

/** listenKeys binds them for as long as signal lasts. */
export function listenKeys(player: HTMLElement, actions: Actions, signal: AbortSignal): void {
  document.addEventListener('keydown', (e) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
    const target = e.target instanceof Element ? e.target : document.body;
    if (target.closest('input:not([type=range]), textarea, select, [contenteditable]')) return;
    const inside = player.contains(target);
    if (!inside && (target.closest('a, button, input, [tabindex="0"]') || scrolling.includes(e.key))) return;
    if (e.key === ' ' && target.closest('button, a')) return; // presses it
    if (target.closest('input[type=range]') && e.key.startsWith('Arrow')) return;
    const act = keyAction(e.key, actions);
    if (!act) return;
    e.preventDefault();
    act();
  }, { signal });
}
