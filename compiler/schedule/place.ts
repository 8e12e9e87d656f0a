// The memory planner: gives every buffer an offset in the arena so that buffers that are alive at once do not overlap.
//
// First fit and best fit in several orders; then, for problems that are not too large, one walk down for the lower bound
// itself; then the buffers that stick out are moved forward in the order, again and again; then branch and bound for the
// lower bound and, when that fails, for what lies between it and the best known. All of it stops at the lower bound, and effort is counted in looks at
// buffers, never in time: the same problem always gets the same placement.

import type { Amounts } from './amounts.ts';
import { fitInOrder } from './place-fit.ts';
import { type Interval, makeProblem, type Problem } from './place-problem.ts';
import { searchPlacement } from './place-search.ts';

export interface PlaceOptions {
  /** Offsets and sizes are multiples of this many bytes. */
  readonly alignment: number;
  /** Looks at buffers that may be spent on improving: 1e6 are about a quarter of a second. */
  readonly effort?: number;
}

export interface Placement {
  /** One per interval, in the order given. */
  readonly offsets: readonly number[];
  /** Largest offset + size. */
  readonly height: number;
  /** The largest sum of bytes alive at once. */
  readonly lowerBound: number;
}

export const defaultEffort = 1_000_000;

/** Branch and bound recurses once per buffer. */
const largestSearch = 1000;
const repairRounds = 200;
/** Capacities that are tried between the lower bound and the best known, when the lower bound is not reached. */
const bisections = 6;
/** What is left to gain is little below this part of the lower bound: it is worth an eighth of the work then. */
const nearlyThere = 1 / 256;

/**
 * Places buffers, each alive in steps `from` to `to` (both included).
 *
 *     place([{ id: 0, from: 0, to: 1, bytes: 64 }, { id: 1, from: 2, to: 3, bytes: 64 }], { alignment: 64 })
 *     // { offsets: [0, 0], height: 64, lowerBound: 64 }
 */
export function place(intervals: readonly Interval[], options: PlaceOptions): Placement {
  const positions = intervals.map((_, i) => i).filter((i) => intervals[i]!.bytes > 0);
  const problem = makeProblem(
    positions.map((i) => intervals[i]!),
    options.alignment,
  );
  const best = solve(problem, options.effort ?? defaultEffort);
  const offsets = new Array<number>(intervals.length).fill(0);
  positions.forEach((i, k) => {
    offsets[i] = best.offsets[k]!;
  });
  return { offsets, height: best.height, lowerBound: problem.lowerBound };
}

interface Best {
  offsets: Amounts;
  height: number;
}

function solve(problem: Problem, effort: number): Best {
  const best: Best = { offsets: new Float64Array(problem.count), height: Number.POSITIVE_INFINITY };
  if (problem.count === 0) return { ...best, height: 0 };
  const isDone = (): boolean => best.height <= problem.lowerBound;
  let left = effort;
  let bestOrder: Int32Array | null = null;
  for (const order of fitOrders(problem)) {
    for (const choice of ['first', 'best'] as const) {
      const fit = fitInOrder(problem, order, choice);
      left -= fit.work;
      if (fit.height < best.height) {
        Object.assign(best, { offsets: fit.offsets, height: fit.height });
        bestOrder = order;
      }
      if (isDone() || left < 0) return best;
    }
  }
  const isSearched = problem.count <= largestSearch;
  if (isSearched) left -= dive(problem, best);
  if (isDone() || left < 0) return best;
  const isNear = best.height - problem.lowerBound <= nearlyThere * problem.lowerBound;
  left -= repair(problem, bestOrder!, best, isNear ? left / 32 : left / 4);
  const rest = isNear ? left / 8 : left;
  // Of so little work the first attempt would take all, and do what the dive has done.
  const isRepetition = isNear && rest <= 2 * diveWork(problem);
  if (!isDone() && isSearched && !isRepetition) searchBelow(problem, best, rest);
  return best;
}

/** Walking down once without turning back costs about half of count². */
function diveWork({ count }: Problem): number {
  return count * count;
}

/** Walks down once at the lower bound, and nearly straight: that often is enough. Returns its work. */
function dive(problem: Problem, best: Best): number {
  const { tight } = searchRanks(problem);
  const result = searchPlacement(problem, problem.lowerBound, tight[0]!, 0.75 * diveWork(problem));
  if (result.offsets)
    Object.assign(best, { offsets: result.offsets, height: topOf(problem, result.offsets) });
  return result.work;
}

/** Moves the buffer that sticks out halfway to the front of the order; keeps what is no worse. Returns its work. */
function repair(problem: Problem, start: Int32Array, best: Best, effort: number): number {
  let order = start;
  let height = best.height;
  let offsets = best.offsets;
  let work = 0;
  for (let round = 0; round < repairRounds && work < effort && best.height > problem.lowerBound; round++) {
    let highest = 0;
    for (let k = 0; k < order.length; k++) {
      const i = order[k]!;
      if (offsets[i]! + problem.size[i]! === height) highest = k;
    }
    if (highest === 0) break;
    const next = order.slice();
    const to = highest >> 1;
    next.copyWithin(to + 1, to, highest);
    next[to] = order[highest]!;
    const fit = fitInOrder(problem, next, 'first');
    work += fit.work;
    order = next;
    ({ height, offsets } = fit);
    if (height < best.height) Object.assign(best, { offsets, height });
  }
  return work;
}

