// Kullback-Leibler divergence between distributions over classes.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { gt, log, mul, sub, sum, where } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectClasses, expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * What it costs to take the prediction for the target. Predictions are
 * log-probabilities, targets probabilities, both f32[N, K, …] with classes on axis 1 → f32[], the mean over examples (and
 * positions), or f32[N, …] with `reduction: 'none'`. A target of 0 adds nothing. Throws HDL0001, HDL0002.
 *
 * @formula Σₖ tₖ · (log tₖ − xₖ)
 * @source Kullback and Leibler, 1951
 * @example const loss = losses.klDivergence(logSoftmax(logits, 1), probabilities);
 */
export function klDivergence(logProbabilities: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('klDivergence', logProbabilities, target);
  expectClasses('klDivergence', logProbabilities);
  return scope('klDivergence', () => {
    const [p, q] = [logProbabilities as Floats, target as Floats];
    const isSome = gt(q, 0) as Tensor<Shape, 'bool'>;
    const surprise = sub(log(where(isSome, q, 1) as Floats) as Floats, p) as Floats;
    const terms = where(isSome, mul(q, surprise) as Floats, 0) as Floats;
    return reduceLoss('klDivergence', sum(terms, 1) as Floats, options);
  });
}
