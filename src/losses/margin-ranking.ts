// The ranking loss: one score above another by a margin.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, mul, relu, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkNotNegative } from './check.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface MarginRankingOptions extends LossOptions {
  /** By how much one score has to be above the other; default 0. */
  readonly margin?: number | undefined;
}

/**
 * Scores a and b and targets t of 1 where a belongs above b, −1 where it belongs below: all f32 and of one shape → f32[], or their
 * shape with `reduction: 'none'`. The gradient at the kink is 0. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula max(0, margin − t · (a − b))
 * @source Herbrich et al., 2000
 * @example const loss = losses.marginRanking(scoreOf(a), scoreOf(b), target, { margin: 0.5 });
 */
export function marginRanking(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  options: MarginRankingOptions = {},
): Floats {
  const { margin = 0 } = options;
  checkNotNegative('marginRanking', 'margin', margin);
  expectSameShape('marginRanking', a, b);
  expectSameShape('marginRanking', a, target);
  return scope('marginRanking', () => {
    const ahead = mul(target as Floats, sub(b as Floats, a as Floats) as Floats) as Floats;
    return reduceLoss('marginRanking', relu(add(ahead, margin) as Floats) as Floats, options);
  });
}
