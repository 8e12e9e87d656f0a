// The loss of a prediction that says how sure it is: a mean and a variance.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, clip, div, log, mul, square, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkPositive } from './check.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface GaussianOptions extends LossOptions {
  /** Adds ln(2π) / 2, which no parameter changes; default false. */
  readonly full?: boolean | undefined;
  /** Smaller variances count as this; default 1e-6. */
  readonly epsilon?: number | undefined;
}

/**
 * Negative logarithm of a normal density. Mean, target and variance, all f32 and of one shape → f32[], or their shape with
 * `reduction: 'none'`. The variance is not negative: `softplus` of an output, say. Below epsilon it has no gradient. Throws
 * HDL0001, HDL0002, HDL0003.
 *
 * @formula (ln σ² + (x − t)² / σ²) / 2, σ² = max(variance, epsilon)
 * @source Nix and Weigend, 1994
 * @example const loss = losses.gaussianNegativeLogLikelihood(mean, target, softplus(spread));
 */
export function gaussianNegativeLogLikelihood(
  prediction: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianOptions = {},
): Floats {
  const fn = 'gaussianNegativeLogLikelihood';
  const { full = false, epsilon = 1e-6 } = options;
  checkPositive(fn, 'epsilon', epsilon);
  expectSameShape(fn, prediction, target);
  expectSameShape(fn, prediction, variance);
  return scope(fn, () => {
    const known = clip(variance as Floats, epsilon, Number.POSITIVE_INFINITY) as Floats;
    const far = square(sub(prediction as Floats, target as Floats) as Floats) as Floats;
    const twice = add(log(known) as Floats, div(far, known) as Floats) as Floats;
    const half = mul(twice, 0.5) as Floats;
    return reduceLoss(fn, full ? (add(half, Math.log(2 * Math.PI) / 2) as Floats) : half, options);
  });
}
