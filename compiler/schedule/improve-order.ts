// Improves an order of steps by moving one step at a time: what allocates goes to just before its first reader, what frees
// to just after the last step it waits for. A move stays when the bytes alive in the stretch that it changes have a lower
// peak, or the same peak and a smaller sum: so no position is ever fuller than the peak of its stretch was before, and
// the whole never needs more than it did.
//
//   … pack w │ forward … │ use w …       →       … │ forward … │ pack w, use w …
//
// Work is counted in arguments looked at, never in time. What a move would gain depends on its stretch alone, so a move that
// was refused is not looked at again before something in its stretch has changed.

import { type Amounts, amounts } from './amounts.ts';
import type { Dependences } from './dependences.ts';
import { type LiveModel, liveProfile, type Spans, savedAt, spansOf, type Users, usersOf } from './live.ts';

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

/** An order, what is alive in it, and the moves that were tried. */
export class OrderState {
  readonly order: Int32Array;
  readonly #position: Int32Array;
  readonly #model: LiveModel;
  readonly #dependences: Dependences;
  readonly #spans: Spans;
  readonly #live: Amounts;
  /** By position: bytes that places shared by inputs and outputs save, which `live` does without. */
  readonly #saved: Amounts;
  readonly #users: Users;
  /** Scratch, by buffer: its span if the move were made; the number of the move that it was seen in. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #seen: Int32Array;
  #stamp = 0;
  /** Scratch: a stretch of the order and of what is alive in it if the move were made; and where that changes. */
  readonly #order: Int32Array;
  readonly #alive: Amounts;
  readonly #savings: Amounts;
  readonly #change: Amounts;
  /** Moves made, and by position the last one that changed it. */
  #moves = 0;
  readonly #changed: Int32Array;
  /** By step: where its last refused moves would have ended, and how many moves had been made then. */
  readonly #refused: { readonly sink: Refusals; readonly rise: Refusals };
  #effort: number;

