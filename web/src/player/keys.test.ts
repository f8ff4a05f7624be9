import { expect, test, vi } from 'vitest';
import { keyAction, type Actions } from './keys.ts';

const actions = () => ({ toggle: vi.fn(), seek: vi.fn(), seekTo: vi.fn(), volume: vi.fn(), mute: vi.fn(), fullscreen: vi.fn(), captions: vi.fn(), pip: vi.fn(), speed: vi.fn() }) satisfies Actions;

test.each([
  [' ', 'toggle', []], ['k', 'toggle', []], ['ArrowLeft', 'seek', [-5]], ['ArrowRight', 'seek', [5]], ['ArrowUp', 'volume', [0.05]], ['F', 'fullscreen', []],
  ['m', 'mute', []], ['c', 'captions', []], ['i', 'pip', []], ['7', 'seekTo', [0.7]], ['>', 'speed', [1]],
] as const)('%j does %s', (key, name, args) => {
  const a = actions();
  keyAction(key, a)?.();
  expect(a[name]).toHaveBeenCalledExactlyOnceWith(...args);
});

test.each(['x', 'Tab', 'Enter', 'F5', 'Escape'])('%j is not the player’s', (key) => expect(keyAction(key, actions())).toBeNull());
