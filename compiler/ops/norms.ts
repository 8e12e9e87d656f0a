// Norms and the standard deviation: functions of several primitives around sums, with gradients that are finite at zero.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import type { Shape } from '../graph/types.ts';
import { div, mul } from './arithmetic.ts';
import { normalizeAxes, requireFloats } from './attrs.ts';
import { logicalAnd } from './binary.ts';
import { sum } from './broadcast.ts';
import { gt, lt, where } from './compare.ts';
import { type VarianceOptions, variance } from './composite.ts';
import { stopGradient } from './convert.ts';
import { square } from './math.ts';
import { rootOf } from './norm-power.ts';
import { max } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { squeeze } from './shape.ts';
import { abs } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * Sum of magnitudes over axes (all by default; negative ones count from the end). f32. The gradient at 0 is 0. Throws
 * HDL0002, HDL0003.
 *
 *     l1(x, 1); // f32[64, 10] → f32[64]
 */
export function l1<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'l1', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('l1', x);
  const y = scope('l1', () => sum(abs(x as Node as Floats), axes, options));
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * Square root of the sum of squares over axes (all by default). The largest magnitude is taken out first, so that nothing
 * overflows or vanishes. f32. The gradient where all are 0 is 0. Throws HDL0002, HDL0003.
 *
 *     l2(x, 1); // f32[64, 10] → f32[64]
 */
export function l2<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'l2', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('l2', x);
  const list = normalizeAxes('l2', x, axes);
  const y = scope('l2', () => {
    const v = x as Node as Floats;
    const top = stopGradient(max(abs(v), list, { keepDims: true })) as Floats;
    const usable = logicalAnd(gt(top, 0), lt(top, Number.POSITIVE_INFINITY)) as Node<Shape, 'bool'>;
    const scale = where(usable, top, 1) as Floats;
    const total = sum(square(div(v, scale) as Floats), list, { keepDims: true }) as Floats;
    const kept = mul(scale, rootOf(total, 2)) as Floats;
    return options.keepDims ? kept : squeeze(kept, list);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * Standard deviation over axes (all by default): the square root of `variance`, with its options. f32. The gradient where all
 * elements are equal is 0. Throws HDL0002, HDL0003.
 *
 *     std(x, 0, { ddof: 1 }); // f32[64, 10] → f32[10]
 */
export function std<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'std', X, 'f32'>,
  axes?: A,
  options: VarianceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('std', x);
  const y = scope('std', () => rootOf(variance(x as Node as Floats, axes, options) as Floats, 2));
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}
