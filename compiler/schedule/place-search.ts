// Branch and bound for placement below a given capacity, in the manner of MiniMalloc (Moffitt, ASPLOS 2023).
//
// Buffers are placed from the bottom upwards, in order of their offsets: each comes to lie on the highest buffer below
// it, as every solution can be pushed down until it has this form. A partial placement is given up as soon as
//   - a buffer, or the sum of what is still to come in a clique, no longer fits under the capacity;
//   - a buffer that is still to come would fit wholly below the one that is placed now: it should have come before.
// When what is left falls apart in time, the parts are solved one by one. Work is counted, not timed.

import type { Amounts } from './amounts.ts';
import type { Problem } from './place-problem.ts';

export interface SearchResult {
  /** Null when none was found: there is none if `isComplete`. */
  readonly offsets: Float64Array | null;
  readonly isComplete: boolean;
  /** Buffers looked at. */
  readonly work: number;
}

/** `rank[i]`: among buffers that could come next at the same offset, lower ranks are tried first. Must be distinct. */
export function searchPlacement(
  problem: Problem,
  capacity: number,
  rank: Int32Array,
  workLimit: number,
): SearchResult {
  const search = new Search(problem, capacity, rank, workLimit);
  if (problem.lowerBound > capacity) return { offsets: null, isComplete: true, work: 0 };
  const all = Int32Array.from({ length: problem.count }, (_, i) => i).sort((a, b) => rank[a]! - rank[b]!);
  const found = search.solveParts(all);
  return { offsets: found ? search.offsets : null, isComplete: !search.isExhausted, work: search.work };
}

const birth = 1;
const death = 2;

class Search {
  readonly offsets: Float64Array;
  work = 0;
  isExhausted = false;

  readonly #size: Amounts;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #rank: Int32Array;
  readonly #capacity: number;
  readonly #workLimit: number;
  /** Per buffer: the top of the highest placed buffer that it meets. */
  readonly #base: Float64Array;
  /** Scratch of `#fits`: per buffer, and per clique. */
  readonly #release: Float64Array;
  readonly #tops: Float64Array;
  readonly #ends: Float64Array;
  /** Scratch of `#mergeCliques`: per clique, and per buffer. */
  readonly #events: Uint8Array;
  readonly #merged: Int32Array;
  readonly #firstMerged: Int32Array;
  readonly #lastMerged: Int32Array;

  constructor(problem: Problem, capacity: number, rank: Int32Array, workLimit: number) {
    this.#size = problem.size;
    this.#first = problem.first;
    this.#last = problem.last;
    this.#rank = rank;
    this.#capacity = capacity;
    this.#workLimit = workLimit;
    this.offsets = new Float64Array(problem.count);
    this.#base = new Float64Array(problem.count);
    this.#release = new Float64Array(problem.count);
    this.#tops = new Float64Array(problem.cliques);
    this.#ends = new Float64Array(problem.cliques);
    this.#events = new Uint8Array(problem.cliques);
    this.#merged = new Int32Array(problem.cliques);
    this.#firstMerged = new Int32Array(problem.count);
    this.#lastMerged = new Int32Array(problem.count);
  }