  constructor(
    model: LiveModel,
    dependences: Dependences,
    start: readonly number[],
    effort: number = defaultOrderEffort,
  ) {
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
    this.#saved = amounts(start.length, model.total);
    this.order.forEach((s, k) => {
      this.#saved[k] = savedAt(model, s, k, this.#spans);
    });
    this.#users = usersOf(model);
    this.#first = new Int32Array(model.bytes.length);
    this.#last = new Int32Array(model.bytes.length);
    this.#seen = new Int32Array(model.bytes.length);
    this.#order = new Int32Array(start.length);
    this.#alive = amounts(start.length, model.total);
    this.#savings = amounts(start.length, model.total);
    this.#change = amounts(start.length + 1, model.total);
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
    let oldPeak = 0;
    let oldSum = 0;
    for (let k = lo; k <= hi; k++) {
      const before = this.#live[k]!;
      if (before > oldPeak) oldPeak = before;
      oldSum += before;
    }
    const live = this.liveIf(from, to, oldPeak);
    if (live === null) return false;
    let peak = 0;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      const now = live[k]!;
      if (now > peak) peak = now;
      sum += now;
    }
    if (peak > oldPeak || (peak === oldPeak && sum >= oldSum)) return false;
    this.#moves++;
    this.#changed.fill(this.#moves, lo, hi + 1);
    this.#moveSpans(from, to);
    for (let k = 0; k < length; k++) {
      this.order[lo + k] = stretch[k]!;
      this.#live[lo + k] = live[k]!;
      this.#saved[lo + k] = this.#savings[k]!;
      this.#position[stretch[k]!] = lo + k;
    }
    return true;
  }

  /**
   * The bytes alive at each position from the lower one of both on, as far as the other, if the step at `from` were moved to
   * `to` ≠ `from`; valid until it is asked again. The other steps move by one, together with what they touch: for them only
   * what the moved step touches is alive for longer, or less long. Null as soon as one has more than `most`.
   */
  liveIf(from: number, to: number): Amounts;
  liveIf(from: number, to: number, most: number): Amounts | null;
  liveIf(from: number, to: number, most: number = Number.POSITIVE_INFINITY): Amounts | null {
    const { touched, bytes, pairs } = this.#model;
    const stretch = this.#order;
    const old = this.order;
    const lo = Math.min(from, to);
    const length = Math.abs(to - from) + 1;
    if (to > from) for (let k = 0; k < length - 1; k++) stretch[k] = old[lo + k + 1]!;
    else for (let k = 1; k < length; k++) stretch[k] = old[lo + k - 1]!;
    stretch[to - lo] = old[from]!;
    /** Where the others come from: one place on, or one back. */
    const by = to > from ? 1 : -1;
    const own = touched[this.order[from]!]!;
    const { first, last } = this.#spans;
    const stamp = ++this.#stamp;
    const change = this.#change.fill(0, 0, length + 1);
    const add = (begin: number, end: number, amount: number): void => {
      const a = Math.max(0, begin - lo);
      const b = Math.min(length, end + 1 - lo);
      if (a >= b) return;
      change[a]! += amount;
      change[b]! -= amount;
    };
    for (let i = 0; i < own.length; i++) {
      const id = own[i]!;
      this.#seen[id] = stamp;
      this.#spanIf(id, from, to);
      add(first[id]! - by, last[id]! - by, -bytes[id]!);
      add(this.#first[id]!, this.#last[id]!, bytes[id]!);
    }
    const spans = { first: this.#first, last: this.#last };
    const live = this.#alive;
    const saved = this.#savings;
    let more = 0;
    for (let k = 0; k < length; k++) {
      const step = stretch[k]!;
      this.#effort -= touched[step]!.length + 1;
      more += change[k]!;
      if (lo + k === to) continue;
      const at = lo + k + by;
      const before = this.#saved[at]!;
      let less = before;
      const list = pairs[step]!;
      if (list.length > 0 && this.#isTouched(list, stamp)) {
        for (const pair of list)
          for (const id of pair) if (this.#seen[id] !== stamp) this.#shift(id, from, to);
        less = savedAt(this.#model, step, lo + k, spans);
      }
      const now = this.#live[at]! + before + more - less;
      if (now > most) return null;
      saved[k] = less;
      live[k] = now;
    }
    // At the new place of the step: what is alive at its neighbour and does not end there, and what it touches.
    const neighbour = to - by - lo;
    let now = live[neighbour]! + saved[neighbour]!;
    for (let i = 0; i < own.length; i++) {
      const id = own[i]!;
      const isAlive = this.#first[id]! <= to - by && this.#last[id]! >= to - by;
      if (!isAlive) now += bytes[id]!;
    }
    const others = touched[stretch[neighbour]!]!;
    for (let i = 0; i < others.length; i++) {
      const id = others[i]!;
      if (this.#seen[id] === stamp) continue;
      // It was the step at `to`: what ends (or begins, for a step that rises) with it has its old place there.
      if ((by > 0 ? last[id] : first[id]) === to) now -= bytes[id]!;
    }
    const step = stretch[to - lo]!;
    saved[to - lo] = savedAt(this.#model, step, to, spans);
    live[to - lo] = now - saved[to - lo]!;
    return live;
  }

  #isTouched(pairs: LiveModel['pairs'][number], stamp: number): boolean {
    for (let k = 0; k < pairs.length; k++) {
      const pair = pairs[k]!;
      if (this.#seen[pair[0]] === stamp || this.#seen[pair[1]] === stamp) return true;
    }
    return false;
  }

  /** The span of a buffer that the moved step touches, if the move were made. */
  #spanIf(id: number, from: number, to: number): void {
    const { isInput, isOutput } = this.#model;
    const users = this.#users[id]!;
    const n = this.order.length;
    let first = isInput[id] ? -1 : n;
    let last = isOutput[id] ? n : -1;
    for (let i = 0; i < users.length; i++) {
      const position = this.#position[users[i]!]!;
      const at = position === from ? to : moved(position, from, to);
      if (at < first) first = at;
      if (at > last) last = at;
    }
    this.#first[id] = first;
    this.#last[id] = last;
  }

  /** The same for one that it does not touch. */
  #shift(id: number, from: number, to: number): void {
    this.#first[id] = moved(this.#spans.first[id]!, from, to);
    this.#last[id] = moved(this.#spans.last[id]!, from, to);
  }

  /** Makes the move in the spans: after `liveIf`. */
  #moveSpans(from: number, to: number): void {
    const { first, last } = this.#spans;
    const stamp = this.#stamp;
    const ids: number[] = [];
    for (let k = Math.min(from, to); k <= Math.max(from, to); k++) {
      for (const id of this.#model.touched[this.order[k]!]!) {
        if (this.#seen[id] !== stamp) {
          this.#seen[id] = stamp;
          this.#shift(id, from, to);
        }
        ids.push(id);
      }
    }
    for (const id of ids) {
      first[id] = this.#first[id]!;
      last[id] = this.#last[id]!;
    }
  }
}

/** Where a position is, other than that of the moved step, after a move. */
function moved(position: number, from: number, to: number): number {
  if (position > from && position <= to) return position - 1;
  return position >= to && position < from ? position + 1 : position;
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
