// The confusion matrix: which classes are taken for which.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { argmax, matmul, oneHot, transpose } from '../../compiler/ops/index.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectClasses } from './targets.ts';

type Matrix = Tensor<readonly [number, number], 'f32'>;

/**
 * Numbers of examples by class: row i, column j counts those of class i whose largest logit is that of class j. f32[N, K] with
 * i32[N] or one-hot f32[N, K]. For `model.measure`, or, as `countConfusions`, in a graph.
 *
 * @formula Cᵢⱼ = #(y = i and argmax x = j)
 * @source Pearson, 1904
 * @example const matrix = await model.measure(metrics.confusionMatrix(), test);
 */
export function confusionMatrix(options: MetricOptions = {}): Metric<number[][]> {
  return {
    name: options.name ?? 'confusionMatrix',
    measure: (logits, labels) => ({ counts: countConfusions(logits, labels) }),
    result: ({ counts }) => {
      const classes = Math.round(Math.sqrt(counts!.length));
      return Array.from({ length: classes }, (_, i) => [...counts!.subarray(i * classes, (i + 1) * classes)]);
    },
  };
}

/** The matrix of one batch: f32[K, K]. Throws HDL0001, HDL0002. */
export function countConfusions(logits: Tensor, labels: Tensor): Tensor {
  const label = expectClasses('confusionMatrix', logits, labels, 'it is for classes');
  return scope('confusionMatrix', () => {
    const classes = logits.type.shape[1]!;
    const actual = oneHot(label, classes) as Tensor as Matrix;
    const predicted = oneHot(argmax(logits, 1), classes) as Tensor as Matrix;
    return matmul(transpose(actual) as Tensor as Matrix, predicted);
  });
}
