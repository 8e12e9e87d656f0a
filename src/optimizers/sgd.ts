// Stochastic gradient descent.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { add, mul } from '../../compiler/ops/index.ts';
import { type Optimizer, type OptimizerOptions, optimizer } from './optimizer.ts';

export interface SgdOptions extends OptimizerOptions {
  /** How much of the last step's velocity stays; default 0. */
  readonly momentum?: number;
  /** Looks ahead along the velocity; default false. */
  readonly nesterov?: boolean;
}

/**
 * Gradient descent, with momentum μ and Nesterov's look-ahead if wanted. Learning rate 0.01 by default. The velocity starts at
 * 0, so the first step is g. Throws HDL0003.
 *
 * @formula v ← μv + g; p ← p − η · v; Nesterov: p ← p − η · (g + μv)
 * @source Robbins and Monro, 1951; Polyak, 1964; Nesterov, 1983; Sutskever et al., 2013
 * @example optimizers.sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 })
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false } = options;
  return optimizer('sgd', { learningRate: 0.01, ...options }, () => ({ gradient, state }) => {
    if (momentum === 0) return gradient;
    const velocity = state('momentum');
    const next: Tensor = velocity.set(add(mul(velocity.value, momentum), gradient));
    return nesterov ? add(gradient, mul(next, momentum)) : next;
  });
}
