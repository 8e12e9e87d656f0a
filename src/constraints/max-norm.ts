// No unit's weights longer than a limit.

import { scope } from '../../compiler/graph/scope.ts';
import { add, div, minimum, mul } from '../../compiler/ops/index.ts';
import type { Constraint } from '../variable.ts';
import { checkLimit } from './check.ts';
import { least, unitNorms } from './norm.ts';

/**
 * Scales the weights of each unit down to a length of at most `limit`. Units are the columns of a dense weight [in, out] and
 * the filters of a convolution; `axes` says where weights of one unit lie otherwise. Throws HDL0003.
 *
 * @formula w · min(1, c / (‖w of its unit‖ + 1e-7))
 * @source Srebro and Shraibman, 2005; Srivastava et al., 2014
 * @example nn.dense(100, { constraint: constraints.maxNorm(3) })
 */
export function maxNorm(limit = 2, axes?: readonly number[]): Constraint {
  checkLimit('maxNorm', limit);
  return (value) =>
    scope('maxNorm', () => mul(value, minimum(div(limit, add(unitNorms(value, axes), least)), 1)));
}
