// Adadelta.

import { add, div, mul, sqrt, square } from '../../compiler/ops/index.ts';
import { movingMean, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.ts';

export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of both means of squares; default 0.9. */
  readonly rho?: number;
  /** Added under the roots; default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Steps in the units of the parameters: the size of earlier steps over that of gradients. Learning rate 1 by default. Throws
 * HDL0003.
 *
 * @formula v ← ρv + (1−ρ)g²; d = g · √(u + ε) / √(v + ε); u ← ρu + (1−ρ)d²; p ← p − η · d
 * @source Zeiler, 2012
 * @example optimizers.adadelta()
 */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  const { rho = 0.9, epsilon = 1e-6 } = options;
  return optimizer('adadelta', { learningRate: 1, ...options }, () => ({ gradient, state }) => {
    const squares = state('v');
    const steps = state('u');
    const v = squares.set(movingMean(squares.value, square(gradient), rho));
    const size = div(sqrt(add(steps.value, epsilon)), sqrt(add(v, epsilon)));
    const step = mul(gradient, size);
    steps.set(movingMean(steps.value, square(step), rho));
    return step;
  });
}
