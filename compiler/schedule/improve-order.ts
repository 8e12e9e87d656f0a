// Improves an order of steps by moving one step at a time: what allocates goes to just before its first reader, what frees
// to just after the last step it waits for. A move stays when the bytes alive in the stretch that it changes have a lower
// peak, or the same peak and a smaller sum: so no position is ever fuller than the peak of its stretch was before, and
// the whole never needs more than it did.
//
//   … pack w │ forward … │ use w …       →       … │ forward … │ pack w, use w …
//
// Work is counted in arguments looked at, never in time. What a move would gain depends on its stretch alone, so a move that
// was refused is not looked at again before something in its stretch has changed.

import type { Dependences } from './dependences.ts';
import { type LiveModel, liveProfile, type Spans, savedAt, spansOf } from './live.ts';

/** Arguments that may be looked at: some 20 ns each. */
export const defaultOrderEffort = 4_000_000;
const mostSweeps = 12;

/** A valid order of the same steps that needs no more memory. Deterministic. */
export function improveOrder(
  model: LiveModel,
  dependences: Dependences,
  start: readonly number[],
  effort: number = defaultOrderEffort,
): number[] {
  const state = new OrderState(model, dependences, start, effort);
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let isBetter = false;
    // Readers before what they read, so that a chain sinks as one.
    for (let k = start.length - 1; k >= 0; k--) isBetter = state.sink(k) || isBetter;
    for (let k = 0; k < start.length; k++) isBetter = state.rise(k) || isBetter;
    if (!isBetter || state.isExhausted) break;
  }
  return [...state.order];
}

class OrderState {
  readonly order: Int32Array;
  readonly #position: Int32Array;
  readonly #model: LiveModel;
  readonly #dependences: Dependences;
  readonly #spans: Spans;
  readonly #live: Float64Array;
  /** Scratch, by buffer: its span if the move were made; the number of the move that it was seen in. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #seen: Int32Array;
  #stamp = 0;
  /** Scratch: a stretch of the order and of what is alive in it if the move were made; and where that changes. */
  readonly #order: Int32Array;
  readonly #alive: Float64Array;
  readonly #change: Float64Array;
  /** Moves made, and by position the last one that changed it. */
  #moves = 0;
  readonly #changed: Int32Array;
  /** By step: where its last refused moves would have ended, and how many moves had been made then. */
  readonly #refused: { readonly sink: Refusals; readonly rise: Refusals };
  #effort: number;

  constructor(model: LiveModel, dependences: Dependences, start: readonly number[], effort: number) {
    this.#model = model;
    this.#dependences = dependences;
    this.#effort = effort;
    this.order = Int32Array.from(start);
    this.#position = new Int32Array(start.length);
    this.order.forEach((s, k) => {
      this.#position[s] = k;
    });
    this.#spans = spansOf(model, this.order);
    this.#live = liveProfile(model, this.order, this.#spans);
    this.#first = new Int32Array(model.bytes.length);
    this.#last = new Int32Array(model.bytes.length);
    this.#seen = new Int32Array(model.bytes.length);
    this.#order = new Int32Array(start.length);
    this.#alive = new Float64Array(start.length);
    this.#change = new Float64Array(start.length + 1);
    this.#changed = new Int32Array(start.length);
    this.#refused = { sink: new Refusals(start.length), rise: new Refusals(start.length) };
  }

  get isExhausted(): boolean {
    return this.#effort <= 0;
  }

