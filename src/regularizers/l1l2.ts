// L1 and L2 together: the elastic net.

import { add } from '../../compiler/ops/index.ts';
import type { Regularizer } from '../variable.ts';
import { l1 } from './l1.ts';
import { l2 } from './l2.ts';

/**
 * The sum of magnitudes and the sum of squares, each with its factor. f32 of any shape → f32[]. Throws HDL0003.
 *
 * @formula λ₁ · Σ |w| + λ₂ · Σ w²
 * @source Zou and Hastie, 2005
 * @example nn.dense(100, { regularizer: regularizers.l1l2(1e-5, 1e-4) })
 */
export function l1l2(factor1 = 0.01, factor2 = 0.01): Regularizer {
  const [first, second] = [l1(factor1), l2(factor2)];
  return (value) => add(first(value), second(value));
}
