// The logarithm of the hyperbolic cosine: squares near zero, magnitudes far from it, smooth between.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, mul, softplus, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/**
 * ln cosh of the error, without overflow. Both f32 and of one shape → f32[], or their shape with `reduction: 'none'`. Throws
 * HDL0001, HDL0002.
 *
 * @formula ln cosh d = d + ln(1 + e^−2d) − ln 2, d = x − t
 * @source Chen et al., 2019
 * @example const loss = losses.logCosh(y, target);
 */
export function logCosh(prediction: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('logCosh', prediction, target);
  return scope('logCosh', () => {
    const d = sub(prediction as Floats, target as Floats) as Floats;
    const tail = softplus(mul(d, -2) as Floats) as Floats;
    return reduceLoss('logCosh', sub(add(d, tail) as Floats, Math.LN2) as Floats, options);
  });
}
