// Softmax cross-entropy with probabilities as targets.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, logSoftmax, mul, neg, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkFraction } from './check.ts';
import { type ClassWeights, weightsLike } from './class-weights.ts';
import { expectClasses, expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface SoftCrossEntropyOptions extends LossOptions {
  /** Part of the target that is shared by all classes alike; default 0. */
  readonly labelSmoothing?: number | undefined;
  /** A factor for each class. A mean still divides by the number of examples. */
  readonly classWeights?: ClassWeights | undefined;
}

/**
 * Cross-entropy for targets that are probabilities of classes: one-hot rows, mixed or smoothed labels, or another model's
 * opinion. Both f32[N, K, …] with classes on axis 1 → f32[], or f32[N, …] with `reduction: 'none'`. Throws HDL0001,
 * HDL0002, HDL0003.
 *
 * @formula −Σₖ wₖ · ((1 − e) · tₖ + e / K) · log softmax(x)ₖ
 * @source Szegedy et al., 2016 (smoothing e)
 * @example const loss = losses.softCrossEntropy(logits, probabilities);
 */
export function softCrossEntropy(
  logits: Tensor,
  target: Tensor,
  options: SoftCrossEntropyOptions = {},
): Floats {
  return softCrossEntropyAs('softCrossEntropy', logits, target, options);
}

/** The same under another name in errors and dumps. */
export function softCrossEntropyAs(
  fn: string,
  logits: Tensor,
  target: Tensor,
  options: SoftCrossEntropyOptions,
): Floats {
  const { labelSmoothing = 0, classWeights } = options;
  expectSameShape(fn, logits, target);
  expectClasses(fn, logits);
  checkFraction(fn, 'labelSmoothing', labelSmoothing);
  return scope(fn, () => {
    const { shape } = logits.type;
    const given = target as Floats;
    const smoothed: Floats =
      labelSmoothing === 0
        ? given
        : (add(mul(given, 1 - labelSmoothing), labelSmoothing / shape[1]!) as Floats);
    const weights: Floats =
      classWeights === undefined ? smoothed : (mul(smoothed, weightsLike(fn, classWeights, shape)) as Floats);
    const terms = mul(weights, logSoftmax(logits as Floats, 1)) as Floats;
    return reduceLoss(fn, neg(sum(terms, 1) as Floats) as Floats, options);
  });
}
