// What precision, recall and F1 are made of: for each class how many examples were found, taken for it, and of it; and how
// the figures of classes become one.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { argmax, cast, expandDims, gt, mul, oneHot, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectAnswers, expectClasses, isByClass } from './targets.ts';

export interface CountOptions extends MetricOptions {
  /**
   * How classes become one figure: `macro` (default) is the mean over classes that occur, `weighted` the mean over examples, `micro`
   * counts all classes together.
   */
  readonly average?: 'macro' | 'micro' | 'weighted' | undefined;
  /** The figure of this class alone. */
  readonly classIndex?: number | undefined;
  /**
   * Scores above it mean yes, and each element is a question: for one output, where it is 0.5 by default, or for several labels
   * at once. For logits it is 0.
   */
  readonly threshold?: number | undefined;
}

/** Counts of one class. */
export interface Counts {
  /** Of the class, and taken for it. */
  readonly found: number;
  readonly taken: number;
  readonly actual: number;
}

/** A metric from a figure of one class's counts. */
export function countMetric(fn: string, options: CountOptions, figure: (counts: Counts) => number): Metric {
  const { name = fn, average = 'macro', classIndex, threshold } = options;
  if (!['macro', 'micro', 'weighted'].includes(average)) {
    throw compilerError('HDL0003', {
      what: `${fn} with average: '${average}'`,
      rule: "average is 'macro', 'micro' or 'weighted'",
      loc: callerLocation(),
    });
  }
  return {
    name,
    measure: (prediction, target) => scope(fn, () => countClasses(fn, prediction, target, threshold)),
    result: ({ found, taken, actual }) => {
      const all = [...found!].map((f, k): Counts => ({ found: f, taken: taken![k]!, actual: actual![k]! }));
      if (classIndex !== undefined) {
        const one = all[classIndex];
        if (one !== undefined) return figure(one);
        throw compilerError('HDL0003', {
          what: `${fn} with classIndex: ${classIndex}`,
          rule: `there are ${all.length} classes, counted from 0`,
          hint: 'leave it out for the mean over classes',
        });
      }
      const total = (of: (c: Counts) => number): number => all.reduce((s, c) => s + of(c), 0);
      if (average === 'micro') {
        return figure({
          found: total((c) => c.found),
          taken: total((c) => c.taken),
          actual: total((c) => c.actual),
        });
      }
      if (average === 'weighted')
        return ratio(
          total((c) => c.actual * figure(c)),
          total((c) => c.actual),
        );
      const present = all.filter((c) => c.taken + c.actual > 0);
      return ratio(
        present.reduce((s, c) => s + figure(c), 0),
        present.length,
      );
    },
  };
}

/** a / b, and 0 of nothing. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

function countClasses(
  fn: string,
  prediction: Tensor,
  target: Tensor,
  threshold: number | undefined,
): Record<string, Tensor> {
  if (threshold === undefined && isByClass(prediction, target)) {
    const classes = prediction.type.shape[1]!;
    const label = expectClasses(fn, prediction, target, '');
    const actual = oneHot(label, classes) as Tensor as Floats;
    const taken = oneHot(argmax(prediction, 1), classes) as Tensor as Floats;
    return countsOf(taken, actual);
  }
  const { scores, answers } = expectAnswers(fn, prediction, target);
  const yes = cast(gt(scores, threshold ?? 0.5), 'f32') as Floats;
  return countsOf(expandDims(yes, 1) as Floats, expandDims(answers, 1) as Floats);
}

function countsOf(taken: Floats, actual: Floats): Record<string, Tensor> {
  return {
    found: sum(mul(taken, actual) as Floats, 0),
    taken: sum(taken, 0),
    actual: sum(actual, 0),
  };
}
