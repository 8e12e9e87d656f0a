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
  gt,
  iota,
  mul,
  ne,
  neg,
  sum,
  where,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { type ClassWeights, weightsLike } from './class-weights.ts';
import { type LossOptions, reduceLoss, weighSamples } from './loss.ts';

type Labels = Tensor<Shape, 'i32'>;
type Mask = Tensor<Shape, 'bool'>;

export interface LabelOptions extends LossOptions {
  /** A label that stands for none: it adds no loss and does not count in a mean. */
  readonly ignoreIndex?: number | undefined;
  /** A factor for each class. A mean then divides by the sum of the factors of its labels. */
  readonly classWeights?: ClassWeights | undefined;
}

/**
 * The loss −Σ of log-probabilities by `weigh`, for each label. `weigh(picked, row)` combines the log-probability of the
 * label with the sum of all of its row, both times the weights of their classes.
 */
export function lossByLabel(
  fn: string,
  logProbabilities: Floats,
  labels: Tensor,
  options: LabelOptions,
  weigh: (picked: Floats, row: () => Floats) => Floats = (picked) => picked,
): Floats {
  const { shape } = logProbabilities.type;
  const { ignoreIndex, classWeights, reduction = 'mean' } = options;
  const given = labels as Labels;
  const counts = ignoreIndex === undefined ? null : (ne(given, ignoreIndex) as Mask);
  const known = counts === null ? given : (where(counts, given, 0) as Labels);
  const label = checkIndex(known, { size: shape[1]!, label: `${fn} labels` }) as Labels;
  const isLabel = eq(iota(shape, 1) as Labels, expandDims(label as Tensor, 1) as Labels) as Mask;
  const weights = classWeights === undefined ? null : weightsLike(fn, classWeights, shape);
  const terms = weights === null ? logProbabilities : (mul(logProbabilities, weights) as Floats);
  const picked = sum(where(isLabel, terms, 0) as Floats, 1) as Floats;
  const values = neg(weigh(picked, () => sum(terms, 1) as Floats)) as Floats;
  const kept = counts === null ? values : (where(counts, values, 0) as Floats);
  if ((counts === null && weights === null) || reduction !== 'mean') return reduceLoss(fn, kept, options);
  // What each label counts in the mean.
  const share: Floats =
    weights === null
      ? (cast(counts!, 'f32') as Floats)
      : (sum(where(isLabel, weights, 0) as Floats, 1) as Floats);
  const counted = counts === null ? share : (where(counts, share, 0) as Floats);
  const total = sum(counted) as Floats;
  // Where all are ignored the loss is 0, not 0 / 0.
  const divisor = where(gt(total, 0) as Mask, total, 1) as Floats;
  return div(sum(weighSamples(fn, kept, options.sampleWeight)), divisor) as Floats;
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
      sameShape(labels.type.shape, shape)
        ? "one-hot rows are probabilities, so f32: softmaxCrossEntropy(logits, cast(labels, 'f32'))"
        : 'labels are numbers of classes, one for each',
    );
  }
}
