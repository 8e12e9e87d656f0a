// The complementary error function. A primitive, since 1 - erf(x) has no digits left where erf is close to 1: at x = 4 it
// is wrong by half of its value in f32, and 0 from 4 on, where erfc is 1.5e-8.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { binary, compare, constant, type Expr, select, unary } from '../kernel/expr.ts';
import { mul, neg } from './arithmetic.ts';
import { defineOp } from './define.ts';
import { anyElement, drawElements, lowerElements, mapElements, sameTypeRule } from './elementwise.ts';
import { erfc as erfcOf } from './erf.ts';
import { exp } from './unary.ts';

/** log of erfc(a) / t + a² for t = 1 / (1 + a / 2), highest power of t first; see `lowerErfc`. */
const coefficients = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
  1.00002368, -1.26551223,
];

/**
 * erfc a = t exp(-a² + p(t)) for a = |x|, and 2 - erfc a for x < 0: Numerical Recipes, §6.2, a Chebyshev fit with a relative
 * error of 1.2e-7 everywhere. What rounding -a² adds grows to 1e-5 at a = 9, where erfc is 4e-37.
 */
function lowerErfc(x: Expr): Expr {
  const f = (v: number): Expr => constant('f32', v);
  const a = unary('abs', x);
  const t = binary('div', f(1), binary('add', f(1), binary('mul', a, f(0.5))));
  const [first, ...rest] = coefficients;
  const p = rest.reduce<Expr>((sum, c) => binary('add', binary('mul', sum, t), f(c)), f(first!));
  const y = binary('mul', t, unary('exp', binary('sub', p, binary('mul', a, a))));
  return select(compare('lt', x, f(0)), binary('sub', f(2), y), y);
}

export const erfcOp: OpDef = defineOp({
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
  lower: lowerElements((x) => lowerErfc(x!)),
  sample: (random) => ({
    operands: [drawElements(random, 'f32', random.shape(0, 3, 4), anyElement('f32'))],
    attrs: {},
  }),
});

export const erfcOps: readonly OpDef[] = [erfcOp];

/** Complementary error function, 1 - erf(x), also where it is close to 0. f32: `erfc(x)`. */
export function erfc<X extends Node>(x: X & Accepts<'erfc', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(erfcOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
