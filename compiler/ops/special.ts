// Functions of one or two numbers that are simple but for a place where the plain formula has no value, or loses it.

import type { Node } from '../graph/ir.ts';
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
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { logicalAnd, logicalOr, logicalXor } from './binary.ts';
import { isMinus } from './classify.ts';
import { eq, gt, le, lt, where } from './compare.ts';
import { composite, compositeOfTwo } from './math.ts';
import { mod } from './remainder.ts';
import { abs, log, round, sin } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Bools = Node<Shape, 'bool'>;

/**
 * x ln y, and 0 where x is 0, whatever y is (but for NaN): a term of an entropy. Shapes broadcast. f32. Where x is 0 and y is no
 * positive number, both gradients are 0. Throws HDL0001, HDL0002.
 *
 * @formula z = x ln(y), 0 where x = 0
 * @example xlogy(p, p) // f32[64, 10] → f32[64, 10]
 */
export function xlogy<A extends Operand, B extends Operand>(
  x: A & Accepts<'xlogy', A, 'f32'>,
  y: B & Broadcasts<'xlogy', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return compositeOfTwo<A, B>('xlogy', x, y, (a, b) => {
    const isNoNumber = logicalOr(le(b, 0) as Bools, eq(b, Number.POSITIVE_INFINITY) as Bools) as Bools;
    const isEmpty = logicalAnd(eq(a, 0) as Bools, isNoNumber) as Bools;
    return mul(a, log(where(isEmpty, 1, b) as Floats) as Floats);
  });
}

/**
 * The step function: 0 below 0, 1 above, y at 0; NaN stays. Shapes broadcast. f32. The gradient goes to y, where x is 0. Throws
 * HDL0001, HDL0002.
 *
 * @formula z = 0 if x < 0, y if x = 0, 1 if x > 0
 * @example heaviside(x, 0.5) // f32[3] → f32[3]
 */
export function heaviside<A extends Operand, B extends Operand>(
  x: A & Accepts<'heaviside', A, 'f32'>,
  y: B & Broadcasts<'heaviside', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return compositeOfTwo<A, B>('heaviside', x, y, (a, b) => {
    const isNumber = logicalOr(lt(a, 0) as Bools, gt(a, 0) as Bools) as Bools;
    const step = where(gt(a, 0) as Bools, 1, where(isNumber, 0, Number.NaN) as Floats) as Floats;
    return where(eq(a, 0) as Bools, b, step);
  });
}

/**
 * The magnitude of x with the sign of y, also that of −0; shapes broadcast. f32. No gradient goes to y. Throws HDL0001, HDL0002.
 *
 * @formula z = |x| where y ≥ 0, else −|x|
 * @example copySign(x, y) // f32[3], f32[3] → f32[3]
 */
export function copySign<A extends Operand, B extends Operand>(
  x: A & Accepts<'copySign', A, 'f32'>,
  y: B & Broadcasts<'copySign', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return compositeOfTwo<A, B>('copySign', x, y, (a, b) => {
    const differ = logicalXor(isMinus(a), isMinus(b)) as Bools;
    return where(differ, neg(a) as Floats, a);
  });
}

/** (sin t) / t in t², beyond the leading 1: to float64 for |t| < 1. */
const sincSeries = [
  -1 / 6,
  1 / 120,
  -1 / 5040,
  1 / 362880,
  -1 / 39916800,
  1 / 6227020800,
  -1 / 1307674368000,
];

/**
 * The sine of πx over πx, as filters have it: 1 at 0, and exactly 0 at other integers. f32; gradients of every order are right at
 * 0. Throws HDL0002.
 *
 * @formula y = sin(π x) / (π x)
 * @example sinc(linspace(-4, 4, 9)) // f32[9] → f32[9]
 */
export function sinc<X extends Node>(x: X & Accepts<'sinc', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('sinc', x, (given) => {
    const v = given as Floats;
    const isNear = lt(abs(v) as Floats, 0.3) as Bools;
    const near = mul(where(isNear, v, 0) as Floats, Math.PI) as Floats;
    const squared = mul(near, near) as Floats;
    const series = sincSeries.reduceRight<Floats>(
      (p, c) => add(mul(p, squared) as Floats, c) as Floats,
      mul(squared, 0) as Floats,
    );
    // sin(π x) of the distance to the nearest integer, which is exact, with the sign of that integer.
    const nearest = round(v) as Floats;
    const isOdd = eq(abs(mod(nearest, 2) as Floats) as Floats, 1) as Bools;
    const wave = sin(mul(sub(v, nearest) as Floats, Math.PI) as Floats) as Floats;
    const far = mul(where(isNear, 1, v) as Floats, where(isOdd, -Math.PI, Math.PI) as Floats) as Floats;
    return where(isNear, add(mul(series, squared) as Floats, 1) as Floats, div(wave, far) as Floats);
  });
}
