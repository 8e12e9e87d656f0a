// What changed between two compilations, from their inspections: nodes, kernels, steps, memory and predicted time. In: two
// JSON values, which may have been kept in files. Out: data, and a text of it.

import { type DiffNode, diffNodes } from './diff-graphs.ts';
import type { InspectedGraph, Inspection } from './inspection.ts';
import { amount, table } from './table.ts';

export interface Comparison {
  readonly entries: readonly [before: string, after: string];
  readonly source: NodeChanges;
  readonly graph: NodeChanges;
  readonly kernels: Changes;
  readonly steps: Changes;
  /** What is counted or measured, of both. Times are predicted, by worker count. */
  readonly figures: readonly Figure[];
  /** Whether plans differ in anything at all. */
  readonly isEqual: boolean;
}

/** Names, in the order of the list that they are from. */
export interface Changes {
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly changed: readonly { readonly name: string; readonly what: string }[];
}

export interface NodeChanges extends Changes {
  readonly before: number;
  readonly after: number;
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly before: number | null;
  readonly after: number | null;
}

/** Compares two inspections. */
export function compareInspections(a: Inspection, b: Inspection): Comparison {
  const [source, graph] = [compareGraphs(a.source, b.source), compareGraphs(a.graph, b.graph)];
  const kernels = compareKernels(a, b);
  return {
    entries: [a.entry, b.entry],
    source,
    graph,
    kernels,
    steps: compareLists(
      a.steps.map((s) => s.label),
      b.steps.map((s) => s.label),
    ),
    figures: figuresOf(a, b),
    isEqual:
      JSON.stringify(a.manifest) === JSON.stringify(b.manifest) &&
      a.kernels.every((k, i) => k.code === b.kernels[i]?.code),
  };
}

function compareGraphs(a: InspectedGraph, b: InspectedGraph): NodeChanges {
  const diff = diffNodes(diffNodesOf(a), diffNodesOf(b));
  return {
    before: a.nodes.length,
    after: b.nodes.length,
    removed: diff.removed.map((i) => a.nodes[i]!.name),
    added: diff.added.map((i) => b.nodes[i]!.name),
    changed: diff.changed.map(([i, j]) => ({ name: b.nodes[j]!.name, what: changeOf(a, i, b, j) })),
  };
}

