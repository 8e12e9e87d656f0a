// Lion: steps of one size, by the sign of a mean of gradients.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { sign } from '../../compiler/ops/index.ts';
import { movingMean, type Optimizer, type OptimizerOptions, optimizer } from './optimizer.ts';

export interface LionOptions extends Omit<OptimizerOptions, 'decoupled'> {
  /** Weight of the mean in the direction; default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean; default 0.99. */
  readonly beta2?: number;
}

/**
 * Weight decay is decoupled. Learning rate 0.0001 by default: a third to a tenth of what Adam takes. Throws HDL0003.
 *
 * @formula p ← p − η · (sign(β₁m + (1−β₁)g) + λp); m ← β₂m + (1−β₂)g
 * @source Chen et al., 2023
 * @example optimizers.lion({ learningRate: 3e-4, weightDecay: 0.1 })
 */
export function lion(options: LionOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.99 } = options;
  return optimizer(
    'lion',
    { learningRate: 1e-4, ...options, decoupled: true },
    () =>
      ({ gradient, state }) => {
        const m = state('m');
        const direction: Tensor = sign(movingMean(m.value, gradient, beta1));
        m.set(movingMean(m.value, gradient, beta2));
        return direction;
      },
  );
}