/** Searches at the lower bound first, then between it and the best known. */
function searchBelow(problem: Problem, best: Best, effort: number): void {
  /** True when there is a placement. Each rank gets a share of the work; if `patient`, the first also what is left. */
  const attempt = (
    capacity: number,
    limit: number,
    ranks: readonly Int32Array[],
    patient: boolean,
  ): boolean => {
    const share = Math.max(diveWork(problem), patient ? limit / 32 : limit / ranks.length);
    let left = limit;
    for (const [k, rank] of [...ranks, ...(patient ? [ranks[0]!] : [])].entries()) {
      if (left <= 0) return false;
      const result = searchPlacement(problem, capacity, rank, k < ranks.length ? share : left);
      left -= result.work;
      if (result.offsets) {
        Object.assign(best, { offsets: result.offsets, height: topOf(problem, result.offsets) });
        return true;
      }
      if (result.isComplete) return false;
    }
    return false;
  };
  const { tight, loose } = searchRanks(problem);
  if (attempt(problem.lowerBound, effort / 2, tight, true)) return;
  let low = problem.lowerBound;
  for (let k = 0; k < bisections && best.height - low > nearlyThere * problem.lowerBound; k++) {
    const middle = (low + best.height) / 2;
    if (!attempt(middle, effort / 2 / bisections, loose, false)) low = middle;
  }
}

function topOf(problem: Problem, offsets: Amounts): number {
  let top = 0;
  for (let i = 0; i < offsets.length; i++) top = Math.max(top, offsets[i]! + problem.size[i]!);
  return top;
}

type Measure = (i: number) => number;

interface Measures {
  readonly size: Measure;
  readonly duration: Measure;
  readonly area: Measure;
  /** The fullest clique that the buffer is in. */
  readonly fullest: Measure;
}

function measuresOf(problem: Problem): Measures {
  const fullest = new Float64Array(problem.count);
  // Cliques in blocks, so that long lifetimes do not look at each.
  const block = 64;
  const blocks = Array.from({ length: Math.ceil(problem.cliques / block) }, (_, b) =>
    Math.max(0, ...problem.total.subarray(b * block, (b + 1) * block)),
  );
  for (let i = 0; i < problem.count; i++) {
    let most = 0;
    const last = problem.last[i]!;
    for (let c = problem.first[i]!; c <= last; c++) {
      if (c % block === 0 && c + block <= last + 1) {
        most = Math.max(most, blocks[c / block]!);
        c += block - 1;
      } else most = Math.max(most, problem.total[c]!);
    }
    fullest[i] = most;
  }
  return {
    size: (i) => problem.size[i]!,
    duration: (i) => problem.duration[i]!,
    area: (i) => problem.size[i]! * problem.duration[i]!,
    fullest: (i) => fullest[i]!,
  };
}

/** Each is made when the ones before did not do. */
function* fitOrders(problem: Problem): Generator<Int32Array> {
  const { size, duration, area, fullest } = measuresOf(problem);
  yield orderBy(problem.count, [size, duration]);
  yield orderBy(problem.count, [area, size]);
  yield orderBy(problem.count, [duration, size]);
  yield orderBy(problem.count, [fullest, size, duration]);
  yield orderBy(problem.count, [fullest, area]);
}

/**
 * Orders of the search, measured on MiniMalloc's problems: no single one is good at all of them. `tight` is for
 * capacities near the lower bound, `loose` for those with some slack.
 */
function searchRanks(problem: Problem): { tight: readonly Int32Array[]; loose: readonly Int32Array[] } {
  const { size, duration, area, fullest } = measuresOf(problem);
  const rank = (...keys: readonly Measure[]): Int32Array => {
    const result = new Int32Array(problem.count);
    orderBy(problem.count, keys).forEach((i, k) => {
      result[i] = k;
    });
    return result;
  };
  const byArea = rank(area, duration, fullest);
  const byFullest = rank(fullest, duration, area);
  const byDuration = rank(duration, size);
  const byFullestArea = rank(fullest, area, duration);
  return { tight: [byArea, byFullest, byFullestArea, byDuration], loose: [byFullest, byDuration, byArea] };
}

/** Positions by descending keys, the first deciding; ties in the order given. */
function orderBy(count: number, keys: readonly Measure[]): Int32Array {
  const columns = keys.map((key) => Float64Array.from({ length: count }, (_, i) => key(i)));
  return Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => {
    for (const column of columns) if (column[a] !== column[b]) return column[b]! - column[a]!;
    return a - b;
  });
}
