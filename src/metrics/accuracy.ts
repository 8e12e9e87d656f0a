// Accuracy.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { argmax, cast, eq, full, gt, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectAnswers, expectClasses } from './targets.ts';

/**
 * Number of examples whose largest logit (the first, of equals) is that of the label. logits f32[N, K], labels i32[N] or one-hot
 * f32[N, K] → f32[]. Throws HDL0001 for other shapes, HDL0002 for other dtypes.
 *
 * @example const correct = metrics.countCorrect(logits, labels);
 */
export function countCorrect(logits: Tensor, labels: Tensor): Tensor<readonly [], 'f32'> {
  const hint =
    'accuracy is for classes; for yes-or-no answers there is binaryAccuracy, for values look at the loss';
  const label = expectClasses('countCorrect', logits, labels, hint);
  return scope('accuracy', () => {
    const isCorrect = eq(argmax(logits, 1), label);
    return sum(cast(isCorrect, 'f32')) as Tensor<readonly [], 'f32'>;
  });
}

/**
 * The share of examples whose largest logit is that of the label. f32[N, K] with i32[N] or one-hot f32[N, K].
 *
 * @formula #(argmax x = y) / N
 * @source —
 * @example model.compile({ loss, optimizer, metrics: [metrics.accuracy()] })
 */
export function accuracy(options: MetricOptions = {}): Metric {
  return {
    name: options.name ?? 'accuracy',
    measure: (logits, labels) => ({ correct: countCorrect(logits, labels) }),
    result: (sums, examples) => sums['correct']![0]! / examples,
  };
}

export interface ThresholdOptions extends MetricOptions {
  /** Scores above it mean yes; default 0.5, for probabilities. For logits it is 0. */
  readonly threshold?: number | undefined;
}

/**
 * The share of yes-or-no questions that are answered right. f32 of one shape.
 *
 * @formula #((x > threshold) = (t > ½)) / n
 * @source —
 * @example metrics.binaryAccuracy({ threshold: 0 }) // of logits
 */
export function binaryAccuracy(options: ThresholdOptions = {}): Metric {
  const { name = 'binaryAccuracy', threshold = 0.5 } = options;
  return {
    name,
    measure: (prediction, target) => {
      const { scores, answers } = expectAnswers(name, prediction, target);
      return scope(name, () => {
        const isRight = eq(cast(gt(scores, threshold), 'f32') as Floats, answers);
        return { correct: sum(cast(isRight, 'f32')), count: countOf(answers) };
      });
    },
    result: (sums) => sums['correct']![0]! / sums['count']![0]!,
  };
}

/** The number of elements, as a value that batches add up. */
export function countOf(x: Tensor): Tensor {
  return full(
    [],
    x.type.shape.reduce((n, d) => n * d, 1),
  );
}
