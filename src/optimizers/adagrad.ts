// Adagrad (Duchi et al., 2011).

import { add, div, mul, sqrt, square } from '../../compiler/ops/index.ts';
import { constant } from '../initializers/constant.ts';
import { type Optimizer, type OptimizerOptions, optimizer } from './optimizer.ts';

export interface AdagradOptions extends OptimizerOptions {
  /** The rate is divided by 1 + (t − 1) · rateDecay at step t; default 0. */
  readonly rateDecay?: number;
  /** First value of the sum of squares; default 0. */
  readonly initialSum?: number;
  /** Added to the root; default 1e-10. */
  readonly epsilon?: number;
}

/**
 * Each element's rate falls with the squares of its gradients so far. Learning rate 0.01 by default. Throws HDL0003.
 *
 * @formula s ← s + g²; p ← p − η · g / (√s + ε)
 * @source Duchi et al., 2011
 * @example optimizers.adagrad({ learningRate: 0.1 })
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { rateDecay = 0, initialSum = 0, epsilon = 1e-10 } = options;
  return optimizer('adagrad', { learningRate: 0.01, ...options }, (shared) => {
    // Steps before this one.
    const step = rateDecay > 0 ? shared('step') : null;
    step?.set(add(step.value, 1));
    return ({ gradient, state }) => {
      const squares = state('sum', constant(initialSum));
      const total = squares.set(add(squares.value, square(gradient)));
      const direction = div(gradient, add(sqrt(total), epsilon));
      return step === null ? direction : div(direction, add(mul(step.value, rateDecay), 1));
    };
  });
}
