// Gradient accumulation: the gradient of a large batch, from several small ones.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { absoluteScope } from '../../compiler/graph/scope.ts';
import { add, div, ge, where } from '../../compiler/ops/index.ts';
import { zeros } from '../initializers/constant.ts';
import { variableName } from '../variable.ts';
import { intercept } from './intercept.ts';
import type { Optimizer } from './optimizer.ts';

const path = 'optimizer/accumulated';

/**
 * Sums gradients over so many steps and lets the optimizer act on their mean in the last of them; in the others, parameters
 * and the optimizer's own state stay. Equal to one step on all examples when the batches have one size. Schedules of the
 * learning rate go on counting each step. Throws HDL0003.
 *
 * @formula step t: s ← s + g; when n divides t: p ← update(p, s / n), s ← 0
 * @source Ott et al., 2018
 * @example optimizers.accumulate(optimizers.adam(), 4)
 */
export function accumulate(optimizer: Optimizer, steps: number): Optimizer {
  if (!Number.isInteger(steps) || steps < 1) {
    throw compilerError('HDL0003', {
      what: `accumulate(${optimizer.name}, ${steps})`,
      rule: 'the number of steps is an integer of at least 1',
      hint: 'accumulate(optimizer, 4) acts on each fourth step',
      loc: callerLocation(),
    });
  }
  return Object.freeze<Optimizer>({
    name: `accumulate(${optimizer.name}, ${steps})`,
    rates: optimizer.rates,
    update: (parameters, gradients, ctx): void => {
      const own = ctx.scope(`/${path}`);
      const state = { trainable: false };
      const count = own.variable('count', [], zeros(), state);
      const { isLast, means } = absoluteScope(path, () => {
        const now: Tensor = add(count, 1);
        const isLast = ge(now, steps);
        ctx.assign(count, where(isLast, 0, now));
        const means = gradients.map((g, i): Tensor => {
          const p = parameters[i];
          // The optimizer says what is wrong with lists of different lengths.
          if (p === undefined) return g;
          const held = own.variable(`sum/${variableName(p)}`, p.type.shape, zeros(), state);
          const sum: Tensor = add(held, g);
          ctx.assign(held, where(isLast, 0, sum));
          return div(sum, steps);
        });
        return { isLast, means };
      });
      const whenLast = intercept(ctx, (target, value) => ctx.assign(target, where(isLast, value, target)));
      optimizer.update(parameters, means, whenLast);
    },
  });
}
