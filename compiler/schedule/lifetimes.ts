// Lifetimes: when each buffer of the arena holds something that is still needed.
//
//   step        -1   0   1   2   3   4      (4 = steps.length: outputs are read out)
//   input        ─────────                  read last by step 1
//   temporary          ────                 written by 1, read by 2
//   unread                 ─                lives while it is written
//   output                     ─────────
//
// Steps between two barriers run at once, so before placement lifetimes grow to whole phases (`widen`).

import { buffersOf } from './dependences.ts';
import type { Lowered } from './lowered.ts';
import type { Lifetime, Phases } from './phases.ts';

/** One per buffer; null for buffers outside of the arena and for those that nothing touches. Both ends included. */
export function lifetimesOf(
  lowered: Pick<Lowered, 'buffers' | 'steps' | 'inputs' | 'outputs'>,
): (Lifetime | null)[] {
  const from = new Map<number, number>();
  const to = new Map<number, number>();
  const touch = (id: number, at: number): void => {
    if (!from.has(id)) from.set(id, at);
    to.set(id, at);
  };
  for (const input of lowered.inputs) touch(input.buffer, -1);
  for (const b of lowered.buffers) if (b.home.kind === 'arena' && b.home.role === 'input') touch(b.id, -1);
  lowered.steps.forEach((step, s) => {
    const { reads, writes } = buffersOf(step, lowered.buffers);
    for (const id of reads) touch(id, s);
    for (const id of writes) touch(id, s);
  });
  const end = lowered.steps.length;
  for (const output of lowered.outputs) touch(output.buffer, end);
  for (const b of lowered.buffers) if (b.home.kind === 'arena' && b.home.role === 'output') touch(b.id, end);
  return lowered.buffers.map((b) =>
    b.home.kind === 'arena' && from.has(b.id) ? { from: from.get(b.id)!, to: to.get(b.id)! } : null,
  );
}

/** Lifetimes grown to whole phases, except within phases whose steps run one after another. */
export function widen(lifetimes: readonly (Lifetime | null)[], phases: Phases): (Lifetime | null)[] {
  const steps = phases.of.length;
  const edge = (at: number, side: 'first' | 'last'): number => {
    if (at < 0 || at >= steps) return at;
    const phase = phases.phases[phases.of[at]!]!;
    if (phase.isSequential) return at;
    return side === 'first' ? phase.begin : phase.end - 1;
  };
  return lifetimes.map((l) => (l ? { from: edge(l.from, 'first'), to: edge(l.to, 'last') } : null));
}

/** The largest sum of bytes alive at once: no placement needs less. */
export function peakBytes(
  lifetimes: readonly (Lifetime | null)[],
  bytes: (buffer: number) => number,
): number {
  const events: { at: number; change: number }[] = [];
  lifetimes.forEach((l, id) => {
    if (!l) return;
    events.push({ at: l.from, change: bytes(id) }, { at: l.to + 1, change: -bytes(id) });
  });
  events.sort((a, b) => a.at - b.at || a.change - b.change);
  let live = 0;
  let peak = 0;
  for (const e of events) {
    live += e.change;
    if (live > peak) peak = live;
  }
  return peak;
}
