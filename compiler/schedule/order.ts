// Order: a valid order of the steps with few barriers and little live memory, near the order of the program.
//
// List scheduling, phase by phase: a phase takes steps whose dependences lie in earlier phases. Steps that free more
// than they allocate come first, the largest gain foremost; then program order. A step that allocates may come early
// only by a little, and only while memory stays below the program order's own peak: grouping must not cost memory.
// Every step enters and leaves the ready list a bounded number of times, so time grows as n log n.

import { buffersOf, type Dependences } from './dependences.ts';
import { lifetimesOf, peakBytes } from './lifetimes.ts';
import type { Lowered } from './lowered.ts';

/** A step that allocates may come this many places before its turn. */
const window = 16;

/** The steps of the lowered program in a new order: positions in `lowered.steps`. Deterministic and valid. */
export function orderSteps(lowered: Lowered, dependences: Dependences): number[] {
  const memory = new Memory(lowered);
  const limit = peakBytes(lifetimesOf(lowered), (id) => lowered.buffers[id]!.bytes);
  const waiting = dependences.before.map((list) => list.length);
  const ready = new ReadyList(memory.delta);
  const order: number[] = [];
  waiting.forEach((count, s) => {
    if (count === 0) ready.push(s);
  });
  memory.onGain = (s) => {
    if (waiting[s] === 0 && !memory.isDone(s)) ready.push(s);
  };
  while (order.length < lowered.steps.length) {
    const phase: number[] = [];
    const deferred: number[] = [];
    let first = -1;
    for (let s = ready.pop(); s >= 0; s = ready.pop()) {
      if (memory.isDone(s)) continue;
      const isFreeing = memory.delta[s]! < 0;
      const isEarly = !isFreeing && first >= 0 && s > first + window;
      const allocated = memory.allocation(s);
      if (phase.length > 0 && (isEarly || (allocated > 0 && memory.live + allocated > limit))) {
        deferred.push(s);
        // What follows in the list comes even later in the program.
        if (isEarly) break;
        continue;
      }
      if (!isFreeing && first < 0) first = s;
      memory.start(s);
      phase.push(s);
    }
    for (const s of deferred) ready.push(s);
    phase.sort((a, b) => a - b);
    order.push(...phase);
    for (const s of phase) memory.finish(s);
    for (const s of phase) {
      for (const next of dependences.after[s]!) if (--waiting[next]! === 0) ready.push(next);
    }
  }
  return order;
}

/** Bytes alive while steps are taken, and what each step would change. */
class Memory {
  live = 0;
  /** Bytes that the step allocates less those that it frees. */
  readonly delta: Float64Array;
  /** Called when a step has become the last user of a buffer. */
  onGain: (step: number) => void = () => {};

  readonly #lowered: Lowered;
  readonly #touched: (readonly number[])[];
  /** Steps that touch each buffer of the arena. */
  readonly #users: number[][];
  readonly #left: Int32Array;
  readonly #isAllocated: Uint8Array;
  readonly #isKept: Uint8Array;
  readonly #done: Uint8Array;

  constructor(lowered: Lowered) {
    const { buffers, steps } = lowered;
    this.#lowered = lowered;
    this.#users = buffers.map(() => []);
    this.#isAllocated = new Uint8Array(buffers.length);
    this.#isKept = new Uint8Array(buffers.length);
    this.#done = new Uint8Array(steps.length);
    this.delta = new Float64Array(steps.length);
    for (const output of lowered.outputs) this.#isKept[output.buffer] = 1;
    this.#touched = steps.map((step, s) => {
      const { reads, writes } = buffersOf(step, buffers);
      const inArena = [...new Set([...reads, ...writes])].filter((id) => buffers[id]!.home.kind === 'arena');
      for (const id of inArena) this.#users[id]!.push(s);
      return inArena;
    });
    this.#left = Int32Array.from(this.#users, (list) => list.length);
    for (const { buffer } of lowered.inputs) {
      this.live += buffers[buffer]!.bytes;
      this.#isAllocated[buffer] = 1;
    }
    buffers.forEach((b) => {
      const users = this.#users[b.id]!;
      if (!this.#isAllocated[b.id]) for (const s of users) this.delta[s]! += b.bytes;
      if (users.length === 1 && !this.#isKept[b.id]) this.delta[users[0]!]! -= b.bytes;
    });
  }

  isDone(s: number): boolean {
    return this.#done[s] === 1;
  }

  /** Bytes that the step would allocate now. */
  allocation(s: number): number {
    let bytes = 0;
    for (const id of this.#touched[s]!) if (!this.#isAllocated[id]) bytes += this.#lowered.buffers[id]!.bytes;
    return bytes;
  }

  /** Allocates what the step writes. */
  start(s: number): void {
    this.#done[s] = 1;
    for (const id of this.#touched[s]!) {
      if (this.#isAllocated[id]) continue;
      this.#isAllocated[id] = 1;
      const { bytes } = this.#lowered.buffers[id]!;
      this.live += bytes;
      for (const user of this.#users[id]!) this.delta[user]! -= bytes;
    }
  }

  /** Frees what nobody needs after the step. */
  finish(s: number): void {
    for (const id of this.#touched[s]!) {
      const { bytes } = this.#lowered.buffers[id]!;
      const left = --this.#left[id]!;
      if (this.#isKept[id]) continue;
      if (left === 0) this.live -= bytes;
      if (left !== 1) continue;
      const last = this.#users[id]!.find((user) => !this.#done[user]);
      if (last === undefined) continue;
      this.delta[last]! -= bytes;
      this.onGain(last);
    }
  }
}

/** Steps by what they free (none: equal), then by program order. Stale entries are allowed: a step may be in it twice. */
class ReadyList {
  readonly #heap: Entry[] = [];
  readonly #delta: Float64Array;

  constructor(delta: Float64Array) {
    this.#delta = delta;
  }

  push(step: number): void {
    const heap = this.#heap;
    const entry = { step, gain: Math.min(0, this.#delta[step]!) };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The next step, or −1. */
  pop(): number {
    const heap = this.#heap;
    const top = heap[0];
    const moved = heap.pop();
    if (top === undefined || moved === undefined) return -1;
    if (heap.length === 0) return top.step;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!precedes(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
    return top.step;
  }
}

interface Entry {
  readonly step: number;
  readonly gain: number;
}

function precedes(a: Entry, b: Entry): boolean {
  return a.gain < b.gain || (a.gain === b.gain && a.step < b.step);
}
