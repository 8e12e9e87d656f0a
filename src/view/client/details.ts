// The panel at the right: all that is known about what is selected, with links to what it belongs to.

import { h, link, replace } from './dom.ts';
import { bytes, count, percent, place, time } from './format.ts';
import type { EntryModel } from './model.ts';
import type { PanelName, Selection, Store } from './state.ts';

type Row = readonly [title: string, value: HTMLElement | string | readonly (HTMLElement | string)[]];

/** Links that are listed before the rest is only counted. */
const most = 24;

export function details(element: HTMLElement, model: EntryModel, store: Store): void {
  const { selection } = store.state;
  const found = selection === null ? null : describe(model, store, selection);
  if (found === null) {
    replace(
      element,
      h('h2', {}, 'Nothing selected'),
      h('p', { class: 'muted' }, 'Click a node, a buffer, a span or a point. Press / to search, ? for help.'),
      summary(model, store),
      model.entry.fusion === null ? null : fold('why values share a kernel, or not', model.entry.fusion),
    );
    return;
  }
  replace(element, found);
  element.scrollTop = 0;
}

function describe(model: EntryModel, store: Store, { kind, id }: Selection): HTMLElement[] | null {
  switch (kind) {
    case 'node':
      return model.inspection.graph.nodes[id] === undefined ? null : nodeDetails(model, store, id, 'node');
    case 'declared':
      return model.inspection.source.nodes[id] === undefined
        ? null
        : nodeDetails(model, store, id, 'declared');
    case 'step':
      return model.inspection.steps[id] === undefined ? null : stepDetails(model, store, id);
    case 'kernel':
      return model.inspection.kernels[id] === undefined ? null : kernelDetails(model, store, id);
    case 'buffer':
      return model.inspection.buffers[id] === undefined ? null : bufferDetails(model, store, id);
    default:
      return kind satisfies never;
  }
}

function summary(model: EntryModel, store: Store): HTMLElement {
  const { steps, kernels, memory, graph, target, manifest, schedules } = model.inspection;
  const best = schedules.at(-1);
  const go = (panel: PanelName, text: string): HTMLElement => link(text, () => store.set({ panel }));
  return rows([
    ['graph', go('graph', `${graph.nodes.length} nodes`)],
    ['plan', go('schedule', `${steps.length} steps`)],
    ['kernels', go('kernels', `${kernels.length}`)],
    ['arena', go('memory', bytes(memory.arenaBytes))],
    ['target', `${target}${manifest.features.length > 0 ? ` (${manifest.features.join(', ')})` : ''}`],
    ...(best === undefined
      ? []
      : [['predicted', `${time(best.predictedNs)} on ${best.workers} workers`] as Row]),
    ...(model.entry.profile === null
      ? []
      : [['measured', `${time(model.entry.profile.totals.wallMs * 1e6)} from call to outputs`] as Row]),
  ]);
}

/** Of the compiled graph, with the kernels that compute it, or of the declared one. */
function nodeDetails(model: EntryModel, store: Store, id: number, kind: 'node' | 'declared'): HTMLElement[] {
  const { inspection } = model;
  const of = kind === 'node' ? model.compiled : model.source;
  const n = of.graph.nodes[id]!;
  const op = inspection.ops[n.op];
  const part = of.parts[id]!;
  const outputs = of.graph.outputs.filter((o) => o.node === id).map((o) => `output '${o.name}'`);
  const updates = of.graph.updates.filter((u) => u.value === id).map((u) => u.variable);
  return [
    title(kind === 'node' ? `node %${id}` : `declared node %${id}`, n.name, `part-${part}`),
    ...(op === undefined ? [] : [h('p', {}, op.summary), h('pre', { class: 'formula' }, op.formula)]),
    rows([
      ['op', op === undefined ? n.op : `${n.op} (${op.family})`],
      ['type', n.type],
      ...(op === undefined ? [] : [['rule', op.types] as Row]),
      ...Object.entries(n.attrs).map(([key, value]): Row => [key, value]),
      ['size', bytes(n.bytes)],
      ['operations', count(n.flops)],
      ['written at', h('span', { title: n.loc }, n.loc === null ? '–' : place(n.loc))],
      ['reads', nodes(model, store, n.operands, kind)],
      ['read by', nodes(model, store, of.readers[id]!, kind)],
      ...(outputs.length > 0 ? [['is', outputs.join(', ')] as Row] : []),
      ...(updates.length > 0 ? [['new value of', nodes(model, store, updates, kind)] as Row] : []),
      [part === 'backward' ? 'gradient of' : 'gradient', nodes(model, store, of.gradients[id]!, kind)],
      ...(kind === 'declared'
        ? []
        : ([
            ['computed by', steps(model, store, of.steps[id]!)],
            ['lies in', of.buffers[id]!.map((b) => bufferLink(model, store, b))],
          ] as Row[])),
    ]),
    ...code(model, [...new Set(of.steps[id]!.map((s) => inspection.steps[s]!.kernel))].slice(0, 1)),
    ...n.regions.map((r) => fold('region', r)),
  ];
}

