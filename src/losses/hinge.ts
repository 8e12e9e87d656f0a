// The hinge loss of support vector machines.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { mul, relu, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * Hinge loss for targets of −1 and 1. Both f32 and of one shape → f32[], or their shape with
 * `reduction: 'none'`. The gradient at the kink is 0. Throws HDL0001, HDL0002.
 *
 * @formula max(0, 1 − x · t)
 * @source Cortes and Vapnik, 1995
 * @example const loss = losses.hinge(scores, signs);
 */
export function hinge(prediction: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('hinge', prediction, target);
  return scope('hinge', () =>
    reduceLoss(
      'hinge',
      relu(sub(1, mul(prediction as Floats, target as Floats) as Floats) as Floats) as Floats,
      options,
    ),
  );
}
