// Parameter groups: another optimizer, another learning rate or none at all for some of the parameters.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { Context } from '../context.ts';
import { variableName } from '../variable.ts';
import { type ClipOptions, clipGradients } from './clip.ts';
import { intercept } from './intercept.ts';
import type { Optimizer } from './optimizer.ts';

export interface ParameterGroup {
  /** Name of the scope of its state: `optimizer/NAME`. */
  readonly name: string;
  /** Which parameters belong to it, by their names; default: all that no group before it has. */
  readonly match?: RegExp | ((name: string) => boolean) | undefined;
  /** What updates them; null leaves them as they are. */
  readonly optimizer: Optimizer | null;
}

/**
 * Each parameter is updated by the first group that it matches; clipping in `options` is of all gradients together. A
 * schedule of the learning rate keeps the ratios between groups. Throws HDL0003 (names), HDL0010 (a parameter in no group).
 *
 * @formula p ← updateᵍ(p) for the first group g that p matches
 * @source Yosinski et al., 2014 (layers that stay, layers that learn)
 * @example
 * optimizers.groups([
 *   { name: 'stem', match: /^conv1\//, optimizer: null },
 *   { name: 'biases', match: /\/b$/, optimizer: optimizers.sgd() },
 *   { name: 'rest', optimizer: optimizers.adamw() },
 * ])
 */
export function groups(list: readonly ParameterGroup[], options: ClipOptions = {}): Optimizer {
  const names = list.map((g) => g.name);
  if (list.length === 0 || names.some((n, i) => n === '' || n.includes('/') || names.indexOf(n) !== i)) {
    throw compilerError('HDL0003', {
      what: `groups named ${names.map((n) => `'${n}'`).join(', ') || 'nothing'}`,
      rule: 'there is at least one group, and each has a name of its own, without a slash',
      hint: "give each a name: { name: 'biases', match: /\\/b$/, optimizer }",
      loc: callerLocation(),
    });
  }
  const own = (group: ParameterGroup, path: string): string =>
    path.replace(/^(\/?[^/]+)/, `$1/${group.name}`);
  return Object.freeze<Optimizer>({
    name: 'groups',
    rates: list.flatMap((g) =>
      (g.optimizer?.rates ?? []).map(({ variable, initial }) => ({ variable: own(g, variable), initial })),
    ),
    update: (parameters, given, ctx): void => {
      const gradients = clipGradients(given, options);
      const groupOf = parameters.map((p) => list.findIndex((g) => isMember(g, variableName(p))));
      const none = groupOf.indexOf(-1);
      if (none >= 0) {
        throw compilerError('HDL0010', {
          what: `groups.update of '${variableName(parameters[none]!)}'`,
          rule: `it belongs to one of the groups ${names.map((n) => `'${n}'`).join(', ')}`,
          hint: 'leave out match in the last group: it then takes all others',
          loc: callerLocation(),
        });
      }
      list.forEach((group, i) => {
        const members = parameters.filter((_, k) => groupOf[k] === i);
        if (group.optimizer === null || members.length === 0) return;
        const scoped: Context = intercept(ctx, ctx.assign, (path) => own(group, path));
        group.optimizer.update(
          members,
          gradients.filter((_, k) => groupOf[k] === i),
          scoped,
        );
      });
    },
  });
}

function isMember({ match }: ParameterGroup, name: string): boolean {
  if (match === undefined) return true;
  return typeof match === 'function' ? match(name) : name.search(match) >= 0;
}