function stepDetails(model: EntryModel, store: Store, id: number): HTMLElement[] {
  const { inspection, entry, stepParts, compiled } = model;
  const s = inspection.steps[id]!;
  const k = inspection.kernels[s.kernel]!;
  const measured = entry.profile?.steps[id];
  const args = (access: 'read' | 'write'): HTMLElement[] =>
    s.args.flatMap((b, p) => (k.params[p]?.access === access ? [bufferLink(model, store, b)] : []));
  return [
    title(`step ${id}`, s.label, `part-${stepParts[id]}`),
    rows([
      ['kernel', link(`${s.kernel}: ${k.name}`, () => store.select('kernel', s.kernel))],
      [
        'see',
        [
          link('in the schedule', () => store.set({ panel: 'schedule' })),
          ' · ',
          link('in memory', () => store.set({ panel: 'memory' })),
          ' · ',
          link('in the graph', () => store.set({ panel: 'graph' })),
        ],
      ],
      ['units', String(k.units)],
      ['predicted', `${time(s.predictedNs)} on one worker`],
      ...(measured === undefined
        ? []
        : ([
            ['measured', `${time(measured.ms * 1e6)} (${percent(measured.share)} of kernel time)`],
            [
              'rate',
              `${measured.gflops?.toFixed(1) ?? '–'} GFLOP/s, ${measured.gbps?.toFixed(1) ?? '–'} GB/s`,
            ],
            ['waits after it', time(measured.waitMs * 1e6)],
          ] as Row[])),
      ...(s.isCopy ? [['again', 'computes a second time what was not kept'] as Row] : []),
      ['reads', args('read')],
      ['writes', args('write')],
      ['waits for', waitsFor(model, store, id)],
      [
        'made of',
        nodes(
          model,
          store,
          s.nodes.filter((n) => compiled.graph.nodes[n]!.op !== 'constant'),
        ),
      ],
    ]),
    ...code(model, [s.kernel]),
  ];
}

/** Steps before it that write what it reads. */
function waitsFor(model: EntryModel, store: Store, id: number): HTMLElement[] {
  const { steps: list, kernels } = model.inspection;
  const reads = (s: number, access: string): number[] =>
    list[s]!.args.filter((_, p) => kernels[list[s]!.kernel]!.params[p]?.access === access);
  const wanted = new Set(reads(id, 'read'));
  const found = new Map<number, number>();
  for (let s = 0; s < id; s++) for (const b of reads(s, 'write')) if (wanted.has(b)) found.set(b, s);
  return [...new Set(found.values())].sort((a, b) => a - b).map((s) => stepLink(model, store, s));
}

function kernelDetails(model: EntryModel, store: Store, id: number): HTMLElement[] {
  const { inspection, entry, compiled } = model;
  const k = inspection.kernels[id]!;
  const own = [...new Set(k.steps.flatMap((s) => inspection.steps[s]!.nodes))].filter(
    (n) => compiled.graph.nodes[n]!.op !== 'constant',
  );
  const ms = k.steps.reduce((sum, s) => sum + (entry.profile?.steps[s]?.ms ?? 0), 0);
  return [
    title(`kernel ${id}`, k.name, `part-${model.stepParts[k.steps[0]!]}`),
    rows([
      ['loops', k.schedule],
      ...(k.tile === null ? [] : [['tile', `${k.tile[0]} × ${k.tile[1]} accumulators`] as Row]),
      ['units', String(k.units)],
      ['operations', `${count(k.flops)} in a call`],
      ['bytes', `${count(k.bytes)} in a call`],
      ['intensity', k.bytes === 0 ? '–' : `${(k.flops / k.bytes).toFixed(2)} operations per byte`],
      ['predicted', `${time(k.predictedNs)} a call, ${time(k.predictedNs * k.calls)} in all`],
      ...(entry.profile === null ? [] : [['measured', `${time(ms * 1e6)} in all`] as Row]),
      [
        'parameters',
        k.params.map((p) =>
          h('div', {}, `${p.access === 'read' ? '←' : '→'} ${p.name}: ${count(p.elements)} elements`),
        ),
      ],
      ['called by', steps(model, store, k.steps)],
      ['made of', nodes(model, store, own)],
    ]),
    ...code(model, [id], true),
  ];
}

