// The dump of a plan: steps with their buffers, phases, the work of each worker, and the memory table. For people and for
// text comparison: the same plan prints the same text.

import { barrierCount } from '../../runtime/loops.ts';
import type {
  Location,
  Plan,
  PlanManifest,
  PlanMove,
  PlanSchedule,
  PlanTensor,
  ScheduleItem,
} from '../../runtime/plan.ts';
import type { Machine } from '../kernel/ir.ts';
import { defaultMachine, workOf } from './cost.ts';
import { scheduleLength } from './length.ts';
import type { Lowered } from './lowered.ts';
import { itemText } from './plan-text.ts';

/**
 * Text of a plan. With the lowered program in the plan's order (as `schedulePlan` returns it), parameters are shown with
 * the names of their buffers, kernels with how they were scheduled, and schedules with the times that `machine` is
 * thought to take.
 */
export function printPlan(
  plan: Plan | { readonly manifest: PlanManifest },
  lowered?: Lowered,
  machine: Machine = defaultMachine,
): string {
  const m = plan.manifest;
  const lines = [
    `plan ${m.entry} for ${m.target}${m.features.length > 0 ? ` (${m.features.join(', ')})` : ''}`,
    `  arena ${bytesText(m.arenaBytes)} (lower bound ${bytesText(lowerBound(m))}), constants ${bytesText(m.constantBytes)}, ` +
      `${m.steps.length} steps, ${m.kernels.length} kernels`,
    ...tilesText(m),
    ...tensors('inputs', m.inputs, (x) => locationText(x.location)),
    ...tensors('outputs', m.outputs, (x) => locationText(x.location)),
    ...tensors('variables', m.variables, (v) => (v.updated ? 'updated' : 'read')),
    'steps',
    ...m.steps.flatMap((step, s) => {
      const kernel = m.kernels[step.kernel]!;
      const low = lowered?.steps[s];
      const args = step.args.map((location, p) => {
        const b = low && lowered ? lowered.buffers[low.args[p]!] : undefined;
        const what = b ? `${b.name}: ${typeText(b.type)}${orderText(b.order)} ` : '';
        return `      ${kernel.params[p]!.access === 'write' ? '→' : '←'} ${what}@ ${locationText(location)}${moveText(step.moves?.[p])}`;
      });
      const how = low ? `, ${low.kernel.schedule}` : `, ${step.units} unit${step.units === 1 ? '' : 's'}`;
      const loop = m.loops?.find((l) => l.begin === s);
      const head = loop
        ? [`  ${loop.length} times, steps ${loop.begin} to ${loop.end - 1}: ${loop.label}`]
        : [];
      return [...head, `  ${s}: ${step.label}`, `      kernel ${kernel.name}${how}`, ...args];
    }),
    ...m.schedules.flatMap((schedule) =>
      scheduleText(schedule, m, lowered ? predictor(lowered, machine) : null),
    ),
    ...memoryTable(m),
  ];
  return `${lines.join('\n')}\n`;
}

function tilesText({ tiles }: PlanManifest): string[] {
  if (tiles === undefined) return [];
  const list = Object.entries(tiles).map(([key, [rows, columns]]) => `  ${key}: ${rows} × ${columns}`);
  return ['tiles given', ...list];
}

function tensors<T extends PlanTensor & { readonly order: readonly number[] }>(
  title: string,
  list: readonly T[],
  note: (x: T) => string,
): string[] {
  if (list.length === 0) return [];
  return [title, ...list.map((x) => `  ${x.name}: ${typeText(x)}${orderText(x.order)} ${note(x)}`)];
}

/** Nanoseconds that an item is thought to take. */
type Predict = (item: ScheduleItem) => number;

function predictor(lowered: Lowered, machine: Machine): Predict {
  const predict: Predict = (item) => {
    if (item.do === 'barrier') return 0;
    if (item.do === 'repeat')
      return lowered.loops![item.loop]!.length * item.items.reduce((sum, x) => sum + predict(x), 0);
    const { kernel } = lowered.steps[item.step]!;
    const part = (item.end - item.begin) / kernel.unit.extent;
    return machine.callNs + part * workOf(kernel, machine);
  };
  return predict;
}

