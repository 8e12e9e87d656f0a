// Top-k accuracy.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  cast,
  eq,
  expandDims,
  gt,
  iota,
  logicalAnd,
  logicalOr,
  lt,
  sum,
  where,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectClasses } from './targets.ts';

type Mask = Tensor<Shape, 'bool'>;
type Labels = Tensor<Shape, 'i32'>;

/**
 * The share of examples whose label is among the `k` largest logits; of equals the first counts as larger. f32[N, K] with
 * i32[N] or one-hot f32[N, K]. Throws HDL0003 for a k that is no integer ≥ 1.
 *
 * @formula #(#(xⱼ > xᵧ, or xⱼ = xᵧ and j < y) < k) / N
 * @source Krizhevsky et al., 2012
 * @example metrics.topKAccuracy(5)
 */
export function topKAccuracy(k = 5, options: MetricOptions = {}): Metric {
  const { name = `top${k}` } = options;
  if (!Number.isInteger(k) || k < 1) {
    throw compilerError('HDL0003', {
      what: `topKAccuracy(${k})`,
      rule: 'k is an integer of at least 1',
      hint: 'common are 3 and 5',
      loc: callerLocation(),
    });
  }
  return {
    name,
    measure: (logits, labels) => {
      const label = expectClasses('topKAccuracy', logits, labels, 'it is for classes');
      return scope('topKAccuracy', () => {
        const x = logits as Floats;
        const column = expandDims(label as Tensor, 1) as Labels;
        const at = iota(x.type.shape, 1) as Labels;
        const own = sum(where(eq(at, column) as Mask, x, 0) as Floats, 1, { keepDims: true }) as Floats;
        const isEqual = logicalAnd(eq(x, own) as Mask, lt(at, column) as Mask) as Mask;
        const before = logicalOr(gt(x, own) as Mask, isEqual) as Mask;
        const rank = sum(cast(before, 'f32') as Floats, 1, { keepDims: true }) as Floats;
        // A logit that is NaN is before or after nothing, and not right either.
        const isRight = logicalAnd(lt(rank, k) as Mask, eq(own, own) as Mask) as Mask;
        return { correct: sum(cast(isRight, 'f32') as Floats) };
      });
    },
    result: (sums, examples) => sums['correct']![0]! / examples,
  };
}
