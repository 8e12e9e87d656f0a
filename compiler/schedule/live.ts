// What is alive while steps run one after another: the bytes of the arena at each position of an order. Search for orders
// and for values to compute again asks for this thousands of times, so everything that does not depend on the order is
// found once, in flat arrays.
//
//   position        0    1    2
//   live bytes    ──a b──b c──c──       a step's outputs are alive beside its inputs, unless one replaces the other:
//                                       a pair that may follow in place (inplace.ts) counts once

import { elementBytes } from '../kernel/cost.ts';
import type { Kernel } from '../kernel/ir.ts';
import { type Amounts, amounts } from './amounts.ts';
import { overwritesWhatItRead } from './inplace.ts';
import { type Buffer, baseBytes, type Lowered, type LoweredStep } from './lowered.ts';
import { traceOf } from './trace.ts';

export interface LiveModel {
  readonly bytes: Amounts;
  /** Of all buffers of the arena together. */
  readonly total: number;
  /** Buffers of the arena that each step touches, each once. */
  readonly touched: readonly Int32Array[];
  /** Per step, (input, output) pairs that may share their place when the step is the last to read the input. */
  readonly pairs: readonly (readonly (readonly [input: number, output: number])[])[];
  /** Filled before the first step. */
  readonly isInput: Uint8Array;
  /** Read after the last step. */
  readonly isOutput: Uint8Array;
}

/** What a step touches, whatever the order. */
interface StepFacts {
  readonly touched: Int32Array;
  readonly pairs: readonly (readonly [input: number, output: number])[];
}

/** Remembers steps and kernels: programs that differ in a few steps share the others. */
export class LiveFacts {
  readonly #steps = new Map<LoweredStep, StepFacts>();
  /** (read, write) positions in `params`, of which the second may take the place of the first. */
  readonly #kernels = new Map<Kernel, readonly (readonly [number, number])[]>();

  of(step: LoweredStep, buffers: readonly Buffer[]): StepFacts {
    const known = this.#steps.get(step);
    if (known) return known;
    const { kernel, args } = step;
    const inArena = (id: number): boolean => buffers[id]!.home.kind === 'arena' && buffers[id]!.bytes > 0;
    let places = this.#kernels.get(kernel);
    if (!places) {
      places = findPairs(kernel);
      this.#kernels.set(kernel, places);
    }
    const facts: StepFacts = {
      touched: Int32Array.from(new Set(args.filter(inArena))),
      pairs: places
        .filter(([p, q]) => baseBytes(step, p) === baseBytes(step, q))
        .map(([p, q]) => [args[p]!, args[q]!] as const)
        .filter(
          ([input, output]) =>
            inArena(input) &&
            inArena(output) &&
            buffers[input]!.bytes === buffers[output]!.bytes &&
            args.filter((id) => id === input).length === 1,
        ),
    };
    this.#steps.set(step, facts);
    return facts;
  }
}

function findPairs(kernel: Kernel): (readonly [number, number])[] {
  const { params } = kernel;
  if (kernel.isLoop) return [];
  const pairs: (readonly [number, number])[] = [];
  const bytesOf = (p: number): number => params[p]!.elements * elementBytes(params[p]!.storage);
  params.forEach((output, q) => {
    if (output.access !== 'write' || q === kernel.flags) return;
    params.forEach((input, p) => {
      if (input.access !== 'read' || bytesOf(p) !== bytesOf(q)) return;
      if (elementBytes(input.storage) !== elementBytes(output.storage)) return;
      if (overwritesWhatItRead(traceOf(kernel), p, q)) pairs.push([p, q]);
    });
  });
  return pairs;
}

export function liveModel(lowered: Lowered, facts: LiveFacts = new LiveFacts()): LiveModel {
  const { buffers, steps } = lowered;
  const isInput = new Uint8Array(buffers.length);
  const isOutput = new Uint8Array(buffers.length);
  let total = 0;
  for (const { home, bytes: size } of buffers) if (home.kind === 'arena') total += size;
  const bytes = amounts(buffers.length, total);
  for (const { id, home, bytes: size } of buffers) {
    if (home.kind !== 'arena') continue;
    bytes[id] = size;
    if (home.role === 'input') isInput[id] = 1;
    if (home.role === 'output') isOutput[id] = 1;
  }
  for (const { buffer } of lowered.inputs) if (buffers[buffer]!.home.kind === 'arena') isInput[buffer] = 1;
  for (const { buffer } of lowered.outputs) if (buffers[buffer]!.home.kind === 'arena') isOutput[buffer] = 1;
  const touched: Int32Array[] = [];
  const pairs: StepFacts['pairs'][] = [];
  for (const step of steps) {
    const fact = facts.of(step, buffers);
    touched.push(fact.touched);
    pairs.push(fact.pairs);
  }
  return { bytes, total, touched, pairs, isInput, isOutput };
}

