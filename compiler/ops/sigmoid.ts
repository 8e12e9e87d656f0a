// The logistic function. A primitive: as a composition it took half as long again, and its gradient twice as long.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { binary, compare, constant, type Expr, select, unary } from '../kernel/expr.ts';
import { mul, neg } from './arithmetic.ts';
import { defineOp } from './define.ts';
import { anyElement, drawElements, lowerElements, mapElements, sameTypeRule } from './elementwise.ts';

/**
 * x < 0 ? z s : s with z = e^-|x| and s = 1 / (1 + z): all digits on both sides. sigmoid(-x) is made of the same two, so that a
 * kernel with the function and its gradient computes one exponential and divides once.
 */
function lowerSigmoid(x: Expr): Expr {
  const f = (v: number): Expr => constant('f32', v);
  const isMirrored = x.kind === 'unary' && x.fn === 'neg';
  const u = isMirrored ? x.x : x;
  const z = unary('exp', unary('neg', unary('abs', u)));
  const large = binary('div', f(1), binary('add', z, f(1)));
  const small = binary('mul', z, large);
  const isNegative = compare('lt', u, f(0));
  return isMirrored ? select(isNegative, large, small) : select(isNegative, small, large);
}

const sigmoidOp: OpDef = defineOp({
  name: 'sigmoid',
  family: 'unary',
  doc: {
    summary: 'Logistic function, with full relative precision on both sides.',
    formula: 'y[i] = 1 / (1 + e^-x[i])',
    types: 'f32[S] → f32[S]',
    onnx: 'Sigmoid',
    example: "sigmoid(input('x', [2, 3]))",
  },
  arity: 1,
  type: sameTypeRule(['f32']),
  reference: (operands, _attrs, out) => mapElements(out, operands, (x) => 1 / (1 + Math.exp(-x))),
  // y (1 - y) would lose the digits of its right tail.
  gradient: ({ operands: [x], out, cotangent, needs }) => [
    needs[0] ? mul(cotangent, mul(out, makeNode(sigmoidOp, [neg(x!)]))) : null,
  ],
  lower: lowerElements((x) => lowerSigmoid(x!)),
  sample: (random) => ({
    operands: [drawElements(random, 'f32', random.shape(0, 3, 4), anyElement('f32'))],
    attrs: {},
  }),
});

const sigmoidOps: readonly OpDef[] = [sigmoidOp];
export default sigmoidOps;

/**
 * 1 / (1 + e^-x), with full relative precision on both sides. f32. Throws HDL0002.
 *
 * @formula y = 1 / (1 + e^−x)
 * @example sigmoid(x)
 */
export function sigmoid<X extends Node>(x: X & Accepts<'sigmoid', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(sigmoidOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
