// Functions of several primitives around sums: mean, variance, softmax and their kin. Each is a scope of its own name in
// dumps. All take f32.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Shape } from '../graph/types.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { normalizeAxes, normalizeAxis, requireFloats } from './attrs.ts';
import { sum } from './broadcast.ts';
import { eq, where } from './compare.ts';
import { stopGradient } from './convert.ts';
import { max } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { squeeze } from './shape.ts';
import { abs, exp, log } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Axes = number | readonly number[];

/**
 * Mean over axes (all by default; negative ones count from the end); NaN of no elements. f32. Throws HDL0002, HDL0003.
 *
 *     mean(x, 0); // f32[64, 10] → f32[10]
 */
export function mean(x: Floats, axes?: Axes, options: ReduceOptions = {}): Floats {
  requireFloats('mean', x);
  const count = countAlong('mean', x, axes);
  return scope('mean', () => div(sum(x, axes, options), count) as Floats);
}

export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the number of elements before dividing: 0 (default) for the population, 1 for a sample. */
  readonly ddof?: number;
}

/**
 * Variance over axes (all by default): the mean square of the distance to the mean, in two passes, so that it stays
 * accurate when the mean is large. f32. Throws HDL0002, HDL0003 (also when `ddof` leaves nothing to divide by).
 *
 *     variance(x, 0, { ddof: 1 }); // f32[64, 10] → f32[10]
 */
export function variance(x: Floats, axes?: Axes, options: VarianceOptions = {}): Floats {
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
  return scope('variance', () => {
    const centred = sub(x, mean(x, axes, { keepDims: true }));
    return div(sum(mul(centred, centred), axes, options), count - ddof) as Floats;
  });
}

/**
 * log Σ exp(x) over axes (all by default), without overflow: the largest element is taken out first. −∞ of no elements
 * and of −∞ alone. f32. Throws HDL0002, HDL0003.
 *
 *     logSumExp(logits, 1); // f32[64, 10] → f32[64]
 */
export function logSumExp(x: Floats, axes?: Axes, options: ReduceOptions = {}): Floats {
  requireFloats('logSumExp', x);
  const list = normalizeAxes('logSumExp', x, axes);
  return scope('logSumExp', () => {
    const top = stopGradient(max(x, list, { keepDims: true }));
    // x − ∞ would be NaN where all elements are −∞, or where one is +∞.
    const shift = where(eq(abs(top), Number.POSITIVE_INFINITY), 0, top);
    const y = add(log(sum(exp(sub(x, shift)), list, { keepDims: true })), shift) as Floats;
    return options.keepDims ? y : squeeze(y, list);
  });
}

/**
 * exp(x) / Σ exp(x) along an axis (the last by default), without overflow. f32. Throws HDL0002, HDL0003.
 *
 *     softmax(logits); // f32[64, 10] → f32[64, 10], rows add up to 1
 */
export function softmax<S extends Shape>(x: Node<S, 'f32'>, axis: number = -1): Node<S, 'f32'> {
  requireFloats('softmax', x);
  const a = normalizeAxis('softmax', x, axis);
  return scope('softmax', () => {
    const powers = exp(sub(x as Floats, largestAlong(x, a)));
    return div(powers, sum(powers, a, { keepDims: true })) as Node as Node<S, 'f32'>;
  });
}

/**
 * log(softmax(x)) along an axis (the last by default), accurate also where the softmax is close to 0. f32. Throws
 * HDL0002, HDL0003.
 *
 *     logSoftmax(logits); // f32[64, 10] → f32[64, 10]
 */
export function logSoftmax<S extends Shape>(x: Node<S, 'f32'>, axis: number = -1): Node<S, 'f32'> {
  requireFloats('logSoftmax', x);
  const a = normalizeAxis('logSoftmax', x, axis);
  return scope('logSoftmax', () => {
    const shifted = sub(x as Floats, largestAlong(x, a));
    const total = log(sum(exp(shifted), a, { keepDims: true }));
    return sub(shifted, total) as Node as Node<S, 'f32'>;
  });
}

/** The largest element, as a constant: what is subtracted cancels, so no gradient passes through it. */
function largestAlong(x: Floats, axis: number): Floats {
  return stopGradient(max(x, axis, { keepDims: true })) as Floats;
}

/** Number of elements that go into one. */
function countAlong(fn: string, x: Node, axes: Axes | undefined): number {
  return normalizeAxes(fn, x, axes).reduce((n, a) => n * x.type.shape[a]!, 1);
}
