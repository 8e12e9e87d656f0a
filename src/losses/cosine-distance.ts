// Cosine distance between vectors.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { maximum, mul, rsqrt, square, sub, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

/** Lengths below this count as this: a vector of zeros has distance 1 and a finite gradient. */
const least = 1e-8;

/**
 * One minus the cosine of the angle between prediction and target, vectors along the last axis: 0 where they point the same
 * way, 2 where they point apart. Both f32[…, D] → f32[], or f32[…] with `reduction: 'none'`. Throws HDL0001, HDL0002.
 *
 * @formula 1 − x · t / (max(‖x‖, 1e-8) · max(‖t‖, 1e-8))
 * @source Hadsell et al., 2006
 * @example const loss = losses.cosineDistance(embeddings, targets);
 */
export function cosineDistance(prediction: Tensor, target: Tensor, options: LossOptions = {}): Floats {
  expectSameShape('cosineDistance', prediction, target);
  if (prediction.type.shape.length === 0) {
    throw compilerError('HDL0001', {
      what: `cosineDistance(${describeNode(prediction)}, …)`,
      rule: 'vectors lie along the last axis: [examples, features]',
      hint: 'give it vectors',
      loc: callerLocation(),
    });
  }
  return scope('cosineDistance', () => {
    const [x, t] = [prediction as Floats, target as Floats];
    const scale = (v: Floats): Floats =>
      rsqrt(maximum(sum(square(v) as Floats, -1) as Floats, least * least) as Floats) as Floats;
    const along = sum(mul(x, t) as Floats, -1) as Floats;
    const cosine = mul(along, mul(scale(x), scale(t)) as Floats) as Floats;
    return reduceLoss('cosineDistance', sub(1, cosine) as Floats, options);
  });
}
