// No weight below 0.

import { scope } from '../../compiler/graph/scope.ts';
import { relu } from '../../compiler/ops/index.ts';
import type { Constraint } from '../variable.ts';

/**
 * Sets what is below 0 to 0.
 *
 * @formula max(w, 0)
 * @source Lee and Seung, 1999
 * @example nn.dense(100, { constraint: constraints.nonNegative() })
 */
export function nonNegative(): Constraint {
  return (value) => scope('nonNegative', () => relu(value));
}
