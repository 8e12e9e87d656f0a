// Improves an order of steps by moving one step at a time: what allocates goes to just before its first reader, what frees
// to just after the last step it waits for. A move stays when the bytes alive in the stretch that it changes have a lower
// peak, or the same peak and a smaller sum: so no position is ever fuller than the peak of its stretch was before, and
// the whole never needs more than it did.
//
//   … pack w │ forward … │ use w …       →       … │ forward … │ pack w, use w …
//
// Work is counted in arguments looked at, never in time.

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
  }

  get isExhausted(): boolean {
    return this.#effort <= 0;
  }

  /** Moves the step at position k to just before the first step that waits for it, if that is better. */
  sink(k: number): boolean {
    let to = this.order.length - 1;
    for (const next of this.#dependences.after[this.order[k]!]!) to = Math.min(to, this.#position[next]! - 1);
    return to > k && this.#move(k, to);
  }

  /** Moves the step at position k to just after the last step that it waits for, if that is better. */
  rise(k: number): boolean {
    let to = 0;
    for (const before of this.#dependences.before[this.order[k]!]!)
      to = Math.max(to, this.#position[before]! + 1);
    return to < k && this.#move(k, to);
  }

  #move(from: number, to: number): boolean {
    if (this.#effort <= 0) return false;
    const lo = Math.min(from, to);
    const hi = Math.max(from, to);
    const moved = this.order[from]!;
    const stretch = this.order.slice(lo, hi + 1);
    if (to > from) {
      stretch.copyWithin(0, 1);
      stretch[stretch.length - 1] = moved;
    } else {
      stretch.copyWithin(1, 0, stretch.length - 1);
      stretch[0] = moved;
    }
    const live = this.#liveIn(stretch, lo);
    let [peak, sum, oldPeak, oldSum] = [0, 0, 0, 0];
    for (let k = 0; k < live.length; k++) {
      peak = Math.max(peak, live[k]!);
      sum += live[k]!;
      oldPeak = Math.max(oldPeak, this.#live[lo + k]!);
      oldSum += this.#live[lo + k]!;
    }
    if (peak > oldPeak || (peak === oldPeak && sum >= oldSum)) return false;
    this.order.set(stretch, lo);
    this.#live.set(live, lo);
    for (let k = 0; k < stretch.length; k++) {
      this.#position[stretch[k]!] = lo + k;
      for (const id of this.#model.touched[stretch[k]!]!) {
        this.#spans.first[id] = this.#first[id]!;
        this.#spans.last[id] = this.#last[id]!;
      }
    }
    return true;
  }

  /** Bytes alive at each position of a stretch that starts at `lo`; leaves the spans of what it touches in the scratch. */
  #liveIn(stretch: Int32Array, lo: number): Float64Array {
    const { touched, bytes } = this.#model;
    const { first, last } = this.#spans;
    const hi = lo + stretch.length - 1;
    const spans = { first: this.#first, last: this.#last };
    const stamp = ++this.#stamp;
    const ids: number[] = [];
    for (let k = 0; k < stretch.length; k++) {
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
    const change = new Float64Array(stretch.length + 1);
    for (const id of ids) {
      if (first[id]! <= lo && last[id]! >= lo) now -= bytes[id]!;
      change[Math.max(0, spans.first[id]! - lo)]! += bytes[id]!;
      change[Math.min(stretch.length, spans.last[id]! + 1 - lo)]! -= bytes[id]!;
    }
    const live = new Float64Array(stretch.length);
    for (let k = 0; k < stretch.length; k++) {
      now += change[k]!;
      live[k] = now - savedAt(this.#model, stretch[k]!, lo + k, spans);
    }
    return live;
  }
}
