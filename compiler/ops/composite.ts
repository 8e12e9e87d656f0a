// Functions of several primitives around sums: mean, variance, softmax and their kin. Each is a scope of its own name in
// dumps. All take f32.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { normalizeAxes, normalizeAxis, requireFloats } from './attrs.ts';
import { sum } from './broadcast.ts';
import { eq, where } from './compare.ts';
import { stopGradient } from './convert.ts';
import { max } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { squeeze } from './shape.ts';
import { abs, exp, log } from './unary.ts';

/**
 * Mean over axes (all by default; negative ones count from the end); NaN of no elements. f32. Throws HDL0002, HDL0003.
 *
 *     mean(x, 0); // f32[64, 10] → f32[10]
 */
export function mean<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'mean', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('mean', x);
  const count = countAlong('mean', x, axes);
  const y = scope('mean', () => div(sum(x as Node, axes, options), count));
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

export interface VarianceOptions<K extends boolean = boolean> extends ReduceOptions<K> {
  /** Subtracted from the number of elements before dividing: 0 (default) for the population, 1 for a sample. */
  readonly ddof?: number;
}

/**
 * Variance over axes (all by default): the mean square of the distance to the mean, in two passes, so that it stays
 * accurate when the mean is large. f32. Throws HDL0002, HDL0003 (also when `ddof` leaves nothing to divide by).
 *
 *     variance(x, 0, { ddof: 1 }); // f32[64, 10] → f32[10]
 */
export function variance<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'variance', X, 'f32'>,
  axes?: A,
  options: VarianceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('variance', x);
  const { ddof = 0 } = options;
  const count = countAlong('variance', x, axes);
  if (!(count - ddof > 0)) {
    throw compilerError('HDL0003', {
      what: `variance(${describeNode(x)}, ddof: ${ddof})`,
      rule: `${count} elements less ddof ${ddof} leave nothing to divide by`,
      hint: 'reduce over more elements, or leave ddof out',
      loc: callerLocation(),
    });
  }
  const y = scope('variance', () => {
    const centred = sub(x as Node, mean(x as Node, axes, { keepDims: true }));
    return div(sum(mul(centred, centred), axes, options), count - ddof);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * log Σ exp(x) over axes (all by default), without overflow: the largest element is taken out first. −∞ of no elements
 * and of −∞ alone. f32. Throws HDL0002, HDL0003.
 *
 *     logSumExp(logits, 1); // f32[64, 10] → f32[64]
 */
export function logSumExp<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'logSumExp', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('logSumExp', x);
  const list = normalizeAxes('logSumExp', x, axes);
  const y = scope('logSumExp', () => {
    const top: Node = stopGradient(max(x as Node, list, { keepDims: true }));
    // x − ∞ would be NaN where all elements are −∞, or where one is +∞.
    const shift = where(eq(abs(top), Number.POSITIVE_INFINITY), 0, top);
    const sums: Node = add(log(sum(exp(sub(x as Node, shift)), list, { keepDims: true })), shift);
    return options.keepDims ? sums : squeeze(sums, list);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * exp(x) / Σ exp(x) along an axis (the last by default), without overflow. f32. Throws HDL0002, HDL0003.
 *
 *     softmax(logits); // f32[64, 10] → f32[64, 10], rows add up to 1
 */
export function softmax<X extends Node>(
  x: X & Accepts<'softmax', X, 'f32'>,
  axis: number = -1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireFloats('softmax', x);
  const a = normalizeAxis('softmax', x, axis);
  return scope('softmax', () => {
    const powers = exp(sub(x as Node, largestAlong(x, a)));
    return div(powers, sum(powers, a, { keepDims: true })) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
  });
}

/**
 * log(softmax(x)) along an axis (the last by default), accurate also where the softmax is close to 0. f32. Throws
 * HDL0002, HDL0003.
 *
 *     logSoftmax(logits); // f32[64, 10] → f32[64, 10]
 */
export function logSoftmax<X extends Node>(
  x: X & Accepts<'logSoftmax', X, 'f32'>,
  axis: number = -1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireFloats('logSoftmax', x);
  const a = normalizeAxis('logSoftmax', x, axis);
  return scope('logSoftmax', () => {
    const shifted = sub(x as Node, largestAlong(x, a));
    const total = log(sum(exp(shifted), a, { keepDims: true }));
    return sub(shifted, total) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
  });
}

/** The largest element, as a constant: what is subtracted cancels, so no gradient passes through it. */
function largestAlong(x: Node, axis: number): Node {
  return stopGradient(max(x, axis, { keepDims: true }));
}

/** Number of elements that go into one. */
function countAlong(fn: string, x: Node, axes: Axes | undefined): number {
  return normalizeAxes(fn, x, axes).reduce((n, a) => n * x.type.shape[a]!, 1);
}