/** Steps that touch each buffer of the arena, ascending. */
export type Users = readonly (readonly number[])[];

export function usersOf({ bytes, touched }: LiveModel): Users {
  const users: number[][] = Array.from(bytes, () => []);
  for (let s = 0; s < touched.length; s++) for (const id of touched[s]!) users[id]!.push(s);
  return users;
}

/** First and last position at which each buffer is alive, for an order; −1 and the number of steps as in `Lifetime`. */
export interface Spans {
  readonly first: Int32Array;
  readonly last: Int32Array;
}

/** Buffers that nothing touches get an empty span. */
export function spansOf(model: LiveModel, order: ArrayLike<number>): Spans {
  const count = model.bytes.length;
  const first = new Int32Array(count).fill(order.length + 1);
  const last = new Int32Array(count).fill(-2);
  for (let id = 0; id < count; id++) {
    if (model.isInput[id]) {
      first[id] = -1;
      last[id] = -1;
    }
  }
  for (let k = 0; k < order.length; k++) {
    const ids = model.touched[order[k]!]!;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (first[id]! > k) first[id] = k;
      last[id] = k;
    }
  }
  for (let id = 0; id < count; id++) {
    if (!model.isOutput[id]) continue;
    first[id] = Math.min(first[id]!, order.length);
    last[id] = order.length;
  }
  return { first, last };
}

/** Bytes that places shared by inputs and outputs save at one position; each buffer is in at most one pair. */
export function savedAt(model: LiveModel, step: number, position: number, spans: Spans): number {
  const pairs = model.pairs[step]!;
  if (pairs.length === 0) return 0;
  let saved = 0;
  for (let k = 0; k < pairs.length; k++) {
    const pair = pairs[k]!;
    const input = pair[0];
    const output = pair[1];
    if (spans.last[input] !== position || spans.first[output] !== position) continue;
    if (model.isOutput[input] || model.isInput[output]) continue;
    let isTaken = false;
    for (let e = 0; e < k; e++) {
      const [i, o] = pairs[e]!;
      if ((i === input || o === output) && spans.last[i] === position && spans.first[o] === position)
        isTaken = true;
    }
    if (!isTaken) saved += model.bytes[input]!;
  }
  return saved;
}

/** Bytes alive at each position of an order of all steps. */
export function liveProfile(
  model: LiveModel,
  order: ArrayLike<number>,
  spans: Spans = spansOf(model, order),
): Amounts {
  const n = order.length;
  // change[k + 1]: what is born at position k less what died at the one before.
  const change = amounts(n + 3, model.total);
  const { first, last } = spans;
  const { bytes } = model;
  for (let id = 0; id < bytes.length; id++) {
    const from = first[id]!;
    const to = last[id]!;
    if (to < from) continue;
    change[from + 1]! += bytes[id]!;
    change[to + 2]! -= bytes[id]!;
  }
  const live = amounts(n, model.total);
  let now = change[0]!;
  for (let k = 0; k < n; k++) {
    now += change[k + 1]!;
    const step = order[k]!;
    live[k] = model.pairs[step]!.length === 0 ? now : now - savedAt(model, step, k, spans);
  }
  return live;
}

/** The largest entry. */
export function highest(live: Amounts): number {
  let peak = 0;
  for (let k = 0; k < live.length; k++) if (live[k]! > peak) peak = live[k]!;
  return peak;
}

/**
 * Whether steps [begin, end] of the program's own order may run at once within `limit` bytes. To be asked with growing
 * ends: what was counted for one end is kept for the next.
 */
export function roomAtOnce(model: LiveModel, limit: number): (begin: number, end: number) => boolean {
  const order = Int32Array.from(model.touched, (_, s) => s);
  const spans = spansOf(model, order);
  const live = liveProfile(model, order, spans);
  /** The last step before the present one that touches each buffer, in steps counted so far. */
  const user = new Int32Array(model.bytes.length).fill(-1);
  let start = -1;
  let next = 0;
  let together = 0;
  return (begin, end) => {
    if (begin !== start || end < next - 1) {
      start = begin;
      next = begin;
      user.fill(-1);
      together = live[begin]! + savedAt(model, begin, begin, spans);
      for (const id of model.touched[begin]!) if (spans.first[id] === begin) together -= model.bytes[id]!;
    }
    for (; next <= end; next++) {
      const ids = model.touched[next]!;
      for (const id of ids) if (spans.first[id] === next) together += model.bytes[id]!;
      // A place is handed over only if nobody else in the phase reads what lay there.
      const isShared = model.pairs[next]!.some(([input]) => user[input]! >= begin);
      if (!isShared) together -= savedAt(model, next, next, spans);
      for (const id of ids) user[id] = next;
    }
    return together <= limit;
  };
}
