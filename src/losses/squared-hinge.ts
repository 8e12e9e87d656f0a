// The hinge loss, squared: smooth at its bend.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { mul, relu, square, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * Squared hinge loss for targets of −1 and 1. Both f32 and of one shape → f32[], or their shape with `reduction: 'none'`.
 * Throws HDL0001, HDL0002.
 *
 * @formula max(0, 1 − x · t)²
 * @source Tang, 2013
 * @example const loss = losses.squaredHinge(scores, signs);
 */
export function squaredHinge(prediction: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('squaredHinge', prediction, target);
  return scope('squaredHinge', () => {
    const short = sub(1, mul(prediction as Floats, target as Floats) as Floats) as Floats;
    return reduceLoss('squaredHinge', square(relu(short) as Floats) as Floats, options);
  });
}
