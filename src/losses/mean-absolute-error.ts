// Mean absolute error.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { abs, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * Absolute differences, averaged over all elements. Both f32 and of one shape → f32[], or their shape with
 * `reduction: 'none'`. The gradient where they are equal is 0. Throws HDL0001, HDL0002.
 *
 * @formula |x − t|
 * @source Laplace, 1774
 * @example const loss = losses.meanAbsoluteError(y, target);
 */
export function meanAbsoluteError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('meanAbsoluteError', prediction, target);
  return scope('meanAbsoluteError', () =>
    reduceLoss('meanAbsoluteError', abs(sub(prediction as Floats, target as Floats)), options),
  );
}
