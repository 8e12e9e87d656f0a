// Powers. Apart from the other ops of two operands, because the gradient needs the logarithm.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type {
  Accepts,
  Broadcast,
  Broadcasts,
  CommonDType,
  DTypeOf,
  Operand,
  ShapeOf,
} from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { binary } from '../kernel/expr.ts';
import { div, mul, sub } from './arithmetic.ts';
import { logicalAnd } from './binary.ts';
import { eq, gt, lt, where } from './compare.ts';
import { defineOp } from './define.ts';
import {
  between,
  broadcastOperands,
  drawElements,
  lowerElements,
  mapElements,
  sameTypeRule,
} from './elementwise.ts';
import { full, splatValue, zerosLike } from './leaf.ts';
import { composite } from './math.ts';
import { abs, log, sign } from './unary.ts';

/** g · y · x^(y-1), where y = 0 makes no NaN of 0 · 0^-1, at any order of differentiation. */
function gradientOfBase(g: Node, x: Node, y: Node): Node {
  const k = splatValue(y);
  if (k !== null) return k === 0 ? zerosLike(x) : mul(g, mul(k === 1 ? 1 : powByNumber(x, k - 1), k));
  const isZero = eq(y, 0);
  const safe: Node = where(isZero, 1, y);
  return where(isZero, 0, mul(g, mul(safe, pow(x, sub(safe, 1)))));
}

function powByNumber(x: Node, k: number): Node {
  return k === 1 ? x : makeNode(powOp, [x, full(x.type.shape, k, 'f32')]);
}

/** g · x^y · ln x where x > 0, else 0; the logarithm never sees what it does not accept. */
function gradientOfExponent(g: Node, x: Node, out: Node): Node {
  const isPositive = gt(x, 0);
  return where(isPositive, mul(g, mul(out, log(where(isPositive, x, 1)))), 0);
}

const powOp: OpDef = defineOp({
  name: 'pow',
  family: 'power',
  doc: {
    summary:
      'Power. A negative base needs an integer exponent, else the result is NaN; anything to the power 0 is 1; a NaN exponent gives NaN.',
    formula: 'z[i] = x[i]^y[i]',
    types: 'f32[S], f32[S] → f32[S]',
    kinks:
      'dz/dy is 0 where x ≤ 0; dz/dx is 0 where y = 0, also at x = 0, and infinite at x = 0 where y < 1 otherwise',
    onnx: 'Pow',
    example: "pow(input('x', [2, 3]), 3)",
  },
  arity: 2,
  type: sameTypeRule(['f32']),
  reference: (operands, _attrs, out) => mapElements(out, operands, (x, y) => x ** y),
  gradient: ({ operands: [x, y], out, cotangent, needs }) => [
    needs[0] ? gradientOfBase(cotangent, x!, y!) : null,
    needs[1] ? gradientOfExponent(cotangent, x!, out) : null,
  ],
  lower: lowerElements((x, y) => binary('pow', x!, y!)),
  sample: (random) => {
    const shape = random.shape(0, 3, 4);
    return {
      operands: [
        drawElements(random, 'f32', shape, between(0.2, 3)),
        drawElements(random, 'f32', shape, between(-2, 2)),
      ],
      attrs: {},
    };
  },
});

const powerOps: readonly OpDef[] = [powOp];
export default powerOps;

/**
 * Power of elements. f32; shapes broadcast. Safe to differentiate at x = 0 for exponents of 0 and from 1 on, and for
 * negative x with integer exponents when these are constant. Throws HDL0001, HDL0002.
 *
 *     pow(input('x', [64]), 3);
 */
export function pow<A extends Operand, B extends Operand>(
  x: A & Accepts<'pow', A, 'f32'>,
  y: B & Broadcasts<'pow', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const node: Node = makeNode(powOp, broadcastOperands('pow', [x, y]));
  return node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * 2 to the power of each element. f32. Throws HDL0002.
 *
 * @formula y = 2ˣ
 * @example exp2(x)
 */
export function exp2<X extends Node>(x: X & Accepts<'exp2', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('exp2', x, (v) => pow(2, v as Node<Shape, 'f32'>));
}

/**
 * Cube root, also of negative numbers; the gradient at 0 is infinite. f32. Throws HDL0002.
 *
 * @formula y = ∛x
 * @example cbrt(x)
 */
export function cbrt<X extends Node>(x: X & Accepts<'cbrt', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('cbrt', x, (v) => {
    const f = v as Node<Shape, 'f32'>;
    const a = abs(f) as Node<Shape, 'f32'>;
    const y = pow(a, 1 / 3) as Node<Shape, 'f32'>;
    // One step of Newton's method: 1/3 is not a float, which costs up to 15 units in the last place. Not where there is
    // nothing to divide, or no end.
    const isOrdinary = logicalAnd(gt(a, 0), lt(a, Number.POSITIVE_INFINITY));
    const size = where(isOrdinary, a, 1) as Node<Shape, 'f32'>;
    const root = where(isOrdinary, y, 1) as Node<Shape, 'f32'>;
    const step = mul(sub(root, div(size, mul(root, root))), 1 / 3);
    return mul(sign(f), sub(y, where(isOrdinary, step, 0)));
  });
}
