// Accuracy.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { argmax, cast, eq, sum } from '../../compiler/ops/index.ts';
import type { Metric } from './metric.ts';

/**
 * Number of examples whose largest logit (the first, of equals) is that of the label. logits f32[N, K], labels i32[N] → f32[].
 * Throws HDL0001 for other shapes, HDL0002 for other dtypes.
 *
 * @example const correct = metrics.countCorrect(logits, labels);
 */
export function countCorrect(logits: Tensor, labels: Tensor): Tensor<readonly [], 'f32'> {
  const [rows] = logits.type.shape;
  const isFit =
    logits.type.shape.length === 2 && labels.type.shape.length === 1 && labels.type.shape[0] === rows;
  if (!isFit || labels.type.dtype !== 'i32') {
    throw compilerError(isFit ? 'HDL0002' : 'HDL0001', {
      what: `countCorrect(${describeNode(logits)}, ${describeNode(labels)})`,
      rule: 'logits are f32[examples, classes] and labels i32[examples]',
      hint: 'accuracy is for classes; for values, look at the loss',
      loc: callerLocation(),
    });
  }
  return scope('accuracy', () => {
    const isCorrect = eq(argmax(logits, 1), labels as Tensor<readonly number[], 'i32'>);
    return sum(cast(isCorrect, 'f32')) as Tensor<readonly [], 'f32'>;
  });
}

/**
 * The share of examples whose largest logit is that of the label.
 *
 * @example model.compile({ loss, optimizer, metrics: [metrics.accuracy()] })
 */
export function accuracy(): Metric {
  return {
    name: 'accuracy',
    measure: (logits, labels) => ({ correct: countCorrect(logits, labels) }),
    result: (sums, examples) => sums['correct']![0]! / examples,
  };
}
