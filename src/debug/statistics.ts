// Statistics of a value as part of a graph: one vector of numbers per value, computed by the workers in the step itself, so
// that looking at values costs their traversals and no copies.
//
//     0 min   1 max   2 mean   3 norm (L2)   4 share of zeros   5 elements that are NaN or infinite   6… histogram
//
// The histogram has bins of equal width between min and max. Their counts are differences of the numbers of elements below
// each edge, exact up to 2^24 elements.

import type { Node, Tensor } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import {
  abs,
  add,
  cast,
  concat,
  constant,
  eq,
  le,
  lt,
  max,
  mean,
  min,
  mul,
  reshape,
  sqrt,
  square,
  sub,
  sum,
} from '../../compiler/ops/index.ts';

/** Numbers before the histogram. */
const head = 6;

export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** √Σx² */
  readonly norm: number;
  /** Share of elements that are 0. */
  readonly zeros: number;
  /** Elements that are NaN or infinite; the other figures then are, too. */
  readonly notFinite: number;
  /** Elements in bins of equal width from min to max; empty when none was asked for. */
  readonly histogram: readonly number[];
}

/** f32[head + bins] */
export function statisticsNode(value: Node, bins: number): Node {
  const x = reshape(value as Tensor, [elementCount(value.type.shape)]) as Tensor<readonly [number]>;
  const one = (v: Node): Node => reshape(v as Tensor, [1]);
  const share = (condition: Node): Node => mean(cast(condition as Tensor, 'f32') as Tensor);
  const low = min(x);
  const high = max(x);
  const largest = constant(3.4028234663852886e38);
  const isNumber = le(abs(x), largest);
  const parts: Node[] = [
    low,
    high,
    mean(x),
    sqrt(sum(square(x))),
    share(eq(x, 0)),
    sum(sub(1, cast(isNumber, 'f32') as Tensor)),
  ].map(one);
  if (bins > 0) parts.push(histogram(x, low as Tensor, high as Tensor, bins));
  return concat(parts as Tensor[], 0);
}

function histogram(x: Tensor<readonly [number]>, low: Tensor, high: Tensor, bins: number): Node {
  const n = x.type.shape[0];
  if (bins === 1) return constant([n]);
  const fractions = constant(Array.from({ length: bins - 1 }, (_, k) => (k + 1) / bins));
  const edges = add(low, mul(sub(high, low), fractions)) as Tensor;
  const isBelow = lt(reshape(x, [1, n]) as Tensor, reshape(edges, [bins - 1, 1]) as Tensor);
  const below = sum(cast(isBelow, 'f32') as Tensor, [1]) as Tensor;
  const upper = concat([below, constant([n])] as Tensor[], 0);
  const lower = concat([constant([0]), below] as Tensor[], 0);
  return sub(upper as Tensor, lower as Tensor);
}

/** The vector of one value, read. */
export function readStatistics(data: ArrayLike<number>, from: number, bins: number): Statistics {
  const [min, max, mean, norm, zeros, notFinite] = Array.from({ length: head }, (_, i) => data[from + i]!);
  return {
    min: min!,
    max: max!,
    mean: mean!,
    norm: norm!,
    zeros: zeros!,
    notFinite: notFinite!,
    histogram: Array.from({ length: bins }, (_, i) => data[from + head + i]!),
  };
}

/** Numbers per value. */
export function statisticsLength(bins: number): number {
  return head + bins;
}
