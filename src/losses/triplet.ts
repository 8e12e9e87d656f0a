// The triplet loss: examples of one kind nearer to each other than to others.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, relu, sqrt, square, sub, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkPositive } from './check.ts';
import { expectClasses, expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface TripletOptions extends LossOptions {
  /** How much nearer the positive has to be; default 1. */
  readonly margin?: number | undefined;
}

/** Added to differences, so that the distance of equal vectors has a gradient. */
const apart = 1e-6;

/**
 * Anchors, positives (of the same kind) and negatives (of another): all f32[N, D] → f32[], or f32[N] with `reduction: 'none'`.
 * Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula max(0, ‖a − p + 1e-6‖ − ‖a − n + 1e-6‖ + margin)
 * @source Schroff et al., 2015
 * @example const loss = losses.triplet(net(a), net(p), net(n), { margin: 0.5 });
 */
export function triplet(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletOptions = {},
): Floats {
  const { margin = 1 } = options;
  checkPositive('triplet', 'margin', margin);
  expectSameShape('triplet', anchor, positive);
  expectSameShape('triplet', anchor, negative);
  expectClasses('triplet', anchor);
  return scope('triplet', () => {
    const distance = (other: Tensor): Floats => {
      const d = add(sub(anchor as Floats, other as Floats) as Floats, apart) as Floats;
      return sqrt(sum(square(d) as Floats, -1) as Floats) as Floats;
    };
    const near = sub(distance(positive), distance(negative)) as Floats;
    return reduceLoss('triplet', relu(add(near, margin) as Floats) as Floats, options);
  });
}
