// Activations that cut or shrink: zero, or a limit, in some range, a line elsewhere. All take f32 of any shape and pass NaN
// through. What the gradient is at a kink stands with each function.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { neg, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { ge, gt, le, where } from './compare.ts';
import { softmax } from './composite.ts';
import { composite } from './math.ts';
import { refuse } from './refuse.ts';
import { abs, tanh } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * x limited to [lo, hi], −1 and 1 unless given, with no gradient at the limits; `clip` has one there. f32. Throws HDL0002,
 * HDL0003 unless lo is below hi.
 *
 * @formula y = min(max(x, lo), hi)
 * @example hardTanh(x)
 */
export function hardTanh<X extends Node>(
  x: X & Accepts<'hardTanh', X, 'f32'>,
  lo = -1,
  hi = 1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  if (!(lo < hi)) refuse('HDL0003', `hardTanh(x, ${lo}, ${hi})`, 'lo is below hi', 'hardTanh(x, -1, 1)');
  return composite<X>('hardTanh', x, (v) => where(le(v, lo), lo, where(ge(v, hi), hi, v)));
}

/**
 * 0 where |x| is at most lambda, 0.5 unless given, x elsewhere; the gradient at ±lambda is 0. f32. Throws HDL0002, HDL0003 for a
 * negative lambda.
 *
 * @formula y = x if |x| > lambda, else 0
 * @example hardShrink(x, 0.1)
 */
export function hardShrink<X extends Node>(
  x: X & Accepts<'hardShrink', X, 'f32'>,
  lambda = 0.5,
): Node<ShapeOf<X>, DTypeOf<X>> {
  checkLambda('hardShrink', lambda);
  return composite<X>('hardShrink', x, (v) => where(le(abs(v as Floats), lambda), 0, v));
}

/**
 * x moved towards 0 by lambda, 0.5 unless given, and no farther than 0: what a penalty on |x| does (Donoho, 1995). The gradient
 * at ±lambda is 0. f32. Throws HDL0002, HDL0003 for a negative lambda.
 *
 * @formula y = sign(x) max(|x| − lambda, 0)
 * @example softShrink(x, 0.1)
 */
export function softShrink<X extends Node>(
  x: X & Accepts<'softShrink', X, 'f32'>,
  lambda = 0.5,
): Node<ShapeOf<X>, DTypeOf<X>> {
  checkLambda('softShrink', lambda);
  return composite<X>('softShrink', x, (v) => {
    const moved = sub(v, where(gt(v, 0), lambda, -lambda) as Node);
    return where(le(abs(v as Floats), lambda), 0, moved as Node);
  });
}

/**
 * What `tanh` takes away. f32; near 0, where it is x³ / 3, it errs by about 1e-8. Throws HDL0002.
 *
 * @formula y = x − tanh(x)
 * @example tanhShrink(x)
 */
export function tanhShrink<X extends Node>(
  x: X & Accepts<'tanhShrink', X, 'f32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('tanhShrink', x, (v) => sub(v, tanh(v as Floats) as Node));
}

/**
 * x above a limit, a value elsewhere; the gradient is 0 there, and at the limit. f32. Throws HDL0002.
 *
 * @formula y = x if x > limit, else value
 * @example threshold(x, 0.1, 20)
 */
export function threshold<X extends Node>(
  x: X & Accepts<'threshold', X, 'f32'>,
  limit: number,
  value: number,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('threshold', x, (v) => where(le(v, limit), value, v));
}

/**
 * The softmax of −x along an axis (the last by default): the smallest element has the largest share. f32. Throws HDL0002,
 * HDL0003.
 *
 * @formula y = e^−x / Σ e^−x
 * @example softmin(distances) // f32[64, 10] → f32[64, 10], rows add up to 1
 */
export function softmin<X extends Node>(
  x: X & Accepts<'softmin', X, 'f32'>,
  axis: number = -1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireFloats('softmin', x);
  const y = scope('softmin', () => softmax(neg(x as Node as Floats) as Floats, axis));
  return y as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

function checkLambda(fn: string, lambda: number): void {
  if (lambda >= 0) return;
  refuse('HDL0003', `${fn}(x, ${lambda})`, 'lambda is a number of at least 0', `${fn}(x, 0.5)`);
}
