// What losses by class number share: which shapes go together, the check of labels, the terms of the classes that they
// name, and the mean over those that count. Classes lie on axis 1: [N, K] with labels [N], or [N, K, …] with [N, …].

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { formatShape, type Shape, sameShape } from '../../compiler/graph/types.ts';
import {
  cast,
  checkIndex,
  div,
  eq,
  expandDims,
  iota,
  maximum,
  ne,
  neg,
  sum,
  where,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { type LossOptions, reduceLoss } from './loss.ts';

type Labels = Tensor<Shape, 'i32'>;

export interface LabelOptions extends LossOptions {
  /** A label that stands for none: it adds no loss and does not count in a mean. */
  readonly ignoreIndex?: number;
}

/**
 * The loss −Σ of log-probabilities by `weigh`, for each label. `scores` is what the user passed, for messages;
 * `weigh(picked, all)` combines the log-probability of the label with the sum of all of its row.
 */
export function lossByLabel(
  fn: string,
  logProbabilities: Floats,
  labels: Tensor,
  options: LabelOptions,
  weigh: (picked: Floats, row: () => Floats) => Floats = (picked) => picked,
): Floats {
  const { shape } = logProbabilities.type;
  const { ignoreIndex, reduction } = options;
  const given = labels as Labels;
  const counts = ignoreIndex === undefined ? null : (ne(given, ignoreIndex) as Tensor<Shape, 'bool'>);
  const known = counts === null ? given : (where(counts, given, 0) as Labels);
  const label = checkIndex(known, { size: shape[1]!, label: `${fn} labels` }) as Labels;
  const isLabel = eq(iota(shape, 1) as Labels, expandDims(label as Tensor, 1) as Labels);
  const picked = sum(where(isLabel as Tensor<Shape, 'bool'>, logProbabilities, 0) as Floats, 1) as Floats;
  const values = neg(weigh(picked, () => sum(logProbabilities, 1) as Floats)) as Floats;
  if (counts === null) return reduceLoss(values, reduction);
  const counted = cast(counts, 'f32') as Floats;
  const kept = where(counts, values, 0) as Floats;
  if (reduction !== undefined && reduction !== 'mean') return reduceLoss(kept, reduction);
  // Where all are ignored the loss is 0, not 0 / 0.
  return div(sum(kept), maximum(sum(counted) as Floats, 1) as Floats) as Floats;
}

/** Scores are f32[N, K, …], labels i32[N, …]. Throws HDL0001, HDL0002. */
export function expectLabels(fn: string, scores: Tensor, labels: Tensor, name: string): void {
  const fail = (code: 'HDL0001' | 'HDL0002', rule: string, hint: string): never => {
    throw compilerError(code, {
      what: `${fn}(${describeNode(scores)}, ${describeNode(labels)})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  const { shape, dtype } = scores.type;
  if (dtype !== 'f32') fail('HDL0002', `${name} are f32, not ${dtype}`, `pass ${name} first, labels second`);
  if (labels.type.dtype !== 'i32') {
    fail(
      'HDL0002',
      `labels are i32, the number of a class for each example, not ${labels.type.dtype}`,
      "declare them as tensor(['batch'], 'i32') and feed an Int32Array",
    );
  }
  if (shape.length < 2)
    fail('HDL0001', `${name} are [examples, classes]`, 'reshape them, or add a dense layer');
  const expected = shape.filter((_, d) => d !== 1);
  if (!sameShape(labels.type.shape, expected)) {
    fail(
      'HDL0001',
      `labels have shape ${formatShape(expected)}, one for each ${expected.length > 1 ? 'position' : 'example'}, not ${formatShape(labels.type.shape)}`,
      'labels are numbers of classes, not one-hot rows',
    );
  }
}
