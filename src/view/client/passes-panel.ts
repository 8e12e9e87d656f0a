// What each pass did to the graph: the two texts side by side, what changed and a little around it.

import type { InspectedPass } from '../../../compiler/dump/inspection.ts';
import type { Context, Panel } from './context.ts';
import { h, replace } from './dom.ts';
import type { State } from './state.ts';

/** Rows that are shown at once; a button shows as many again. */
const page = 400;

export function passesPanel({ model, store }: Context): Panel {
  const { passes } = model.inspection;
  const list = h('div', {
    class: 'passes',
    role: 'tablist',
    'aria-orientation': 'vertical',
    'aria-label': 'Passes',
  });
  const rows = h('div', { class: 'scroll tall' });
  const title = h('div', { class: 'bar' });

  function show({ pass }: State): void {
    const chosen = passes.find((p) => p.name === pass) ?? passes.find((p) => p.rows.length > 0) ?? passes[0];
    replace(
      list,
      passes.map((p) => button(p, p === chosen)),
    );
    if (chosen === undefined) return;
    const { nodesBefore, nodesAfter, removed, added, changed, doc } = chosen;
    replace(
      title,
      h('b', {}, chosen.name),
      h('span', {}, doc),
      h(
        'span',
        { class: 'muted' },
        chosen.rows.length === 0
          ? `${nodesBefore} nodes, nothing to do`
          : `${nodesBefore} → ${nodesAfter} nodes: ${removed} removed, ${added} added, ${changed} changed`,
      ),
    );
    fill(chosen, page);
  }

  function button(p: InspectedPass, isChosen: boolean): HTMLElement {
    const what = p.rows.length === 0 ? 'nothing to do' : `−${p.removed} +${p.added} ~${p.changed}`;
    return h(
      'button',
      {
        type: 'button',
        role: 'tab',
        'aria-selected': String(isChosen),
        class: `pass${p.rows.length === 0 ? ' idle' : ''}`,
        onclick: () => store.set({ pass: p.name, selection: null }),
      },
      h('span', {}, p.name),
      h('span', { class: 'note' }, what),
    );
  }

  function fill(p: InspectedPass, most: number): void {
    const shown = p.rows.slice(0, most);
    const cells = shown.map(({ kind, before, after }) => {
      if (kind === 'skipped')
        return h('tr', { class: 'skipped' }, h('td', { colspan: 2 }, `… ${before} nodes unchanged`));
      return h('tr', { class: kind }, h('td', {}, before ?? ''), h('td', {}, after ?? ''));
    });
    const more = p.rows.length - shown.length;
    replace(
      rows,
      p.rows.length === 0
        ? h('p', { class: 'empty' }, 'This pass found nothing to change.')
        : h(
            'table',
            { class: 'diff' },
            h('caption', { class: 'hidden' }, `What ${p.name} changed`),
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', { scope: 'col' }, `before ${p.name}`),
                h('th', { scope: 'col' }, `after ${p.name}`),
              ),
            ),
            h('tbody', {}, cells),
          ),
      more > 0
        ? h(
            'button',
            { type: 'button', class: 'more', onclick: () => fill(p, most + 4 * page) },
            `${more} more rows`,
          )
        : null,
    );
  }

  const element = h(
    'div',
    { class: 'panel' },
    h('div', { class: 'split' }, list, h('div', { class: 'column' }, title, rows)),
  );
  return { element, show };
}
