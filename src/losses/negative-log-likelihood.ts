// Negative log-likelihood: cross-entropy of log-probabilities that are there already.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import type { Floats } from '../floats.ts';
import { expectLabels, type LabelOptions, lossByLabel } from './labels.ts';
import type { LossTraits } from './loss.ts';

export interface NegativeLogLikelihood extends LossTraits {
  (logProbabilities: Tensor, labels: Tensor, options?: LabelOptions): Floats;
  readonly targets: 'classes';
}

/**
 * Cross-entropy of log-probabilities: after `logSoftmax`, the same as `softmaxCrossEntropy`. f32[N, K, …], labels i32[N, …] → f32[], or
 * the shape of the labels with `reduction: 'none'`. Labels equal to `ignoreIndex` add no loss and do not count in a mean.
 * Throws HDL0001, HDL0002; a label out of range fails the run (HDL1004).
 *
 * @formula −wᵧ · xᵧ
 * @source Fisher, 1922
 * @example const loss = losses.negativeLogLikelihood(logSoftmax(logits, 1), labels);
 */
export const negativeLogLikelihood: NegativeLogLikelihood = Object.assign(likelihood, {
  targets: 'classes' as const,
});

function likelihood(logProbabilities: Tensor, labels: Tensor, options: LabelOptions = {}): Floats {
  expectLabels('negativeLogLikelihood', logProbabilities, labels, 'log-probabilities');
  return scope('negativeLogLikelihood', () =>
    lossByLabel('negativeLogLikelihood', logProbabilities as Floats, labels, options),
  );
}
