// Rematerialization: what is computed again instead of being kept. A value that waits in memory over the fullest moment,
// written before it and read after it, may be dropped and its step run a second time, just before the next reader:
//
//   conv → relu → pad → … forward, backward … → gradient(pad)
//   conv → relu → pad → …      (conv is kept)  … relu' → pad' → gradient(pad')
//
// In: a program in a good order, and what it may cost. Out: the program with copies of some of its steps, in an order that
// is valid. A copy calls the same kernel on the same values, so every result keeps its bits, and the code does not grow.
// Values are copied only if one step writes them, wholly from values that one step writes or none: a buffer then holds
// the same at any time (check.ts proves it again).
//
// Greedy: at the fullest moment, the candidate that takes most bytes out of the crowded part of the program per time
// that it costs; again and again until the goal is met or nothing more is worth it.

import type { Kernel, Machine } from '../kernel/ir.ts';
import type { Amounts } from './amounts.ts';
import { costOf } from './cost.ts';
import { highest, type LiveFacts, liveModel, liveProfile, spansOf, usersOf } from './live.ts';
import type { Lowered } from './lowered.ts';
import { withCopiesLive } from './preview.ts';
import { type Copies, findCopies, findWriters, withCopies } from './recompute.ts';

export interface RematerializeOptions {
  /** Bytes of the arena to get down to; without, as low as `allowance` takes it. */
  readonly goal: number;
  readonly machine: Machine;
  /** Nanoseconds of all copies together. */
  readonly allowance: number;
  /** Only steps that take at most so many nanoseconds per byte that they write; Infinity: convolutions too. */
  readonly mostPerByte: number;
}

/** Values smaller than this part of the peak are not looked at. */
const smallestPart = 256;
/** Without a goal, bytes above this part of the peak count as crowded. */
const crowded = 0.85;
const mostRounds = 200;
/** Steps that may be looked at, in all tries together: some 100 ns each. */
const mostWork = 4_000_000;

interface State {
  readonly program: Lowered;
  readonly peak: number;
  readonly cost: number;
}

/**
 * The program with steps copied where that makes room. Deterministic; the same object when nothing is gained.
 *
 * @example
 * const total = program.steps.reduce((n, s) => n + costOf(s.kernel, machine), 0);
 * const smaller = rematerialize(program, { machine, goal: 24e6, allowance: 0.3 * total, mostPerByte: Infinity }, new LiveFacts());
 */
export function rematerialize(program: Lowered, options: RematerializeOptions, facts: LiveFacts): Lowered {
  const states: State[] = [{ program, peak: peakOf(program, facts), cost: 0 }];
  const effort = { left: mostWork };
  for (let round = 0; round < mostRounds; round++) {
    const state = states.at(-1)!;
    if (state.peak <= options.goal) break;
    const next = bestCopy(state, options, facts, effort);
    if (!next) break;
    states.push(next);
  }
  const least = states.reduce((m, s) => Math.min(m, s.peak), Number.POSITIVE_INFINITY);
  // The cheapest that is as good as the best, or nearly so.
  return states.find((s) => s.peak <= Math.max(options.goal, least * 1.005))!.program;
}

function peakOf(program: Lowered, facts: LiveFacts): number {
  return highest(liveProfile(liveModel(program, facts), ownOrder(program.steps.length)));
}

function ownOrder(steps: number): Int32Array {
  const order = new Int32Array(steps);
  for (let s = 0; s < steps; s++) order[s] = s;
  return order;
}

/** The program after the best recomputation for the fullest moment; null when none is worth it. */
function bestCopy(
  state: State,
  options: RematerializeOptions,
  facts: LiveFacts,
  effort: { left: number },
): State | null {
  const { program, peak } = state;
  const { machine } = options;
  const model = liveModel(program, facts);
  const order = ownOrder(program.steps.length);
  const spans = spansOf(model, order);
  const live = liveProfile(model, order, spans);
  const at = live.indexOf(peak);
  const line = Number.isFinite(options.goal) && options.goal > 0 ? options.goal : crowded * peak;
  const excess = excessOf(live, line);
  const found = { writers: findWriters(program), spans, users: usersOf(model) };
  const isTouched = new Set(model.touched[at]);
  let best: (Omit<State, 'program'> & { readonly copies: Copies; readonly score: number }) | null = null;
  const take = (): State | null => best && { ...best, program: withCopies(program, best.copies) };
  const mayCopy = (kernel: Kernel, written: number): boolean =>
    costOf(kernel, machine) <= options.mostPerByte * written + machine.barrierNs;
  for (const b of program.buffers) {
    const isWaiting =
      spans.first[b.id]! < at &&
      spans.last[b.id]! > at &&
      !model.isInput[b.id] &&
      b.bytes * smallestPart >= peak &&
      !isTouched.has(b.id);
    if (!isWaiting) continue;
    let tried: Copies | null = null;
    for (const depth of ['shallow', 'deep'] as const) {
      const copies = findCopies(program, found, b.id, at, { depth, mayCopy });
      effort.left -= program.steps.length;
      if (effort.left < 0) return take();
      if (!copies || (tried !== null && isSame(copies, tried))) continue;
      tried = copies;
      const added = copies.copied.reduce(
        (sum, s) => sum + costOf(program.steps[s]!.kernel, machine) + machine.barrierNs,
        0,
      );
      const cost = state.cost + added;
      if (cost > options.allowance) continue;
      const made = withCopiesLive(program, model, found.users, copies);
      const after = liveProfile(made, ownOrder(made.touched.length));
      const highestAfter = highest(after);
      if (highestAfter > peak) continue;
      const score = (excess - excessOf(after, line)) / added;
      if (score > 0 && (!best || score > best.score)) best = { copies, peak: highestAfter, cost, score };
    }
  }
  return take();
}

function isSame(a: Copies, b: Copies): boolean {
  return a.copied.length === b.copied.length && a.copied.every((s, k) => s === b.copied[k]);
}

/** How much, and for how long, memory is fuller than `line`. */
function excessOf(live: Amounts, line: number): number {
  let sum = 0;
  for (let k = 0; k < live.length; k++) if (live[k]! > line) sum += live[k]! - line;
  return sum;
}