function scheduleText(schedule: PlanSchedule, m: PlanManifest, predict: Predict | null): string[] {
  const meetings = schedule.lists.map((list) => list.filter((item) => item.do === 'barrier'));
  const barriers = meetings[0]!.length;
  const single = meetings[0]!.filter(({ after }) => after !== undefined).length;
  const inLoops = barrierCount(schedule.lists[0]!, m.loops) - barriers;
  const lines = [
    `schedule for ${schedule.workers} worker${schedule.workers === 1 ? '' : 's'}, ${barriers} barriers${single > 0 ? ` (at ${single} not all wait)` : ''}${inLoops > 0 ? ` and ${inLoops} in loops` : ''}`,
  ];
  const shown = (item: ScheduleItem): string => {
    if (item.do === 'barrier') return '|';
    if (item.do === 'repeat') return `${m.loops![item.loop]!.length} × (${item.items.map(shown).join(' ')})`;
    return itemText(item, m);
  };
  const times = schedule.lists.map(() => [0]);
  const parts = schedule.lists.map((list, w) => {
    const phases: string[][] = [[]];
    for (const item of list) {
      if (item.do === 'barrier') {
        phases.push([]);
        times[w]!.push(0);
      } else {
        if (predict) times[w]![phases.length - 1]! += predict(item);
        phases.at(-1)!.push(shown(item));
      }
    }
    return phases;
  });
  for (let p = 0; p <= barriers; p++) {
    const after = (w: number): string => {
      const meeting = meetings[w]![p - 1];
      if (meeting?.after === undefined) return '';
      return meeting.after.length === 0 ? 'at once: ' : `after ${meeting.after.join(' and ')}: `;
    };
    const work = parts.map((phases, w) => `worker ${w}: ${after(w)}${phases[p]?.join(', ') || '–'}`);
    const took = predict ? `  (${times.map((phases) => microseconds(phases[p]!)).join(', ')} µs)` : '';
    lines.push(`  phase ${p}  ${work.join('  |  ')}${took}`);
  }
  if (predict) {
    const waitsFor = meetings.map((list) => list.map(({ after }) => after ?? null));
    const length = scheduleLength(times, waitsFor, 0);
    const waits = times.map((phases) => length - phases.reduce((sum, x) => sum + x, 0));
    lines.push(
      `  predicted ${microseconds(length)} µs beside barriers; workers wait ${waits.map(microseconds).join(', ')} µs`,
    );
  }
  return lines;
}

function microseconds(ns: number): string {
  return (ns / 1000).toFixed(1);
}

function memoryTable(m: PlanManifest): string[] {
  if (m.buffers.length === 0) return [];
  const rows = m.buffers
    .map((b, i) => ({ b, i }))
    .sort((x, y) => x.b.offset - y.b.offset || x.b.from - y.b.from || x.i - y.i)
    .map(({ b }) => [
      `${b.offset}`,
      `${b.bytes}`,
      b.from < 0 ? 'input' : `${b.from}`,
      b.to >= m.steps.length ? 'output' : `${b.to}`,
      b.name,
    ]);
  const header = ['offset', 'bytes', 'from', 'to', 'buffer'];
  const widths = header.map((h, c) => Math.max(h.length, ...rows.map((r) => r[c]!.length)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, c) => (c === 4 ? cell : cell.padStart(widths[c]!))).join('  ')}`;
  return ['memory', line(header), ...rows.map(line)];
}

/** The largest sum of bytes alive at once, buffers that share their place counted once. */
export function lowerBound(m: PlanManifest): number {
  const events = new Map<number, { begin: number[]; end: number[] }>();
  const at = (t: number): { begin: number[]; end: number[] } => {
    const known = events.get(t);
    if (known) return known;
    const made = { begin: [], end: [] };
    events.set(t, made);
    return made;
  };
  m.buffers.forEach((b, i) => {
    at(b.from).begin.push(i);
    at(b.to + 1).end.push(i);
  });
  let peak = 0;
  let live = 0;
  /** How many live buffers start at an offset. */
  const users = new Map<number, number>();
  const sizes = new Map<number, number>();
  for (const t of [...events.keys()].sort((a, b) => a - b)) {
    const { begin, end } = events.get(t)!;
    const change = (i: number, by: 1 | -1): void => {
      const b = m.buffers[i]!;
      if (b.bytes === 0) return;
      const count = (users.get(b.offset) ?? 0) + by;
      users.set(b.offset, count);
      if (by === 1 && count === 1) {
        sizes.set(b.offset, b.bytes);
        live += b.bytes;
      }
      if (by === -1 && count === 0) live -= sizes.get(b.offset)!;
    };
    for (const i of end) change(i, -1);
    for (const i of begin) change(i, 1);
    peak = Math.max(peak, live);
  }
  return peak;
}

function locationText(l: Location): string {
  switch (l.space) {
    case 'arena':
    case 'constant':
      return `${l.space} ${l.offset}`;
    case 'variable':
      return `variable ${l.variable} (${l.bank})`;
    case 'flags':
      return 'flags';
    default:
      return l satisfies never;
  }
}

function moveText(move: PlanMove | null | undefined): string {
  if (!move) return '';
  const t = move.period === undefined ? 't' : `(t mod ${move.period})`;
  return ` ${move.stride < 0 ? '−' : '+'} ${Math.abs(move.stride)} ${t}`;
}

function typeText(x: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${x.dtype}[${x.shape.join(', ')}]`;
}

/** Nothing for row-major. */
function orderText(order: readonly number[]): string {
  return order.every((d, i) => d === i) ? '' : ` in order [${order.join(', ')}]`;
}

function bytesText(bytes: number): string {
  return bytes < 10240
    ? `${bytes} B`
    : bytes < 10240 * 1024
      ? `${(bytes / 1024).toFixed(1)} KiB`
      : `${(bytes / 1048576).toFixed(1)} MiB`;
}
