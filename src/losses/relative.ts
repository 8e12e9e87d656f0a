// Errors in proportion to the target: by percent, or of logarithms.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { abs, clip, div, log1p, mul, square, stopGradient, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/** Targets nearer to 0, and arguments of the logarithm, count as this. */
const least = 1e-7;

/**
 * The error in percent of the target. Both f32 and of one shape → f32[], or their shape with `reduction: 'none'`. The gradient
 * at 0 is 0; none goes to the target's magnitude. Throws HDL0001, HDL0002.
 *
 * @formula 100 · |x − t| / max(|t|, 1e-7)
 * @source Makridakis, 1993
 * @example const loss = losses.meanAbsolutePercentageError(y, target);
 */
export function meanAbsolutePercentageError(
  prediction: Tensor,
  target: Tensor,
  options: LossOptions = {},
): Floats {
  const fn = 'meanAbsolutePercentageError';
  expectSameShape(fn, prediction, target);
  return scope(fn, () => {
    const size = abs(stopGradient(target as Floats) as Floats) as Floats;
    const off = abs(sub(prediction as Floats, target as Floats) as Floats) as Floats;
    const share = div(off, clip(size, least, Number.POSITIVE_INFINITY) as Floats) as Floats;
    return reduceLoss(fn, mul(share, 100) as Floats, options);
  });
}

/**
 * The square of the difference of logarithms, for values of at least 0 of very different sizes. Both f32 and of one shape →
 * f32[], or their shape with `reduction: 'none'`. Values below 1e-7 count as that and have no gradient. Throws HDL0001, HDL0002.
 *
 * @formula (ln(1 + max(x, 1e-7)) − ln(1 + max(t, 1e-7)))²
 * @source Keras
 * @example const loss = losses.meanSquaredLogarithmicError(y, target);
 */
export function meanSquaredLogarithmicError(
  prediction: Tensor,
  target: Tensor,
  options: LossOptions = {},
): Floats {
  const fn = 'meanSquaredLogarithmicError';
  expectSameShape(fn, prediction, target);
  return scope(fn, () => {
    const logarithm = (v: Tensor): Floats =>
      log1p(clip(v as Floats, least, Number.POSITIVE_INFINITY) as Floats) as Floats;
    return reduceLoss(fn, square(sub(logarithm(prediction), logarithm(target)) as Floats) as Floats, options);
  });
}
