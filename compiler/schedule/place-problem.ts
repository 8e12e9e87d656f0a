// The placement problem in the form that its solvers share: flat arrays, and time cut down to what matters.
//
//   buffers as intervals of steps          the same over maximal cliques
//     a ──────                               a [0, 0]
//     b   ─────────                          b [0, 1]      clique 0 = {a, b}, clique 1 = {b, c}
//     c           ─────                      c [1, 1]
//
// Two intervals meet exactly if they share a maximal set of intervals that are alive at once, and those sets follow
// each other in time: so a buffer is a range of cliques, and the largest sum over a clique is the lower bound.

import { type Amounts, amounts } from './amounts.ts';

/** A buffer to be placed: alive in steps `from` to `to`, both included. */
export interface Interval {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

export interface Problem {
  readonly count: number;
  /** Bytes, rounded up to the alignment. */
  readonly size: Amounts;
  /** Steps in which the buffer is alive. */
  readonly duration: Int32Array;
  /** First and last clique of each buffer. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly cliques: number;
  /** Bytes of each clique. */
  readonly total: Amounts;
  /** The largest of `total`: no placement is lower. */
  readonly lowerBound: number;
  /** Bytes of all: no placement that leaves no gaps is higher. */
  readonly most: number;
}

/** Intervals in the order given; those of no bytes must have been left out. */
export function makeProblem(intervals: readonly Interval[], alignment: number): Problem {
  const count = intervals.length;
  const sizes = intervals.map((x) => Math.ceil(x.bytes / alignment) * alignment);
  const most = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const size = amounts(count, most);
  size.set(sizes);
  const duration = Int32Array.from(intervals, (x) => x.to - x.from + 1);
  const births = intervals.map((_, i) => i).sort((a, b) => intervals[a]!.from - intervals[b]!.from || a - b);
  const deaths = intervals.map((_, i) => i).sort((a, b) => intervals[a]!.to - intervals[b]!.to || a - b);
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  const totals: number[] = [];
  let live = 0;
  let born = 0;
  let isGrowing = false;
  for (const dying of deaths) {
    const end = intervals[dying]!.to;
    for (; born < count && intervals[births[born]!]!.from <= end; born++) {
      live += size[births[born]!]!;
      first[births[born]!] = totals.length;
      isGrowing = true;
    }
    // A death after a birth closes a clique; deaths that follow only leave it.
    if (isGrowing) totals.push(live);
    isGrowing = false;
    last[dying] = totals.length - 1;
    live -= size[dying]!;
  }
  const total = amounts(totals.length, most);
  total.set(totals);
  const lowerBound = totals.reduce((largest, bytes) => Math.max(largest, bytes), 0);
  return { count, size, duration, first, last, cliques: totals.length, total, lowerBound, most };
}

/** Largest offset + size. */
export function heightOf(problem: Problem, offsets: Amounts): number {
  let height = 0;
  for (let i = 0; i < problem.count; i++) height = Math.max(height, offsets[i]! + problem.size[i]!);
  return height;
}