  /** Moves the step at position k to just before the first step that waits for it, if that is better. */
  sink(k: number): boolean {
    let to = this.order.length - 1;
    for (const next of this.#dependences.after[this.order[k]!]!) to = Math.min(to, this.#position[next]! - 1);
    return to > k && this.#try(k, to, this.#refused.sink);
  }

  /** Moves the step at position k to just after the last step that it waits for, if that is better. */
  rise(k: number): boolean {
    let to = 0;
    for (const before of this.#dependences.before[this.order[k]!]!)
      to = Math.max(to, this.#position[before]! + 1);
    return to < k && this.#try(k, to, this.#refused.rise);
  }

  #try(from: number, to: number, refused: Refusals): boolean {
    if (this.#effort <= 0) return false;
    const step = this.order[from]!;
    const lo = Math.min(from, to);
    const hi = Math.max(from, to);
    this.#effort -= 1 + ((hi - lo) >> 3);
    if (refused.to[step] === to && !this.#hasChanged(lo, hi, refused.moves[step]!)) return false;
    if (this.#move(from, to)) return true;
    refused.to[step] = to;
    refused.moves[step] = this.#moves;
    return false;
  }

  /** Whether a position in [lo, hi] has changed since so many moves were made. */
  #hasChanged(lo: number, hi: number, since: number): boolean {
    const changed = this.#changed;
    for (let k = lo; k <= hi; k++) if (changed[k]! > since) return true;
    return false;
  }

  #move(from: number, to: number): boolean {
    const lo = Math.min(from, to);
    const hi = Math.max(from, to);
    const length = hi - lo + 1;
    const stretch = this.#order;
    const old = this.order;
    if (to > from) for (let k = 0; k < length - 1; k++) stretch[k] = old[lo + k + 1]!;
    else for (let k = 1; k < length; k++) stretch[k] = old[lo + k - 1]!;
    stretch[to - lo] = old[from]!;
    this.#liveIn(length, lo);
    const live = this.#alive;
    let peak = 0;
    let sum = 0;
    let oldPeak = 0;
    let oldSum = 0;
    for (let k = 0; k < length; k++) {
      const now = live[k]!;
      const before = this.#live[lo + k]!;
      if (now > peak) peak = now;
      if (before > oldPeak) oldPeak = before;
      sum += now;
      oldSum += before;
    }
    if (peak > oldPeak || (peak === oldPeak && sum >= oldSum)) return false;
    this.#moves++;
    this.#changed.fill(this.#moves, lo, hi + 1);
    for (let k = 0; k < length; k++) {
      this.order[lo + k] = stretch[k]!;
      this.#live[lo + k] = live[k]!;
      this.#position[stretch[k]!] = lo + k;
      for (const id of this.#model.touched[stretch[k]!]!) {
        this.#spans.first[id] = this.#first[id]!;
        this.#spans.last[id] = this.#last[id]!;
      }
    }
    return true;
  }

  /** Finds the bytes alive at each position of the stretch, which starts at `lo`, and the spans of what it touches. */
  #liveIn(length: number, lo: number): void {
    const { touched, bytes, pairs } = this.#model;
    const { first, last } = this.#spans;
    const stretch = this.#order;
    const hi = lo + length - 1;
    const spans = { first: this.#first, last: this.#last };
    const stamp = ++this.#stamp;
    const ids: number[] = [];
    for (let k = 0; k < length; k++) {
      const list = touched[stretch[k]!]!;
      this.#effort -= list.length + 1;
      for (let i = 0; i < list.length; i++) {
        const id = list[i]!;
        if (this.#seen[id] !== stamp) {
          this.#seen[id] = stamp;
          ids.push(id);
          spans.first[id] = first[id]! < lo ? first[id]! : lo + k;
        }
        spans.last[id] = last[id]! > hi ? last[id]! : lo + k;
      }
    }
    // What the stretch does not touch is alive in all of it, or in none.
    let now = this.#live[lo]! + savedAt(this.#model, this.order[lo]!, lo, this.#spans);
    const change = this.#change.fill(0, 0, length + 1);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (first[id]! <= lo && last[id]! >= lo) now -= bytes[id]!;
      change[Math.max(0, spans.first[id]! - lo)]! += bytes[id]!;
      change[Math.min(length, spans.last[id]! + 1 - lo)]! -= bytes[id]!;
    }
    const live = this.#alive;
    for (let k = 0; k < length; k++) {
      now += change[k]!;
      const step = stretch[k]!;
      live[k] = pairs[step]!.length === 0 ? now : now - savedAt(this.#model, step, lo + k, spans);
    }
  }
}

/** The last refused move of each step: to where, and how many moves had been made. */
class Refusals {
  readonly to: Int32Array;
  readonly moves: Int32Array;

  constructor(steps: number) {
    this.to = new Int32Array(steps).fill(-1);
    this.moves = new Int32Array(steps);
  }
}
