// RAdam: Adam that does not trust its mean of squares before it has seen enough.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { add, div, gt, maximum, mul, sqrt, square, sub, where } from '../../compiler/ops/index.ts';
import type { AdamOptions } from './adam.ts';
import { biasWeight, movingMean, type Optimizer, optimizer } from './optimizer.ts';

export type RadamOptions = Omit<AdamOptions, 'amsgrad'>;

/**
 * ρ is how many gradients the mean of squares is worth. While it is at most 5 the step is the mean of gradients alone; then
 * Adam's, rectified. Learning rate 0.001 by default. Throws HDL0003.
 *
 * @formula ρₜ = ρ∞ − 2tβ₂ᵗ / (1−β₂ᵗ), ρ∞ = 2 / (1−β₂) − 1; ρₜ > 5: p ← p − η · r · m̂ / (√v̂ + ε / √(1−β₂ᵗ)), r² = (ρₜ−4)(ρₜ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρₜ); else p ← p − η · m̂
 * @source Liu et al., 2020
 * @example optimizers.radam({ learningRate: 0.01 })
 */
export function radam(options: RadamOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  return optimizer('radam', { learningRate: 0.001, ...options }, (shared) => {
    const weight1 = biasWeight(shared, 'weight1', beta1);
    // D = Σ β₂ⁱ⁻¹ and N = Σ i · β₂ⁱ⁻¹ over i = 1 … t. Then 1 − β₂ᵗ = (1 − β₂) D and ρₜ = 2 N / D − 1: sums of positive
    // numbers, where the formula above takes a difference of two numbers near 2000 that leaves a few units.
    const [d, n] = [shared('ones'), shared('ages')];
    const nextD = d.set(add(mul(d.value, beta2), 1));
    const nextN = n.set(add(mul(n.value, beta2), nextD));
    const worth: Tensor = sub(div(mul(nextN, 2), nextD), 1);
    const isEnough = gt(worth, 5);
    const most = 2 / (1 - beta2) - 1;
    const safe = maximum(worth, 5);
    const ratio = div(mul(sub(safe, 4), sub(safe, 2)), safe);
    const rectified: Tensor = sqrt(mul(ratio, most / ((most - 4) * (most - 2))));
    const scale: Tensor = mul(rectified, sqrt(mul(nextD, 1 - beta2)));

    return ({ gradient, state }) => {
      const m = state('m');
      const v = state('v');
      const mean: Tensor = div(m.set(movingMean(m.value, gradient, beta1)), weight1);
      const nextV = v.set(movingMean(v.value, square(gradient), beta2));
      return where(isEnough, mul(mean, div(scale, add(sqrt(nextV), epsilon))), mean);
    };
  });
}
