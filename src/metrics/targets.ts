// How metrics read predictions and targets: as classes, as answers to yes-or-no questions, or as values.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { elementCount, type Shape, sameShape } from '../../compiler/graph/types.ts';
import { argmax, cast, gt, reshape } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';

type Labels = Tensor<Shape, 'i32'>;

/** Throws HDL0001 or HDL0002: what a metric was given, the rule, what to try. */
export function refuse(
  code: 'HDL0001' | 'HDL0002',
  fn: string,
  prediction: Tensor,
  target: Tensor,
  rule: string,
  hint: string,
): never {
  throw compilerError(code, {
    what: `${fn}(${describeNode(prediction)}, ${describeNode(target)})`,
    rule,
    hint,
    loc: callerLocation(),
  });
}

/** Whether the prediction has a score for each of several classes: [N, K] with labels i32[N] or one-hot rows. */
export function isByClass(prediction: Tensor, target: Tensor): boolean {
  const [p, t] = [prediction.type.shape, target.type.shape];
  if (p.length !== 2) return false;
  if (target.type.dtype === 'i32') return t.length === 1 && t[0] === p[0];
  return target.type.dtype === 'f32' && sameShape(p, t) && p[1]! > 1;
}

/** The labels i32[N] of predictions f32[N, K], given as such or as one-hot rows. Throws HDL0001, HDL0002. */
export function expectClasses(fn: string, prediction: Tensor, target: Tensor, hint: string): Labels {
  if (prediction.type.dtype === 'f32' && isByClass(prediction, target)) {
    return target.type.dtype === 'i32' ? (target as Labels) : (argmax(target as Floats, 1) as Labels);
  }
  const { shape } = prediction.type;
  const isFit = shape.length === 2 && target.type.shape.length === 1 && target.type.shape[0] === shape[0];
  return refuse(
    isFit ? 'HDL0002' : 'HDL0001',
    fn,
    prediction,
    target,
    'logits are f32[examples, classes] and labels i32[examples]',
    hint,
  );
}

export interface Answers {
  /** f32[n] */
  readonly scores: Floats;
  /** f32[n], 1 for yes and 0 for no. */
  readonly answers: Floats;
}

/** Scores and answers of yes-or-no questions: prediction and target of one shape. Throws HDL0001, HDL0002. */
export function expectAnswers(fn: string, prediction: Tensor, target: Tensor): Answers {
  const { shape, dtype } = prediction.type;
  if (dtype !== 'f32' || (target.type.dtype !== 'f32' && target.type.dtype !== 'i32')) {
    refuse('HDL0002', fn, prediction, target, 'scores are f32, answers f32 or i32', 'convert them with cast');
  }
  if (!sameShape(shape, target.type.shape)) {
    refuse(
      'HDL0001',
      fn,
      prediction,
      target,
      'there is one score for each answer: both have one shape',
      'let the last layer have one output, and targets the shape [examples, 1]',
    );
  }
  const n = [elementCount(shape)];
  const isYes = gt(cast(target, 'f32') as Floats, 0.5);
  return {
    scores: reshape(prediction, n) as Floats,
    answers: reshape(cast(isYes, 'f32') as Floats, n) as Floats,
  };
}

/** Values f32 of one shape. Throws HDL0001, HDL0002. */
export function expectValues(fn: string, prediction: Tensor, target: Tensor): readonly [Floats, Floats] {
  if (prediction.type.dtype !== 'f32' || target.type.dtype !== 'f32') {
    refuse('HDL0002', fn, prediction, target, 'prediction and target are f32', 'classes have accuracy');
  }
  if (!sameShape(prediction.type.shape, target.type.shape)) {
    refuse(
      'HDL0001',
      fn,
      prediction,
      target,
      'prediction and target have one shape',
      'a column [n, 1] does not go with a list [n]: reshape one of them',
    );
  }
  return [prediction as Floats, target as Floats];
}
