// Sorting along an axis: sort, argsort, topK and kthValue. The order is found as positions (sort-order.ts), which have no gradient;
// values are gathered by them, so that gradients go back to where the elements came from. All sorts are stable. NaN
// counts as largest: it stands last in ascending order, as in NumPy, and first in descending order.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Replaced, Takes } from '../graph/shape-types-axis.ts';
import type { Reduced } from '../graph/shape-types-view.ts';
import type { DType, Shape } from '../graph/types.ts';
import { normalizeAxis } from './attrs.ts';
import { gatherAt } from './gather.ts';
import { backFromLast, lastAxis } from './last-axis.ts';
import { refuse } from './refuse.ts';
import { squeeze } from './shape.ts';
import { slice } from './slice.ts';
import { sortedPositions } from './sort-order.ts';

export interface SortOptions {
  /** From the largest to the smallest (default false). */
  readonly descending?: boolean;
}

/**
 * Elements in ascending order along an axis (the last by default; negative ones count from the end). Equal elements keep
 * their order, NaN stands last (first when descending). Any dtype. The gradient goes to where each element came from.
 * Throws HDL0003.
 *
 *     sort(x, 1); // [[3, 1, 2]] → [[1, 2, 3]]
 */
export function sort<X extends Node>(
  x: X,
  axis: number = -1,
  options: SortOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  const a = normalizeAxis('sort', x, axis);
  const y = scope('sort', () => {
    const row = lastAxis(x, a);
    return backFromLast(take(row, sortedPositions(row, options.descending ?? false)), a);
  });
  return y as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Positions (i32) of the elements in ascending order along an axis (the last by default). Otherwise as `sort`; it has no
 * gradient.
 *
 *     argsort(x, 1); // [[3, 1, 2]] → [[1, 2, 0]]
 */
export function argsort<X extends Node>(
  x: X,
  axis: number = -1,
  options: SortOptions = {},
): Node<ShapeOf<X>, 'i32'> {
  const a = normalizeAxis('argsort', x, axis);
  const y = scope('argsort', () =>
    backFromLast(sortedPositions(lastAxis(x, a), options.descending ?? false), a),
  );
  return y as Node<ShapeOf<X>, 'i32'>;
}

export interface TopKOptions {
  /** Whether to take the smallest elements instead, the smallest first (default false). */
  readonly smallest?: boolean;
}

export interface TopK<S extends Shape = Shape, D extends DType = DType> {
  readonly values: Node<S, D>;
  /** i32: where each value stands along the axis. */
  readonly indices: Node<S, 'i32'>;
}

/**
 * The k largest elements along an axis (the last by default), the largest first, and their positions; of equal ones the
 * first. NaN counts as largest. Any dtype. The gradient of the values goes to where they came from. Throws HDL0003.
 *
 *     const { values, indices } = topK(logits, 5); // f32[64, 1000] → f32[64, 5], i32[64, 5]
 */
export function topK<X extends Node, const K extends number, const A extends number = -1>(
  x: X,
  k: K & Takes<ShapeOf<X>, A, K>,
  axis?: A,
  options: TopKOptions = {},
): TopK<Replaced<ShapeOf<X>, A, K>, DTypeOf<X>> {
  const a = normalizeAxis('topK', x, axis ?? -1);
  const n = x.type.shape[a]!;
  if (!Number.isInteger(k) || k < 0 || k > n) {
    throw compilerError('HDL0003', {
      what: `topK(${describeNode(x)}, ${k}, axis: ${a})`,
      rule: `k is an integer in [0, ${n}], the size of the axis`,
      hint: 'take fewer elements, or another axis',
      loc: callerLocation(),
    });
  }
  return scope('topK', () => {
    const row = lastAxis(x as Node, a);
    const order = sortedPositions(row, !(options.smallest ?? false));
    const limits = order.type.shape.map((size, d) => (d === order.type.shape.length - 1 ? k : size));
    const first = slice(
      order,
      limits.map(() => 0),
      limits,
    );
    return {
      values: backFromLast(take(row, first), a) as Node<Replaced<ShapeOf<X>, A, K>, DTypeOf<X>>,
      indices: backFromLast(first, a) as Node<Replaced<ShapeOf<X>, A, K>, 'i32'>,
    };
  });
}

export interface KthOptions<K extends boolean = boolean> {
  /** Whether the axis stays, with size 1 (default false). */
  readonly keepDims?: K;
}

/**
 * The k-th smallest element along an axis (the last by default), counted from 1, and its position; of equal ones in their order. NaN
 * counts as largest. Any dtype. The gradient of the values goes to where they came from. Throws HDL0003.
 *
 * @formula y = sorted(x)[k − 1]
 * @example kthValue(x, 2).values // [[3, 1, 2]] → [2]
 */
export function kthValue<X extends Node, const A extends number = -1, D extends boolean = false>(
  x: X,
  k: number,
  axis?: A,
  options: KthOptions<D> = {},
): TopK<Reduced<ShapeOf<X>, A, D>, DTypeOf<X>> {
  const a = normalizeAxis('kthValue', x, axis ?? -1);
  const n = x.type.shape[a]!;
  if (!Number.isInteger(k) || k < 1 || k > n) {
    const what = `kthValue(${describeNode(x)}, ${k}, axis: ${a})`;
    refuse('HDL0003', what, `k is an integer in [1, ${n}]: it counts from 1`, 'the smallest is k = 1');
  }
  return scope('kthValue', () => {
    const row = lastAxis(x as Node, a);
    const order = sortedPositions(row, false);
    const last = order.type.shape.length - 1;
    const at = slice(
      order,
      order.type.shape.map((_, d) => (d === last ? k - 1 : 0)),
      order.type.shape.map((size, d) => (d === last ? k : size)),
    );
    const put = (v: Node): Node => (options.keepDims ? backFromLast(v, a) : squeeze(v, last));
    return {
      values: put(take(row, at)) as Node<Reduced<ShapeOf<X>, A, D>, DTypeOf<X>>,
      indices: put(at) as Node<Reduced<ShapeOf<X>, A, D>, 'i32'>,
    };
  });
}

/** Elements of each row at positions that are known to lie in it. */
function take(row: Node, positions: Node): Node {
  const batch = row.type.shape.length - 1;
  return gatherAt(row, positions, { axis: batch, batch });
}
