// All kernels as a table: what they do, how often, how long. Columns sort; a row selects.

import { type Context, type Panel, stepsOf } from './context.ts';
import { h, link, replace } from './dom.ts';
import { count, time } from './format.ts';
import type { State } from './state.ts';

interface Column {
  readonly title: string;
  readonly isNumber: boolean;
  readonly value: (kernel: number) => number | string;
  readonly text: (kernel: number) => string;
}

export function kernelsPanel({ model, store }: Context): Panel {
  const { kernels, schedules } = model.inspection;
  const { profile } = model.entry;
  const measured = kernels.map(({ steps }) =>
    steps.reduce((sum, s) => sum + (profile?.steps[s]?.ms ?? 0) * 1e6, 0),
  );
  const number = (title: string, value: (k: number) => number, text: (x: number) => string): Column => ({
    title,
    isNumber: true,
    value,
    text: (k) => text(value(k)),
  });
  const columns: readonly Column[] = [
    number('#', (k) => k, String),
    { title: 'kernel', isNumber: false, value: (k) => kernels[k]!.name, text: (k) => kernels[k]!.name },
    number('calls', (k) => kernels[k]!.calls, String),
    number('units', (k) => kernels[k]!.units, String),
    number('operations', (k) => kernels[k]!.flops, count),
    number('bytes', (k) => kernels[k]!.bytes, count),
    number('predicted', (k) => kernels[k]!.predictedNs * kernels[k]!.calls, time),
    ...(profile === null ? [] : [number('measured', (k) => measured[k]!, time)]),
    {
      title: 'loops',
      isNumber: false,
      value: (k) => kernels[k]!.schedule,
      text: (k) => kernels[k]!.schedule,
    },
  ];
  let sorted = profile === null ? 6 : 7;
  let isDown = true;
  const place = h('div', { class: 'scroll tall' });

  function build({ selection }: State): void {
    const chosen = new Set(stepsOf(model, selection).map((s) => model.inspection.steps[s]!.kernel));
    const { value } = columns[sorted]!;
    const order = kernels
      .map((_, k) => k)
      .sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        const by = typeof x === 'number' && typeof y === 'number' ? x - y : String(x) < String(y) ? -1 : 1;
        return (isDown ? -by : by) || a - b;
      });
    const head = columns.map((c, i) =>
      h(
        'th',
        {
          scope: 'col',
          class: c.isNumber ? 'number' : null,
          'aria-sort': i === sorted ? (isDown ? 'descending' : 'ascending') : null,
        },
        h(
          'button',
          {
            type: 'button',
            class: 'sort',
            onclick: () => {
              isDown = i === sorted ? !isDown : c.isNumber && i > 0;
              sorted = i;
              build(store.state);
            },
          },
          c.title,
          i === sorted ? (isDown ? ' ▾' : ' ▴') : '',
        ),
      ),
    );
    const rows = order.map((k) =>
      h(
        'tr',
        { class: chosen.has(k) ? 'chosen' : null },
        columns.map((c, i) =>
          h(
            'td',
            {
              class: c.isNumber ? 'number' : i === 1 ? 'wide' : 'loops',
              title: c.isNumber ? null : c.text(k),
            },
            i === 1 ? link(c.text(k), () => store.select('kernel', k)) : c.text(k),
          ),
        ),
      ),
    );
    const top = place.scrollTop;
    replace(
      place,
      h(
        'table',
        {},
        h('caption', { class: 'hidden' }, 'Kernels'),
        h('thead', {}, h('tr', {}, head)),
        h('tbody', {}, rows),
      ),
    );
    place.scrollTop = top;
    if (top === 0) place.querySelector('.chosen')?.scrollIntoView({ block: 'center' });
  }

  const bar = h(
    'div',
    { class: 'bar' },
    h(
      'span',
      {},
      `${kernels.length} kernels in ${model.inspection.steps.length} steps; ${schedules.length} schedules`,
    ),
    h('span', { class: 'muted' }, 'operations and bytes of one call, times of all calls on one worker'),
  );
  return { element: h('div', { class: 'panel' }, bar, place), show: build };
}
