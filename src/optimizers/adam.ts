// Adam (Kingma and Ba, 2015), AdamW (Loshchilov and Hutter, 2019) and AMSGrad (Reddi et al., 2018).

import { add, div, maximum, mul, sqrt, square } from '../../compiler/ops/index.ts';
import { biasWeight, movingMean, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.ts';

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the mean of gradients; default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of their squares; default 0.999. */
  readonly beta2?: number;
  /** Added to the root; default 1e-8. */
  readonly epsilon?: number;
  /** Uses the largest mean of squares so far; default false. */
  readonly amsgrad?: boolean;
}

/**
 * Steps by the mean of gradients over the root of the mean of their squares; with `amsgrad`, the largest such mean so far.
 * Learning rate 0.001 by default. `weightDecay` is added to the gradient; see `adamw`. Throws HDL0003.
 *
 * @formula m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − η · (m / (1−β₁ᵗ)) / (√(v / (1−β₂ᵗ)) + ε)
 * @source Kingma and Ba, 2015; AMSGrad: Reddi et al., 2018
 * @example optimizers.adam({ learningRate: 0.01 })
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, amsgrad = false } = options;
  return optimizer('adam', { learningRate: 0.001, ...options }, (shared) => {
    const step = shared('step');
    step.set(add(step.value, 1));
    const weight1 = biasWeight(shared, 'weight1', beta1);
    const weight2 = biasWeight(shared, 'weight2', beta2);
    // (m / w₁) / (√(v / w₂) + ε) = √w₂ / w₁ · m / (√v + ε √w₂): one division for each element instead of three.
    const root = sqrt(weight2);
    const scale = div(root, weight1);
    const small = mul(root, epsilon);

    return ({ gradient, state }) => {
      const m = state('m');
      const v = state('v');
      const nextM = m.set(movingMean(m.value, gradient, beta1));
      let nextV = v.set(movingMean(v.value, square(gradient), beta2));
      if (amsgrad) {
        const largest = state('vMax');
        nextV = largest.set(maximum(largest.value, nextV));
      }
      return mul(div(nextM, add(sqrt(nextV), small)), scale);
    };
  });
}

/**
 * Adam with decoupled weight decay, 0.01 by default. Throws HDL0003.
 *
 * @formula p ← p − η · λ · p, then Adam’s step
 * @source Loshchilov and Hutter, 2019
 * @example optimizers.adamw({ learningRate: 0.001, weightDecay: 0.05 })
 */
export function adamw(options: Omit<AdamOptions, 'decoupled'> = {}): Optimizer {
  return adam({ weightDecay: 0.01, ...options, decoupled: true });
}
