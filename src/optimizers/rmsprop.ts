// RMSProp (Hinton's lecture 6e, 2012), plain, centered, with momentum.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { add, div, maximum, mul, sqrt, square, sub } from '../../compiler/ops/index.ts';
import { movingMean, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.ts';

export interface RmspropOptions extends OptimizerOptions {
  /** Decay of the mean of squares; default 0.99. */
  readonly alpha?: number;
  /** Added to the root; default 1e-8. */
  readonly epsilon?: number;
  readonly momentum?: number;
  /** Divides by the deviation of the gradients instead of their root mean square; default false. */
  readonly centered?: boolean;
}

/**
 * Steps by the gradient over the root of the mean of squares, or, with momentum, by a velocity of that. Centered: the mean of
 * squares less the square of the mean. Learning rate 0.01 by default. Throws HDL0003.
 *
 * @formula v ← αv + (1−α)g²; u = g / (√v + ε); b ← μb + u; p ← p − η · b
 * @source Hinton, lecture 6e, 2012; centered: Graves, 2013
 * @example optimizers.rmsprop({ learningRate: 0.001, momentum: 0.9 })
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false } = options;
  return optimizer('rmsprop', { learningRate: 0.01, ...options }, () => ({ gradient, state }) => {
    const squares = state('v');
    let spread: Tensor = squares.set(movingMean(squares.value, square(gradient), alpha));
    if (centered) {
      const center = state('mean');
      const next = center.set(movingMean(center.value, gradient, alpha));
      // A variance, so never negative but for rounding.
      spread = maximum(sub(spread, square(next)), 0);
    }
    const step: Tensor = div(gradient, add(sqrt(spread), epsilon));
    if (momentum === 0) return step;
    const velocity = state('momentum');
    return velocity.set(add(mul(velocity.value, momentum), step));
  });
}
