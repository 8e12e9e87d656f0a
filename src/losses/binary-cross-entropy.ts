// Binary cross-entropy: yes-or-no questions, one for each element.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { add, exp, ge, log, log1p, lt, maximum, mul, neg, sub, where } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkPositive } from './check.ts';
import { expectSameShape, type LossOptions, type LossTraits, reduceLoss } from './loss.ts';

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of the positive answers: above 1 for recall, below 1 for precision; default 1. */
  readonly positiveWeight?: number | undefined;
  /** Whether the prediction is logits, default true, or probabilities. Logits are more accurate. */
  readonly fromLogits?: boolean | undefined;
}

export interface BinaryCrossEntropy extends LossTraits {
  (prediction: Tensor, target: Tensor, options?: BinaryCrossEntropyOptions): Floats;
  readonly logits: 'sigmoid';
}

/**
 * Binary cross-entropy of logits x, or of probabilities p with `fromLogits: false`, and targets t in [0, 1]. Stable for logits
 * of any size; a probability of 0 or 1 gives a logarithm of −100 instead of −∞, with gradient 0. Both f32 and of one shape →
 * f32[], or their shape with `reduction: 'none'`. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula −w · t · log p − (1 − t) · log(1 − p), p = σ(x)
 * @source Good, 1952
 * @example const loss = losses.binaryCrossEntropy(logits, target, { positiveWeight: 3 });
 */
export const binaryCrossEntropy: BinaryCrossEntropy = Object.assign(crossEntropy, {
  logits: 'sigmoid' as const,
});

function crossEntropy(prediction: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Floats {
  const fn = 'binaryCrossEntropy';
  const { positiveWeight = 1, fromLogits = true } = options;
  expectSameShape(fn, prediction, target);
  checkPositive(fn, 'positiveWeight', positiveWeight);
  return scope(fn, () => {
    const [x, t] = [prediction as Floats, target as Floats];
    const weight: Floats = positiveWeight === 1 ? t : (mul(t, positiveWeight) as Floats);
    const off = sub(1, t) as Floats;
    if (!fromLogits) {
      const yes = mul(weight, boundedLog(x)) as Floats;
      const no = mul(off, boundedLog(sub(1, x) as Floats)) as Floats;
      return reduceLoss(fn, neg(add(yes, no) as Floats) as Floats, options);
    }
    // −log σ(x) = max(−x, 0) + log(1 + e^−|x|), and −log(1 − σ(x)) = max(x, 0) + the same: one exponential and one logarithm
    // for both. The larger part has a factor that is exactly 0 for the right answer, so that small losses, and their
    // gradients, keep all digits.
    const isRight = ge(x, 0) as Tensor<Shape, 'bool'>;
    const tail = log1p(exp(where(isRight, neg(x) as Floats, x) as Floats)) as Floats;
    const tails = positiveWeight === 1 ? tail : (mul(add(weight, off), tail) as Floats);
    const slope = where(isRight, off, neg(weight) as Floats) as Floats;
    return reduceLoss(fn, add(mul(slope, x), tails) as Floats, options);
  });
}

/** The smallest normal f32, whose logarithm is −87.3. */
const least = 2 ** -126;

/** log p, and −100 for what is smaller than any normal number; NaN stays. */
function boundedLog(p: Floats): Floats {
  const inside = log(maximum(p, least) as Floats) as Floats;
  return where(lt(p, least) as Tensor<Shape, 'bool'>, -100, inside) as Floats;
}
