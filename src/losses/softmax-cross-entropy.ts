// Softmax cross-entropy with integer labels.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, logSoftmax, mul } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkFraction } from './check.ts';
import { expectLabels, type LabelOptions, lossByLabel } from './labels.ts';
import type { Loss } from './loss.ts';

export interface CrossEntropyOptions extends LabelOptions {
  /** Part of the target that is shared by all classes alike; default 0. */
  readonly labelSmoothing?: number;
}

export interface SoftmaxCrossEntropy extends Loss {
  (logits: Tensor, labels: Tensor, options?: CrossEntropyOptions): Floats;
  readonly targets: 'classes';
}

/**
 * −log softmax(logits)[label], stable for logits of any size. logits f32[N, K], labels i32[N] in [0, K) → f32[], or f32[N]
 * with `reduction: 'none'`; more dimensions follow the classes: f32[N, K, H, W] with i32[N, H, W]. A label out of range
 * fails the run (HDL1004) and names this loss and the label.
 *
 * With `labelSmoothing` e the target is (1 − e) · one-hot + e / K (Szegedy et al., 2016). Labels equal to `ignoreIndex` add
 * no loss, and the mean is over the others. Throws HDL0001 (shapes), HDL0002 (dtypes), HDL0003 (options).
 *
 * @example const loss = losses.softmaxCrossEntropy(logits, labels);
 */
export const softmaxCrossEntropy: SoftmaxCrossEntropy = Object.assign(crossEntropy, {
  targets: 'classes' as const,
});

function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Floats {
  const { labelSmoothing = 0 } = options;
  expectLabels('softmaxCrossEntropy', logits, labels, 'logits');
  checkFraction('softmaxCrossEntropy', 'labelSmoothing', labelSmoothing);
  return scope('softmaxCrossEntropy', () => {
    const classes = logits.type.shape[1]!;
    const smooth = (picked: Floats, row: () => Floats): Floats =>
      labelSmoothing === 0
        ? picked
        : add(mul(picked, 1 - labelSmoothing), mul(row(), labelSmoothing / classes));
    return lossByLabel('softmaxCrossEntropy', logSoftmax(logits as Floats, 1), labels, options, smooth);
  });
}
