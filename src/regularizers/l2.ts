// L2: pulls values to 0 in proportion to their size.

import { scope } from '../../compiler/graph/scope.ts';
import { mul, square, sum } from '../../compiler/ops/index.ts';
import type { Regularizer } from '../variable.ts';
import { checkFactor } from './check.ts';

/**
 * The sum of squares. With plain gradient descent it does what an optimizer's `weightDecay` of 2λ does. f32 of any shape → f32[].
 * Throws HDL0003.
 *
 * @formula λ · Σ w²
 * @source Hoerl and Kennard, 1970
 * @example nn.dense(100, { regularizer: regularizers.l2(1e-4) })
 */
export function l2(factor = 0.01): Regularizer {
  checkFactor('l2', factor);
  return (value) => scope('l2', () => mul(sum(square(value)), factor));
}
