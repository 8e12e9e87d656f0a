// Exponential moving averages of parameters, which often do better than the parameters themselves.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Node, Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { absoluteScope } from '../../compiler/graph/scope.ts';
import { add, eq, where } from '../../compiler/ops/index.ts';
import { zeros } from '../initializers/constant.ts';
import type { Program } from '../program.ts';
import { variableName } from '../variable.ts';
import { intercept } from './intercept.ts';
import { movingMean, type Optimizer } from './optimizer.ts';

const path = 'optimizer/average';

export interface AverageOptions {
  /** How much of the average stays in a step; default 0.999. */
  readonly decay?: number | undefined;
}

/**
 * The optimizer, with an average of each parameter under `optimizer/average`. The first step copies the parameters, the others
 * move the averages towards them. `swapAverages` evaluates with them. Throws HDL0003.
 *
 * @formula a₁ = p₁; aₜ = δ · aₜ₋₁ + (1 − δ) · pₜ
 * @source Polyak and Juditsky, 1992
 * @example const optimizer = optimizers.average(optimizers.adam(), { decay: 0.99 });
 */
export function average(optimizer: Optimizer, options: AverageOptions = {}): Optimizer {
  const { decay = 0.999 } = options;
  if (!(decay >= 0 && decay < 1)) {
    throw compilerError('HDL0003', {
      what: `average(${optimizer.name}, { decay: ${decay} })`,
      rule: 'decay is a number in [0, 1)',
      hint: 'a decay of 0.999 averages over about 1,000 steps',
      loc: callerLocation(),
    });
  }
  return Object.freeze<Optimizer>({
    name: `average(${optimizer.name})`,
    rates: optimizer.rates,
    update: (parameters, gradients, ctx): void => {
      const assigned = new Map<Node, Node>();
      const seen = intercept(ctx, (target, value) => {
        assigned.set(target, value);
        ctx.assign(target, value);
      });
      optimizer.update(parameters, gradients, seen);
      const own = ctx.scope(`/${path}`);
      absoluteScope(path, () => {
        const count = own.variable('count', [], zeros(), { trainable: false });
        ctx.assign(count, add(count, 1));
        const isFirst = eq(count, 0);
        for (const p of parameters) {
          const next: Tensor = assigned.get(p) ?? p;
          const held = own.variable(`of/${variableName(p)}`, p.type.shape, zeros(), { trainable: false });
          ctx.assign(held, where(isFirst, next, movingMean(held, next, decay)));
        }
      });
    },
  });
}

/**
 * Exchanges parameters and their averages; called again, it changes them back. Throws HDL0003 when no step with `average` has
 * been run, and as `Program.set`.
 *
 * @example
 * optimizers.swapAverages(model.program);
 * console.log(await model.evaluate(test));
 * optimizers.swapAverages(model.program); // train on
 */
export function swapAverages(program: Pick<Program, 'variables' | 'get' | 'set'>): void {
  const prefix = `${path}/of/`;
  const averages = program.variables().filter(({ name }) => name.startsWith(prefix));
  if (averages.length === 0 || program.get(`${path}/count`).data[0] === 0) {
    throw compilerError('HDL0003', {
      what: 'swapAverages of a program without averages',
      rule: 'averages exist once a step of an optimizer with `average` has run',
      hint: 'train with optimizers.average(optimizers.adam())',
      loc: callerLocation(),
    });
  }
  for (const { name } of averages) {
    const parameter = name.slice(prefix.length);
    const [held, now] = [program.get(name).data, program.get(parameter).data];
    program.set(parameter, held);
    program.set(name, now);
  }
}
