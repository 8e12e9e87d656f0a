// An optimizer that gets its gradients changed: what the tutorials do to theirs, in one line each.

import type { Optimizer, Tensor } from '../../src/index.ts';

/**
 * The optimizer, with each gradient replaced by a function of it.
 *
 * @example mapGradients(optimizers.sgd(), (g) => mul(g, 64))
 */
export function mapGradients(optimizer: Optimizer, change: (gradient: Tensor) => Tensor): Optimizer {
  return {
    ...optimizer,
    update: (parameters, gradients, ctx) => optimizer.update(parameters, gradients.map(change), ctx),
  };
}
