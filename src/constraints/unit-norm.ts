// Each unit's weights of length 1.

import { scope } from '../../compiler/graph/scope.ts';
import { add, div } from '../../compiler/ops/index.ts';
import type { Constraint } from '../variable.ts';
import { least, unitNorms } from './norm.ts';

/**
 * Scales the weights of each unit to length 1; units as for `maxNorm`.
 *
 * @formula w / (‖w of its unit‖ + 1e-7)
 * @source Salimans and Kingma, 2016
 * @example nn.dense(100, { constraint: constraints.unitNorm() })
 */
export function unitNorm(axes?: readonly number[]): Constraint {
  return (value) => scope('unitNorm', () => div(value, add(unitNorms(value, axes), least)));
}
