// Mean squared error.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { square, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * Squared differences, averaged over all elements. Both f32 and of one shape: [n, 1] against [n] is an error, never a
 * broadcast. → f32[], or their shape with `reduction: 'none'`. Throws HDL0001, HDL0002.
 *
 * @formula (x − t)²
 * @source Legendre, 1805
 * @example const loss = losses.meanSquaredError(y, target);
 */
export function meanSquaredError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('meanSquaredError', prediction, target);
  return scope('meanSquaredError', () =>
    reduceLoss('meanSquaredError', square(sub(prediction as Floats, target as Floats)), options),
  );
}
