// Binary cross-entropy on logits: yes-or-no questions, one for each element.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, mul, neg, softplus, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkPositive } from './check.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of the positive answers: above 1 for recall, below 1 for precision; default 1. */
  readonly positiveWeight?: number;
}

/**
 * −w · t · log σ(x) − (1 − t) · log(1 − σ(x)) for logits x and targets t in [0, 1], stable for logits of any size. Both f32 and
 * of one shape → f32[], or their shape with `reduction: 'none'`. Throws HDL0001, HDL0002, HDL0003.
 *
 * @example const loss = losses.binaryCrossEntropy(logits, target, { positiveWeight: 3 });
 */
export function binaryCrossEntropy(
  logits: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Floats {
  const { positiveWeight = 1 } = options;
  expectSameShape('binaryCrossEntropy', logits, target);
  checkPositive('binaryCrossEntropy', 'positiveWeight', positiveWeight);
  return scope('binaryCrossEntropy', () => {
    // −log σ(x) = softplus(−x), and −log(1 − σ(x)) = x + softplus(−x).
    const [x, t] = [logits as Floats, target as Floats];
    const weight: Floats = positiveWeight === 1 ? t : (mul(t, positiveWeight) as Floats);
    const missed = softplus(neg(x) as Floats) as Floats;
    const off = sub(1, t) as Floats;
    const values: Floats =
      positiveWeight === 1 ? missed : (mul(add(weight, off) as Floats, missed) as Floats);
    return reduceLoss(add(mul(off, x) as Floats, values) as Floats, options.reduction);
  });
}