function diffNodesOf({ nodes }: InspectedGraph): DiffNode[] {
  return nodes.map((n) => ({
    place: JSON.stringify([n.scope, n.op, n.name.replace(/#\d+'*$/, '')]),
    record: JSON.stringify([n.op, n.type, n.payload, n.attrs, n.regions]),
    leaf: n.operands.length === 0 && n.attrs['value'] === undefined ? n.name : '',
    operands: n.operands,
  }));
}

/** The first thing that differs: `type f32[4] → f32[8]`. */
function changeOf(a: InspectedGraph, i: number, b: InspectedGraph, j: number): string {
  const [n, m] = [a.nodes[i]!, b.nodes[j]!];
  if (n.type !== m.type) return `type ${n.type} → ${m.type}`;
  for (const key of new Set([...Object.keys(n.attrs), ...Object.keys(m.attrs)])) {
    const [from, to] = [n.attrs[key] ?? 'nothing', m.attrs[key] ?? 'nothing'];
    if (from !== to) return `${key} ${from} → ${to}`;
  }
  if (n.payload !== m.payload) return 'other elements';
  if (String(n.regions) !== String(m.regions)) return 'another region';
  const operands = (g: InspectedGraph, list: readonly number[]): string =>
    `(${list.map((o) => g.nodes[o]!.name).join(', ')})`;
  return `operands ${operands(a, n.operands)} → ${operands(b, m.operands)}`;
}

function compareKernels(a: Inspection, b: Inspection): Changes {
  const before = new Map(a.kernels.map((k) => [k.name, k]));
  const after = new Map(b.kernels.map((k) => [k.name, k]));
  return {
    removed: [...before.keys()].filter((name) => !after.has(name)),
    added: [...after.keys()].filter((name) => !before.has(name)),
    changed: [...before].flatMap(([name, k]) => {
      const m = after.get(name);
      if (m === undefined || (m.code === k.code && m.text === k.text)) return [];
      const what =
        m.schedule === k.schedule ? 'other code, scheduled alike' : `${k.schedule} → ${m.schedule}`;
      return [{ name, what }];
    }),
  };
}

/** Of lists in which a name may stand several times. */
function compareLists(a: readonly string[], b: readonly string[]): Changes {
  const surplus = (list: readonly string[], other: readonly string[]): string[] => {
    const left = new Map<string, number>();
    for (const name of other) left.set(name, (left.get(name) ?? 0) + 1);
    return list.filter((name) => {
      const count = left.get(name) ?? 0;
      left.set(name, count - 1);
      return count <= 0;
    });
  };
  return { removed: surplus(a, b), added: surplus(b, a), changed: [] };
}

function figuresOf(a: Inspection, b: Inspection): Figure[] {
  const counts: readonly (readonly [string, string, (x: Inspection) => number])[] = [
    ['steps', '', (x) => x.steps.length],
    ['kernels', '', (x) => x.kernels.length],
    ['buffers', '', (x) => x.manifest.buffers.length],
    ['arena', 'B', (x) => x.memory.arenaBytes],
    ['lower bound of the arena', 'B', (x) => x.memory.lowerBound],
    ['variables', 'B', (x) => x.memory.variableBytes],
    ['constants', 'B', (x) => x.memory.constantBytes],
    ['arithmetic', 'flop', (x) => x.kernels.reduce((sum, k) => sum + k.flops * k.calls, 0)],
    ['bytes of all parameters', 'B', (x) => x.kernels.reduce((sum, k) => sum + k.bytes * k.calls, 0)],
  ];
  const workers = [...new Set([...a.schedules, ...b.schedules].map((s) => s.workers))].sort((x, y) => x - y);
  const predicted = (x: Inspection, n: number): number | null => {
    const ns = x.schedules.find((s) => s.workers === n)?.predictedNs;
    return ns === undefined ? null : ns / 1000;
  };
  return [
    ...counts.map(([name, unit, of]) => ({ name, unit, before: of(a), after: of(b) })),
    ...workers.map((n) => ({
      name: `predicted time on ${n} worker${n === 1 ? '' : 's'}`,
      unit: 'µs',
      before: predicted(a, n),
      after: predicted(b, n),
    })),
  ];
}

/** A comparison for people; lists are cut to `most` names. */
export function formatComparison(c: Comparison, most = 20): string {
  const rows = c.figures.map(({ name, unit, before, after }) => {
    const change =
      before === null || after === null || before === 0 || before === after
        ? ''
        : `${after > before ? '+' : '−'}${((100 * Math.abs(after - before)) / before).toFixed(1)} %`;
    const text = (x: number | null): string => (x === null ? '–' : `${amount(x)}${unit && ` ${unit}`}`);
    return [name, text(before), text(after), change];
  });
  const lines = [
    c.isEqual ? `${c.entries.join(' and ')}: the plans are equal` : `${c.entries[0]} → ${c.entries[1]}`,
    ...table(['', 'before:', 'after:', ''], rows).map((row) => `  ${row}`),
    ...changeLines('declared graph', c.source, most),
    ...changeLines('compiled graph', c.graph, most),
    ...changeLines('kernels', c.kernels, most),
    ...changeLines('steps', c.steps, most),
  ];
  return `${lines.join('\n')}\n`;
}

function changeLines(title: string, { removed, added, changed }: Changes, most: number): string[] {
  if (removed.length + added.length + changed.length === 0) return [`${title}: no change`];
  const cut = (lines: readonly string[]): string[] =>
    lines.length <= most ? [...lines] : [...lines.slice(0, most), `  … ${lines.length - most} more`];
  return [
    `${title}: ${removed.length} removed, ${added.length} added, ${changed.length} changed`,
    ...cut(removed.map((name) => `  - ${name}`)),
    ...cut(added.map((name) => `  + ${name}`)),
    ...cut(changed.map(({ name, what }) => `  ~ ${name}: ${what}`)),
  ];
}
