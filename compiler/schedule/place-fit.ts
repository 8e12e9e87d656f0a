// First fit and best fit: buffers in a given order, each into a hole between those placed before that it meets in time.
//
// Placed buffers are listed by offset, once for all of time and once per slice of it, since most buffers live briefly
// and need to look at one slice only.

import { type Amounts, amounts } from './amounts.ts';
import { heightOf, type Problem } from './place-problem.ts';

export interface Fit {
  readonly offsets: Amounts;
  readonly height: number;
  /** Placed buffers looked at: what an attempt costs. */
  readonly work: number;
}

const slices = 32;

/** `first`: the lowest hole that is large enough; `best`: the smallest. */
export function fitInOrder(problem: Problem, order: Int32Array, choice: 'first' | 'best'): Fit {
  const { count, size, first, last, cliques } = problem;
  const offsets = amounts(count, problem.most);
  const whole = new OffsetList(count);
  const width = Math.max(1, Math.ceil(cliques / slices));
  const parts = Array.from({ length: Math.ceil(cliques / width) }, () => new OffsetList(8));
  let work = 0;
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    const a = first[i]!;
    const b = last[i]!;
    const bytes = size[i]!;
    const slice = Math.floor(a / width);
    const list = slice === Math.floor(b / width) ? parts[slice]! : whole;
    let end = 0;
    let at = -1;
    let smallest = Number.POSITIVE_INFINITY;
    for (let p = 0; p < list.length; p++) {
      work++;
      const j = list.items[p]!;
      if (first[j]! > b || last[j]! < a) continue;
      const hole = offsets[j]! - end;
      if (hole >= bytes && hole < smallest) {
        at = end;
        if (choice === 'first') break;
        smallest = hole;
      }
      const top = offsets[j]! + size[j]!;
      if (top > end) end = top;
    }
    offsets[i] = at < 0 ? end : at;
    whole.insert(i, offsets);
    for (let s = slice; s <= Math.floor(b / width); s++) parts[s]!.insert(i, offsets);
  }
  return { offsets, height: heightOf(problem, offsets), work };
}

/** Buffers sorted by offset. */
class OffsetList {
  items: Int32Array;
  length = 0;

  constructor(capacity: number) {
    this.items = new Int32Array(Math.max(1, capacity));
  }

  insert(i: number, offsets: Amounts): void {
    if (this.length === this.items.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.items);
      this.items = larger;
    }
    let lo = 0;
    let hi = this.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (offsets[this.items[mid]!]! <= offsets[i]!) lo = mid + 1;
      else hi = mid;
    }
    this.items.copyWithin(lo + 1, lo, this.length);
    this.items[lo] = i;
    this.length++;
  }
}
