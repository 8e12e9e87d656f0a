// The dump of memory: how full the arena is and where it is fullest, what lies there, and what is computed again. For
// people and for text comparison: the same plan prints the same text.
//
//   arena 29099776 bytes, lower bound 29099776: 210 buffers of 222298112 bytes together
//   fullest at step 103 of 202, 'grad/relu: select + add + pad + mul'
//     4194304      9  176  convolution
//   computed again: 10 steps, 26214400 bytes

import type { Plan, PlanBuffer, PlanManifest } from '../../runtime/plan.ts';
import type { Lowered } from './lowered.ts';
import { lowerBound } from './print.ts';

/** Text about the memory of a plan; `lowered` has its steps in the order of the plan. */
export function printMemory(plan: Plan | { readonly manifest: PlanManifest }, lowered: Lowered): string {
  const m = plan.manifest;
  const together = m.buffers.reduce((sum, b) => sum + b.bytes, 0);
  const fullest = fullestStep(m);
  const where =
    fullest < 0
      ? 'before the first step'
      : fullest >= m.steps.length
        ? 'after the last step'
        : `at step ${fullest} of ${m.steps.length}, '${m.steps[fullest]!.label}'`;
  const alive = m.buffers
    .filter((b) => b.from <= fullest && b.to >= fullest && b.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes || a.from - b.from || a.offset - b.offset);
  const copies = lowered.steps.flatMap((step, s) => (step.isCopy ? [{ step, s }] : []));
  const again = lowered.buffers.filter((b) => b.copyOf !== undefined);
  return `${[
    `memory of plan ${m.entry}`,
    `  arena ${m.arenaBytes} bytes, lower bound ${lowerBound(m)}: ${m.buffers.length} buffers of ${together} bytes together`,
    ...(alive.length > 0 ? [`fullest ${where}`, ...table(alive, m)] : []),
    ...(copies.length > 0
      ? [`computed again: ${copies.length} steps, ${again.reduce((sum, b) => sum + b.bytes, 0)} bytes`]
      : []),
    ...copies.map(({ step, s }) => `  ${s}: ${step.label}`),
  ].join('\n')}\n`;
}

/** The step at which most bytes are alive, places that are handed over counted once; the first of equals. */
function fullestStep(m: PlanManifest): number {
  let most = 0;
  let found = -1;
  for (let s = -1; s <= m.steps.length; s++) {
    const places = new Map<number, number>();
    for (const b of m.buffers) if (b.from <= s && b.to >= s && b.bytes > 0) places.set(b.offset, b.bytes);
    const live = [...places.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (live > most) {
      most = live;
      found = s;
    }
  }
  return found;
}

function table(buffers: readonly PlanBuffer[], m: PlanManifest): string[] {
  const rows = buffers.map((b) => [
    `${b.bytes}`,
    b.from < 0 ? 'input' : `${b.from}`,
    b.to >= m.steps.length ? 'output' : `${b.to}`,
    b.name,
  ]);
  const header = ['bytes', 'from', 'to', 'buffer'];
  const widths = header.map((h, c) => Math.max(h.length, ...rows.map((r) => r[c]!.length)));
  return [header, ...rows].map(
    (cells) => `  ${cells.map((cell, c) => (c === 3 ? cell : cell.padStart(widths[c]!))).join('  ')}`,
  );
}