  /** Solves the parts of `buffers` that do not meet in time. */
  solveParts(buffers: Int32Array, floor = 0, lastRank = -1): boolean {
    for (const part of this.#split(buffers)) if (!this.#solve(part, floor, lastRank)) return false;
    return true;
  }

  /** Sorts `buffers` on the way. No buffer may lie below `floor`, and none at it that has a rank below `lastRank`. */
  #solve(buffers: Int32Array, floor: number, lastRank: number): boolean {
    const base = this.#base;
    const size = this.#size;
    const n = buffers.length;
    if (n === 1) {
      const i = buffers[0]!;
      this.offsets[i] = base[i]!;
      return base[i]! + size[i]! <= this.#capacity;
    }
    this.work += n;
    if (this.work > this.#workLimit) {
      this.isExhausted = true;
      return false;
    }
    if (!this.#fits(buffers, floor, lastRank)) return false;
    let ceiling = Number.POSITIVE_INFINITY;
    for (let k = 0; k < n; k++) {
      const i = buffers[k]!;
      const top = base[i]! + size[i]!;
      if (top < ceiling) ceiling = top;
    }
    const candidates: number[] = [];
    for (let k = 0; k < n; k++) {
      const i = buffers[k]!;
      const at = base[i]!;
      if (at < ceiling && (at > floor || (at === floor && this.#rank[i]! > lastRank))) candidates.push(i);
    }
    const others = new Int32Array(n - 1);
    for (const i of candidates) {
      let filled = 0;
      for (let k = 0; k < n; k++) if (buffers[k] !== i) others[filled++] = buffers[k]!;
      if (this.#place(i, others)) return true;
      if (this.isExhausted) return false;
    }
    return false;
  }

  #place(i: number, others: Int32Array): boolean {
    const base = this.#base;
    const first = this.#first;
    const last = this.#last;
    const at = base[i]!;
    const top = at + this.#size[i]!;
    // The search below sorts what it is given, so it gets a copy.
    const saved = new Float64Array(others.length);
    for (let k = 0; k < others.length; k++) {
      const j = others[k]!;
      saved[k] = base[j]!;
      if (first[j]! <= last[i]! && last[j]! >= first[i]! && base[j]! < top) base[j] = top;
    }
    this.offsets[i] = at;
    if (this.solveParts(others.slice(), at, this.#rank[i]!)) return true;
    for (let k = 0; k < others.length; k++) base[others[k]!] = saved[k]!;
    return false;
  }

  /**
   * Whether every clique can still stay under the capacity. Bases are release times: the buffers of a clique come one
   * after another, each not before its base, so the earliest end is known exactly. A buffer that could have been placed
   * before and was not will lie on one that is still to come.
   */
  #fits(buffers: Int32Array, floor: number, lastRank: number): boolean {
    const base = this.#base;
    const size = this.#size;
    const tops = this.#tops;
    const ends = this.#ends;
    const { first, last, count } = this.#mergeCliques(buffers);
    tops.fill(Number.POSITIVE_INFINITY, 0, count);
    for (let k = 0; k < buffers.length; k++) {
      const i = buffers[k]!;
      const at = base[i]!;
      const top = Math.max(at, floor) + size[i]!;
      if (top > this.#capacity) return false;
      const end = last[i]!;
      for (let c = first[i]!; c <= end; c++) if (top < tops[c]!) tops[c] = top;
    }
    const release = this.#release;
    for (let k = 0; k < buffers.length; k++) {
      const i = buffers[k]!;
      let at = base[i]!;
      if (at < floor || (at === floor && this.#rank[i]! < lastRank)) {
        at = Number.POSITIVE_INFINITY;
        const end = last[i]!;
        for (let c = first[i]!; c <= end; c++) if (tops[c]! < at) at = tops[c]!;
      }
      release[i] = at;
    }
    this.#sort(buffers);
    ends.fill(0, 0, count);
    for (let k = 0; k < buffers.length; k++) {
      const i = buffers[k]!;
      const at = release[i]!;
      const bytes = size[i]!;
      // No clique ends later than this buffer can, unless it is full: one comparison for each.
      const latest = this.#capacity - bytes;
      if (at > latest) return false;
      const end = last[i]!;
      for (let c = first[i]!; c <= end; c++) {
        const before = ends[c]!;
        if (before > latest) return false;
        ends[c] = Math.max(before, at) + bytes;
      }
    }
    return true;
  }

  /**
   * Cliques of the buffers that are left: of those of the whole problem, most are parts of others by now. A clique is a
   * run of births and the deaths after it, until the next birth; all buffers that meet the run are alive at once.
   */
  #mergeCliques(buffers: Int32Array): { first: Int32Array; last: Int32Array; count: number } {
    const first = this.#first;
    const last = this.#last;
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let k = 0; k < buffers.length; k++) {
      const i = buffers[k]!;
      if (first[i]! < from) from = first[i]!;
      if (last[i]! > to) to = last[i]!;
    }
    const events = this.#events.fill(0, from, to + 1);
    for (let k = 0; k < buffers.length; k++) {
      const i = buffers[k]!;
      events[first[i]!]! |= birth;
      events[last[i]!]! |= death;
    }
    const merged = this.#merged;
    let id = -1;
    let isClosed = true;
    for (let c = from; c <= to; c++) {
      const event = events[c]!;
      if (isClosed && (event & birth) !== 0) {
        id++;
        isClosed = false;
      }
      merged[c] = id;
      if ((event & death) !== 0) isClosed = true;
    }
    for (let k = 0; k < buffers.length; k++) {
      const i = buffers[k]!;
      this.#firstMerged[i] = merged[first[i]!]!;
      this.#lastMerged[i] = merged[last[i]!]!;
    }
    return { first: this.#firstMerged, last: this.#lastMerged, count: id + 1 };
  }

  /** By release, then by rank. Insertion sort: the order is nearly that of the step before. */
  #sort(buffers: Int32Array): void {
    const release = this.#release;
    const rank = this.#rank;
    for (let k = 1; k < buffers.length; k++) {
      const i = buffers[k]!;
      const at = release[i]!;
      let p = k - 1;
      for (; p >= 0; p--) {
        const j = buffers[p]!;
        if (release[j]! < at || (release[j] === at && rank[j]! < rank[i]!)) break;
        buffers[p + 1] = j;
      }
      buffers[p + 1] = i;
    }
  }

  /** Groups of buffers whose cliques do not overlap; each keeps its order. */
  #split(buffers: Int32Array): Int32Array[] {
    const n = buffers.length;
    if (n <= 1) return n === 0 ? [] : [buffers];
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let k = 0; k < n; k++) {
      from = Math.min(from, this.#first[buffers[k]!]!);
      to = Math.max(to, this.#last[buffers[k]!]!);
    }
    // reach[c]: the last clique of buffers that start at c.
    const reach = new Int32Array(to - from + 1).fill(-1);
    for (let k = 0; k < n; k++) {
      const i = buffers[k]!;
      const c = this.#first[i]! - from;
      reach[c] = Math.max(reach[c]!, this.#last[i]! - from);
    }
    const partOf = new Int32Array(to - from + 1);
    let parts = 0;
    let end = -1;
    for (let c = 0; c < reach.length; c++) {
      if (c > end) parts++;
      end = Math.max(end, reach[c]!);
      partOf[c] = parts - 1;
    }
    if (parts === 1) return [buffers];
    const lists: number[][] = Array.from({ length: parts }, () => []);
    for (let k = 0; k < n; k++) lists[partOf[this.#first[buffers[k]!]! - from]!]!.push(buffers[k]!);
    return lists.filter((l) => l.length > 0).map((l) => Int32Array.from(l));
  }
}
