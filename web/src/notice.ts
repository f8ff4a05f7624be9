// What stands in a view's place when it cannot be shown.
import { el, icon } from './dom.ts';
import * as icons from './icons.ts';
import { lasting, type Problem } from './problems.ts';

/** problemNotice tells a problem, and offers to try again where that may help. */
export function problemNotice(title: string, p: Problem, again: () => void): HTMLElement {
  return el('div', { class: 'notice', role: 'alert' }, el('h1', {}, title), el('p', {}, p.message),
    el('p', { class: 'notice-code' }, [p.code, p.detail].filter(Boolean).join(' · ')),
    lasting(p) ? null : el('button', { class: 'button', type: 'button', onclick: again }, icon(icons.replay), 'Try again'));
}
