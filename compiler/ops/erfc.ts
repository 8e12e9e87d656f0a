// The complementary error function. A primitive, since 1 - erf(x) has no digits left where erf is close to 1: at x = 4 it
// is wrong by half of its value in f32, and 0 from 4 on, where erfc is 1.5e-8.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { erfc as erfcInF32 } from '../kernel/math/error-function.ts';
import { mul, neg } from './arithmetic.ts';
import { defineOp } from './define.ts';
import { anyElement, drawElements, lowerElements, mapElements, sameTypeRule } from './elementwise.ts';
import { erfc as erfcOf } from './erf.ts';
import { exp } from './unary.ts';

const erfcOp: OpDef = defineOp({
  name: 'erfc',
  family: 'unary',
  doc: {
    summary: 'Complementary error function, also where it is close to 0.',
    formula: 'y[i] = 1 - erf x[i] = 2/√π ∫_x[i]^∞ exp(-t²) dt',
    types: 'f32[S] → f32[S]',
    example: "erfc(input('x', [2, 3]))",
  },
  arity: 1,
  type: sameTypeRule(['f32']),
  reference: (operands, _attrs, out) => mapElements(out, operands, erfcOf),
  gradient: ({ operands: [x], cotangent, needs }) => [
    needs[0] ? mul(cotangent, mul(exp(neg(mul(x!, x!))), -2 / Math.sqrt(Math.PI))) : null,
  ],
  lower: lowerElements((x) => erfcInF32(x!)),
  sample: (random) => ({
    operands: [drawElements(random, 'f32', random.shape(0, 3, 4), anyElement('f32'))],
    attrs: {},
  }),
});

const erfcOps: readonly OpDef[] = [erfcOp];
export default erfcOps;

/**
 * Complementary error function, 1 - erf(x), also where it is close to 0. f32: `erfc(x)`.
 *
 * @example erfc(x)
 */
export function erfc<X extends Node>(x: X & Accepts<'erfc', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(erfcOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
