// Softmax cross-entropy, of labels or of one-hot rows.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { sameShape } from '../../compiler/graph/types.ts';
import { add, logSoftmax, mul } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkFraction, refused } from './check.ts';
import { expectLabels, type LabelOptions, lossByLabel } from './labels.ts';
import type { LossTraits } from './loss.ts';
import { softCrossEntropyAs } from './soft-cross-entropy.ts';

export interface CrossEntropyOptions extends LabelOptions {
  /** Part of the target that is shared by all classes alike; default 0. */
  readonly labelSmoothing?: number | undefined;
}

export interface SoftmaxCrossEntropy extends LossTraits {
  (logits: Tensor, target: Tensor, options?: CrossEntropyOptions): Floats;
  readonly targets: 'classes';
}

/**
 * Cross-entropy of logits of any size. logits f32[N, K], labels i32[N] in [0, K) → f32[], or f32[N] with `reduction:
 * 'none'`; more dimensions follow the classes: f32[N, K, H, W] with i32[N, H, W]. A label out of range fails the run (HDL1004)
 * and names this loss and the label. Targets of the logits' own type are one-hot rows: see `softCrossEntropy`.
 *
 * With `labelSmoothing` e the target is (1 − e) · one-hot + e / K. Labels equal to `ignoreIndex` add no loss, and the mean is
 * over the others. With `classWeights` the mean is Σ w[y] · loss / Σ w[y]. Throws HDL0001 (shapes), HDL0002 (dtypes), HDL0003
 * (options).
 *
 * @formula −wᵧ · log softmax(x)ᵧ
 * @source Bridle, 1990; smoothing: Szegedy et al., 2016
 * @example const loss = losses.softmaxCrossEntropy(logits, labels);
 */
export const softmaxCrossEntropy: SoftmaxCrossEntropy = Object.assign(crossEntropy, {
  targets: 'classes' as const,
  logits: 'softmax' as const,
});

function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Floats {
  const fn = 'softmaxCrossEntropy';
  const { labelSmoothing = 0, ignoreIndex } = options;
  checkFraction(fn, 'labelSmoothing', labelSmoothing);
  if (target.type.dtype === 'f32' && sameShape(target.type.shape, logits.type.shape)) {
    if (ignoreIndex !== undefined) {
      throw refused(
        fn,
        'ignoreIndex',
        ignoreIndex,
        'for labels that are class numbers',
        'give one-hot rows of zeros instead',
      );
    }
    return softCrossEntropyAs(fn, logits, target, options);
  }
  expectLabels(fn, logits, target, 'logits');
  return scope(fn, () => {
    const classes = logits.type.shape[1]!;
    const smooth = (picked: Floats, row: () => Floats): Floats =>
      labelSmoothing === 0
        ? picked
        : add(mul(picked, 1 - labelSmoothing), mul(row(), labelSmoothing / classes));
    return lossByLabel(fn, logSoftmax(logits as Floats, 1), target, options, smooth);
  });
}
