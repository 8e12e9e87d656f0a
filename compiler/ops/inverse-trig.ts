// Arc tangent, and by it arc sine and arc cosine. Targets have no such function: the lowering is its own polynomial,
// so that all of them compute the same bits.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { binary, compare, constant, type Expr, select, unary } from '../kernel/expr.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { defineOp } from './define.ts';
import { anyElement, drawElements, lowerElements, mapElements, sameTypeRule } from './elementwise.ts';
import { composite } from './math.ts';
import { sqrt } from './unary.ts';

/**
 * Arc tangent in f32 to 2 units in the last place: Moshier's Cephes, atanf. |x| is taken to t in [-tan π/8, tan π/8] with
 * atan |x| = base + atan t, where the odd polynomial holds.
 */
function lowerAtan(x: Expr): Expr {
  const f = (v: number): Expr => constant('f32', v);
  const a = unary('abs', x);
  const isLarge = compare('gt', a, f(Math.tan((3 * Math.PI) / 8)));
  const isMiddle = compare('gt', a, f(Math.tan(Math.PI / 8)));
  const middle = binary('div', binary('sub', a, f(1)), binary('add', a, f(1)));
  const t = select(isLarge, binary('div', f(-1), a), select(isMiddle, middle, a));
  const base = select(isLarge, f(Math.PI / 2), select(isMiddle, f(Math.PI / 4), f(0)));
  const z = binary('mul', t, t);
  const [first, ...rest] = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];
  const p = rest.reduce<Expr>((sum, c) => binary('add', binary('mul', sum, z), f(c)), f(first!));
  const y = binary('add', base, binary('add', binary('mul', binary('mul', p, z), t), t));
  const signed = select(compare('lt', x, f(0)), unary('neg', y), y);
  return select(compare('eq', x, f(0)), x, signed); // -0 stays -0
}

const atanOp: OpDef = defineOp({
  name: 'atan',
  family: 'unary',
  doc: {
    summary: 'Arc tangent, in radians, from -π/2 to π/2.',
    formula: 'y[i] = arctan x[i]',
    types: 'f32[S] → f32[S]',
    onnx: 'Atan',
    example: "atan(input('x', [2, 3]))",
  },
  arity: 1,
  type: sameTypeRule(['f32']),
  reference: (operands, _attrs, out) => mapElements(out, operands, Math.atan),
  gradient: ({ operands: [x], cotangent, needs }) => [needs[0] ? div(cotangent, add(mul(x!, x!), 1)) : null],
  lower: lowerElements((x) => lowerAtan(x!)),
  sample: (random) => ({
    operands: [drawElements(random, 'f32', random.shape(0, 3, 4), anyElement('f32'))],
    attrs: {},
  }),
});

const inverseTrigOps: readonly OpDef[] = [atanOp];
export default inverseTrigOps;

/**
 * Arc tangent, in radians. f32. Throws HDL0002.
 *
 * @formula y = arctan(x)
 * @example atan(x)
 */
export function atan<X extends Node>(x: X & Accepts<'atan', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(atanOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * Arc sine, in radians; NaN outside of [-1, 1], and an infinite gradient at its ends. f32. Throws HDL0002.
 *
 * @formula y = arcsin(x)
 * @example asin(x)
 */
export function asin<X extends Node>(x: X & Accepts<'asin', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('asin', x, (v) => atan(div(v, sqrt(mul(sub(1, v), add(v, 1))))));
}

/**
 * Arc cosine, in radians; NaN outside of [-1, 1], and an infinite gradient at its ends. f32. Throws HDL0002.
 *
 * @formula y = arccos(x)
 * @example acos(x)
 */
export function acos<X extends Node>(x: X & Accepts<'acos', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  // Half angles keep the relative precision near 1, which π/2 - asin(x) would lose.
  return composite<X>('acos', x, (v) => mul(atan(sqrt(div(sub(1, v), add(v, 1)))), 2));
}