function bufferDetails(model: EntryModel, store: Store, id: number): HTMLElement[] {
  const { inspection } = model;
  const b = inspection.buffers[id]!;
  const { kernels, steps: list } = inspection;
  const touching = (access: string): number[] =>
    list.flatMap((s, i) =>
      s.args.some((a, p) => a === id && kernels[s.kernel]!.params[p]?.access === access) ? [i] : [],
    );
  const step = (s: number | null): string | HTMLElement =>
    s === null
      ? '–'
      : s < 0
        ? 'before the first step'
        : s >= list.length
          ? 'read out after the last step'
          : stepLink(model, store, s);
  return [
    title('buffer', b.name, 'part-leaf'),
    rows([
      ['type', b.type],
      [
        'in memory',
        b.order.every((d, i) => d === i) ? 'row-major' : `dimensions in the order ${b.order.join(', ')}`,
      ],
      ['size', bytes(b.bytes)],
      ['kind', `${b.home}${b.isCopy ? ', computed again' : ''}`],
      ...(b.offset === null
        ? []
        : ([
            ['lies at', `${b.offset} (${bytes(b.offset)})`],
            ['from', step(b.from)],
            ['to', step(b.to)],
          ] as Row[])),
      ['see', link('in memory', () => store.set({ panel: 'memory' }))],
      ['written by', steps(model, store, touching('write'))],
      ['read by', steps(model, store, touching('read'))],
      ...(b.node === null ? [] : [['value', nodes(model, store, [b.node])] as Row]),
    ]),
  ];
}

function title(kind: string, name: string, className: string): HTMLElement {
  return h('h2', { class: className }, h('span', { class: 'kind' }, kind), name);
}

function rows(list: readonly Row[]): HTMLElement {
  return h(
    'dl',
    {},
    list.map(([key, value]) => [
      h('dt', {}, key),
      h('dd', {}, Array.isArray(value) ? (value.length === 0 ? '–' : value) : (value as string)),
    ]),
  );
}

function cut<T>(list: readonly T[], make: (x: T) => HTMLElement): (HTMLElement | string)[] {
  const shown = list.slice(0, most).map(make);
  return list.length > most
    ? [...shown, h('div', { class: 'muted' }, `and ${list.length - most} more`)]
    : shown;
}

function nodes(
  { inspection }: EntryModel,
  store: Store,
  list: readonly number[],
  kind: 'node' | 'declared' = 'node',
): (HTMLElement | string)[] {
  const graph = kind === 'node' ? inspection.graph : inspection.source;
  return cut(list, (n) => {
    const { name, type } = graph.nodes[n]!;
    return h(
      'div',
      {},
      link(name, () => store.select(kind, n), type),
    );
  });
}

function steps(model: EntryModel, store: Store, list: readonly number[]): (HTMLElement | string)[] {
  return cut(list, (s) => h('div', {}, stepLink(model, store, s)));
}

function stepLink({ inspection }: EntryModel, store: Store, s: number): HTMLElement {
  return link(`${s}: ${inspection.steps[s]!.label}`, () => store.select('step', s));
}

function bufferLink({ inspection }: EntryModel, store: Store, b: number): HTMLElement {
  const { name, type, bytes: size } = inspection.buffers[b]!;
  return h(
    'div',
    {},
    link(name, () => store.select('buffer', b), `${type}, ${bytes(size)}`),
  );
}

function code({ inspection }: EntryModel, kernels: readonly number[], open = false): HTMLElement[] {
  return kernels.flatMap((k) => {
    const { text, code } = inspection.kernels[k]!;
    return [
      fold(`loops of kernel ${k}`, text, open),
      fold(`code of kernel ${k} (${inspection.language})`, code),
    ];
  });
}

/** Filled when it is opened: codes are long. */
function fold(name: string, text: string, open = false): HTMLElement {
  const pre = h('pre', { tabindex: 0 }, open ? text : '');
  const element = h('details', { open }, h('summary', {}, name), pre);
  element.addEventListener('toggle', () => {
    if (element.open && pre.textContent === '') pre.textContent = text;
  });
  return element;
}
