// Running sums, products and extremes along an axis. Each element is combined with the one 1, 2, 4, … places before it (Hillis and
// Steele, 1986): log₂ n steps of plain shifts, where every result is a sum over a tree of depth log₂ n, so that rounding
// grows with the logarithm of n and zeros do no harm to the gradients of products.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { neutral as neutralOf, type ScalarType } from '../kernel/expr.ts';
import { add, mul } from './arithmetic.ts';
import { normalizeAxis, numeric, requireDType, requireFloats } from './attrs.ts';
import { maximum, minimum } from './binary.ts';
import { logAddExp } from './pairs.ts';
import { padBy } from './slice.ts';

export interface CumulativeOptions {
  /** Leaves the element itself out: the first result is that of no elements (default false). */
  readonly exclusive?: boolean;
  /** Runs from the last element to the first (default false). */
  readonly reverse?: boolean;
}

/**
 * Sum of all elements up to each one, along an axis (the last by default; negative ones count from the end). f32, i32, u32
 * (integers wrap). The shape stays. Throws HDL0002, HDL0003.
 *
 *     cumsum(x, 1); // [[1, 2, 3]] → [[1, 3, 6]]
 */
export function cumsum<X extends Node>(
  x: X & Accepts<'cumsum', X, 'f32' | 'i32' | 'u32'>,
  axis: number = -1,
  options: CumulativeOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  return cumulate('cumsum', x, axis, options, 0, add) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Product of all elements up to each one, along an axis (the last by default). Otherwise as `cumsum`.
 *
 *     cumprod(x, 1); // [[1, 2, 3]] → [[1, 2, 6]]
 */
export function cumprod<X extends Node>(
  x: X & Accepts<'cumprod', X, 'f32' | 'i32' | 'u32'>,
  axis: number = -1,
  options: CumulativeOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  return cumulate('cumprod', x, axis, options, 1, mul) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Largest of all elements up to each one, along an axis (the last by default); NaN from the first NaN on. f32, i32, u32. The
 * gradient goes in shares to the elements that attain it. Otherwise as `cumsum`.
 *
 * @formula y[i] = max x[j] over j ≤ i
 * @example cummax(x, 1) // [[1, 3, 2]] → [[1, 3, 3]]
 */
export function cummax<X extends Node>(
  x: X & Accepts<'cummax', X, 'f32' | 'i32' | 'u32'>,
  axis: number = -1,
  options: CumulativeOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireDType('cummax', x, numeric);
  const least = neutralOf('max', x.type.dtype as ScalarType);
  return cumulate('cummax', x, axis, options, least, maximum) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Smallest of all elements up to each one, along an axis (the last by default). Otherwise as `cummax`.
 *
 * @formula y[i] = min x[j] over j ≤ i
 * @example cummin(x, 1) // [[2, 3, 1]] → [[2, 2, 1]]
 */
export function cummin<X extends Node>(
  x: X & Accepts<'cummin', X, 'f32' | 'i32' | 'u32'>,
  axis: number = -1,
  options: CumulativeOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireDType('cummin', x, numeric);
  const most = neutralOf('min', x.type.dtype as ScalarType);
  return cumulate('cummin', x, axis, options, most, minimum) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Logarithm of the sum of the exponentials of all elements up to each one, along an axis (the last by default), without overflow
 * on the way. f32. Throws HDL0002, HDL0003.
 *
 * @formula y[i] = ln Σ e^x[j] over j ≤ i
 * @example logCumSumExp(x, 1) // f32[64, 10] → f32[64, 10]
 */
export function logCumSumExp<X extends Node>(
  x: X & Accepts<'logCumSumExp', X, 'f32'>,
  axis: number = -1,
  options: CumulativeOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireFloats('logCumSumExp', x);
  const combine = (a: Node, b: Node): Node =>
    logAddExp(a as Node<Shape, 'f32'>, b as Node<Shape, 'f32'>) as Node;
  const y = cumulate('logCumSumExp', x, axis, options, Number.NEGATIVE_INFINITY, combine);
  return y as Node<ShapeOf<X>, DTypeOf<X>>;
}

function cumulate(
  fn: string,
  x: Node,
  axis: number,
  { exclusive = false, reverse = false }: CumulativeOptions,
  neutral: number,
  combine: (x: Node, y: Node) => Node,
): Node {
  const a = normalizeAxis(fn, x, axis);
  const n = x.type.shape[a]!;
  return scope(fn, () => {
    // The elements `by` places earlier in the order of the run, neutral ones at its start.
    const shifted = (y: Node, by: number): Node => {
      const widths = y.type.shape.map((_, d) => (d === a ? by : 0));
      const back = widths.map((w) => -w);
      return padBy(y, reverse ? { lo: back, hi: widths } : { lo: widths, hi: back }, neutral);
    };
    let y: Node = exclusive && n > 0 ? shifted(x, 1) : x;
    for (let by = 1; by < n; by *= 2) y = combine(y, shifted(y, by));
    return y;
  });
}
