// Help: what the panels show and what the keys do.

import { h } from './dom.ts';

const shown: readonly (readonly [string, string])[] = [
  [
    'graph',
    'What the net computes. Scopes fold; forward runs down, backward up beside it. A dashed box is what one kernel computes.',
  ],
  [
    'memory',
    'Which buffer lies where and when. The dashed line is the lower bound, the marked step is the peak.',
  ],
  [
    'schedule',
    'Who runs what when. Red is waiting; an edge on top marks the worker that the others wait for.',
  ],
  ['roofline', 'How fast kernels are against what limits them: memory at the left, arithmetic at the right.'],
  ['kernels', 'All kernels, to be sorted. Select one for its loops and its code.'],
  ['passes', 'What each pass of the compiler changed.'],
];

const keys: readonly (readonly [string, string])[] = [
  ['/', 'search'],
  ['1 … 6', 'panels'],
  ['Tab', 'next control; the picture and the list of scopes are controls, too'],
  ['← → ↑ ↓', 'move the picture; in the list of scopes: move, open, fold'],
  ['+  −  0', 'larger, smaller, all of it'],
  ['Enter', 'select or open'],
  ['Esc', 'select nothing'],
  ['?', 'this'],
];

export function helpDialog(): HTMLDialogElement {
  const list = (rows: readonly (readonly [string, string])[], tag: 'b' | 'kbd'): HTMLElement =>
    h(
      'dl',
      {},
      rows.map(([key, text]) => [h('dt', {}, h(tag, {}, key)), h('dd', {}, text)]),
    );
  return h(
    'dialog',
    { 'aria-label': 'Help' },
    h('h2', {}, 'What is to be seen'),
    list(shown, 'b'),
    h('h2', {}, 'Keys'),
    list(keys, 'kbd'),
    h(
      'p',
      { class: 'muted' },
      'Drag to move, turn the wheel to scale, click a scope to open it and its heading to fold it. Every picture has a table or a list beside it that says the same.',
    ),
    h('form', { method: 'dialog' }, h('button', {}, 'close')),
  );
}
