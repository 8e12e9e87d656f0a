// Softmax cross-entropy with probabilities as targets.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { logSoftmax, mul, neg, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectClasses, expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * −Σ_k target[k] · log softmax(logits)[k], for targets that are probabilities of classes: mixed or smoothed labels, or another
 * model's opinion. Both f32[N, K, …] with classes on axis 1 → f32[], or f32[N, …] with `reduction: 'none'`. Throws HDL0001,
 * HDL0002.
 *
 * @example const loss = losses.softCrossEntropy(logits, probabilities);
 */
export function softCrossEntropy(logits: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('softCrossEntropy', logits, target);
  expectClasses('softCrossEntropy', logits);
  return scope('softCrossEntropy', () => {
    const terms = mul(target as Floats, logSoftmax(logits as Floats, 1));
    return reduceLoss(neg(sum(terms as Floats, 1) as Floats), options.reduction);
  });
}
