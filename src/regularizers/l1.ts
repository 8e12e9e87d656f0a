// L1: pulls values to 0 by a force of one size, so that many end there.

import { scope } from '../../compiler/graph/scope.ts';
import { abs, mul, sum } from '../../compiler/ops/index.ts';
import type { Regularizer } from '../variable.ts';
import { checkFactor } from './check.ts';

/**
 * The sum of magnitudes. f32 of any shape → f32[]. Throws HDL0003.
 *
 * @formula λ · Σ |w|
 * @source Tibshirani, 1996
 * @example nn.dense(100, { regularizer: regularizers.l1(1e-4) })
 */
export function l1(factor = 0.01): Regularizer {
  checkFactor('l1', factor);
  return (value) => scope('l1', () => mul(sum(abs(value)), factor));
}
