// Softmax cross-entropy with integer labels.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { formatShape, type Shape } from '../../compiler/graph/types.ts';
import { checkIndex, eq, iota, logSoftmax, neg, reshape, sum, where } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { type Loss, type LossOptions, reduceLoss } from './loss.ts';

export interface SoftmaxCrossEntropy extends Loss {
  (logits: Tensor, labels: Tensor, options?: LossOptions): Floats;
  readonly targets: 'classes';
}

/**
 * −log softmax(logits)[label], stable for logits of any size. logits f32[N, K], labels i32[N] in [0, K) → f32[], or f32[N]
 * with `reduction: 'none'`. A label out of range fails the run (HDL1004) and names this loss and the label.
 * Throws HDL0001 (shapes), HDL0002 (dtypes).
 *
 * @example const loss = losses.softmaxCrossEntropy(logits, labels);
 */
export const softmaxCrossEntropy: SoftmaxCrossEntropy = Object.assign(crossEntropy, {
  targets: 'classes' as const,
});

function crossEntropy(logits: Tensor, labels: Tensor, options: LossOptions = {}): Floats {
  check(logits, labels);
  return scope('softmaxCrossEntropy', () => {
    const [rows, classes] = logits.type.shape as [number, number];
    const label = reshape(
      checkIndex(labels as Tensor<Shape, 'i32'>, { size: classes, label: 'softmaxCrossEntropy labels' }),
      [rows, 1],
    );
    const isLabel = eq(iota([rows, classes], 1), label);
    const picked = where(isLabel, logSoftmax(logits as Floats, 1), 0);
    return reduceLoss(neg(sum(picked, 1)), options.reduction);
  });
}

function check(logits: Tensor, labels: Tensor): void {
  const fail = (code: 'HDL0001' | 'HDL0002', rule: string, hint: string): never => {
    throw compilerError(code, {
      what: `softmaxCrossEntropy(${describeNode(logits)}, ${describeNode(labels)})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  const { shape, dtype } = logits.type;
  if (dtype !== 'f32') fail('HDL0002', `logits are f32, not ${dtype}`, 'pass logits first, labels second');
  if (labels.type.dtype !== 'i32') {
    fail(
      'HDL0002',
      `labels are i32, the number of a class for each example, not ${labels.type.dtype}`,
      "declare them as tensor(['batch'], 'i32') and feed an Int32Array",
    );
  }
  if (shape.length !== 2)
    fail('HDL0001', 'logits are [examples, classes]', 'reshape them, or add a dense layer');
  if (labels.type.shape.length !== 1 || labels.type.shape[0] !== shape[0]) {
    fail(
      'HDL0001',
      `labels have shape [${shape[0]}], one for each example, not ${formatShape(labels.type.shape)}`,
      'labels are numbers of classes, not one-hot rows',
    );
  }
}
