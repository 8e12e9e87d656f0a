// The angle of a point, in all four quadrants.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, Broadcast, Broadcasts, CommonDType, Operand, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { add, div, sub } from './arithmetic.ts';
import { isMinus } from './classify.ts';
import { eq, gt, where } from './compare.ts';
import { broadcastOperands } from './elementwise.ts';
import { atan } from './inverse-trig.ts';
import { abs } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * Angle of the point (x, y) in radians, from -π to π; signs of zeros count. f32; shapes broadcast. The gradient is
 * (x, -y) / (x² + y²) for (y, x) and has no meaning at (0, 0). Two infinities give NaN. Throws HDL0001, HDL0002.
 *
 *     atan2(y, x); // f32[64], f32[64] → f32[64]
 */
export function atan2<A extends Operand, B extends Operand>(
  y: A & Accepts<'atan2', A, 'f32'>,
  x: B & Broadcasts<'atan2', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const node = scope('atan2', () => angle(...(broadcastOperands('atan2', [y, x]) as [Floats, Floats])));
  return node as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * The smaller coordinate is divided by the larger one, so that nothing overflows. Which is chosen by comparisons, through
 * which no gradient passes: both choices have the same derivative.
 */
function angle(y: Floats, x: Floats): Node {
  const isSteep = gt(abs(y), abs(x));
  const under: Node = where(isSteep, y, x);
  const t: Node = atan(div(where(isSteep, x, y), where(eq(under, 0), 1, under)) as Floats);
  const quarter = where(isMinus(y), -Math.PI / 2, Math.PI / 2);
  const half = where(isMinus(y), -Math.PI, Math.PI);
  return where(isSteep, sub(quarter as Node, t), add(t, where(isMinus(x), half as Node, 0)));
}
