// Scores in order, for metrics that look at how scores rank positives against negatives.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { cast, slice, squeeze, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import type { Metric } from './metric.ts';
import { expectAnswers } from './targets.ts';

/** Examples with one score: how many there are, and how many of them are positive. */
export interface Tie {
  readonly count: number;
  readonly positives: number;
}

/**
 * A metric of the scores from the largest to the smallest, ties together. Scores are f32 of the answers' shape; with two
 * classes, f32[N, 2] and labels i32[N], the score is the second less the first.
 */
export function rankingMetric(fn: string, name: string, figure: (ties: readonly Tie[]) => number): Metric {
  return {
    name,
    collects: ['scores', 'answers'],
    measure: (prediction, target) => scope(fn, () => ({ ...scoresOf(fn, prediction, target) })),
    result: ({ scores, answers }) => figure(tiesOf(scores!, answers!)),
  };
}

function scoresOf(fn: string, prediction: Tensor, target: Tensor): { scores: Tensor; answers: Tensor } {
  const { shape, dtype } = prediction.type;
  const isTwo =
    shape.length === 2 && shape[1] === 2 && target.type.dtype === 'i32' && target.type.shape.length === 1;
  if (!isTwo || dtype !== 'f32') return expectAnswers(fn, prediction, target);
  const column = (k: number): Floats =>
    squeeze(slice(prediction, [0, k], [shape[0]!, k + 1]) as Tensor, [1]) as Floats;
  return { scores: sub(column(1), column(0)), answers: cast(target, 'f32') };
}

function tiesOf(scores: Float64Array, answers: Float64Array): Tie[] {
  if (scores.some(Number.isNaN)) return [];
  const order = Int32Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const ties: { count: number; positives: number }[] = [];
  let last = Number.NaN;
  for (const i of order) {
    if (scores[i] !== last) ties.push({ count: 0, positives: 0 });
    last = scores[i]!;
    const tie = ties.at(-1)!;
    tie.count++;
    tie.positives += answers[i]!;
  }
  return ties;
}
