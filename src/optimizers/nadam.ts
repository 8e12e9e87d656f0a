// NAdam: Adam that looks ahead along its mean of gradients.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { add, div, exp, mul, sqrt, square, sub } from '../../compiler/ops/index.ts';
import { ones } from '../initializers/constant.ts';
import type { AdamOptions } from './adam.ts';
import { biasWeight, movingMean, type Optimizer, optimizer } from './optimizer.ts';

export interface NadamOptions extends Omit<AdamOptions, 'amsgrad'> {
  /** How fast the look-ahead reaches beta1; default 0.004. */
  readonly momentumDecay?: number;
}

/**
 * With a momentum that grows from β₁ / 2 to β₁ and its product over steps P. Learning rate 0.002 by default. Throws HDL0003.
 *
 * @formula μₜ = β₁(1 − 0.96^(tψ) / 2); p ← p − η · ((1−μₜ)g / (1−Pₜ) + μₜ₊₁m / (1−Pₜ₊₁)) / (√(v / (1−β₂ᵗ)) + ε)
 * @source Dozat, 2016
 * @example optimizers.nadam({ learningRate: 0.001 })
 */
export function nadam(options: NadamOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, momentumDecay = 0.004 } = options;
  return optimizer('nadam', { learningRate: 0.002, ...options }, (shared) => {
    const step = shared('step');
    const now = step.set(add(step.value, 1));
    const momentumAt = (time: Tensor): Tensor =>
      mul(sub(1, mul(exp(mul(time, momentumDecay * Math.log(0.96))), 0.5)), beta1);
    const momentum = momentumAt(now);
    const ahead = momentumAt(add(now, 1));
    const product = shared('product', ones());
    const soFar = product.set(mul(product.value, momentum));
    const ofGradient: Tensor = div(sub(1, momentum), sub(1, soFar));
    const ofMean: Tensor = div(ahead, sub(1, mul(soFar, ahead)));
    const weight2 = biasWeight(shared, 'weight2', beta2);

    return ({ gradient, state }) => {
      const m = state('m');
      const v = state('v');
      const nextM = m.set(movingMean(m.value, gradient, beta1));
      const nextV = v.set(movingMean(v.value, square(gradient), beta2));
      const look: Tensor = add(mul(gradient, ofGradient), mul(nextM, ofMean));
      return div(look, add(sqrt(div(nextV, weight2)), epsilon));
    };
  });
}
