// RMSProp as the tutorials have it: epsilon is added before the root is taken, not after. An optimizer of one's own is a rule
// from gradients to steps; learning rate, weight decay and state come with it.

import { add, div, type Optimizer, optimizers, sqrt, square } from '../../src/index.ts';

/**
 * s ← αs + (1−α)g²; p ← p − η · g / √(s + ε).
 *
 * @example rmspropInside({ learningRate: 0.001, alpha: 0.99, epsilon: 1e-7 })
 */
export function rmspropInside(options: {
  readonly learningRate: number;
  readonly alpha: number;
  readonly epsilon: number;
}): Optimizer {
  const { alpha, epsilon } = options;
  return optimizers.optimizer('rmsprop', options, () => ({ gradient, state }) => {
    const squares = state('v');
    const next = squares.set(optimizers.movingMean(squares.value, square(gradient), alpha));
    return div(gradient, sqrt(add(next, epsilon)));
  });
}
