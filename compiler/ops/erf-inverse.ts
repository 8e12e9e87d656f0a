// The inverse of the error function: a closed formula that is right to 0.2 % (Winitzki, 2008), and two steps of Halley's method,
// each of which cubes the relative error. Where erf is close to 1 the steps go by erfc, which has the digits there.

import type { Node } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { isMinus } from './classify.ts';
import { eq, lt, where } from './compare.ts';
import { customGradient } from './custom-gradient.ts';
import { erfc } from './erfc.ts';
import { composite } from './math.ts';
import { abs, erf, exp, log1p, sqrt } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Bools = Node<Shape, 'bool'>;

const halfRootPi = Math.sqrt(Math.PI) / 2;
/** Winitzki's constant. */
const bend = 0.147;

/**
 * The number whose error function is x: of normal quantiles √2 erfInv(2 p − 1). Infinite at ±1, NaN beyond. f32. The gradient at ±1 is
 * infinite. Throws HDL0002.
 *
 * @formula y = erf⁻¹(x); dy/dx = (√π / 2) e^(y²)
 * @example erfInv(x)
 */
export function erfInv<X extends Node>(x: X & Accepts<'erfInv', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('erfInv', x, (v) =>
    customGradient(
      ([p]) => inverse(p as Floats),
      ([g], _, [y]) => [mul(g as Floats, steepness(y as Floats)) as Node],
      [v],
    ),
  );
}

/** 1 / erf′ */
function steepness(y: Floats): Floats {
  return mul(exp(mul(y, y) as Floats) as Floats, halfRootPi) as Floats;
}

function inverse(x: Floats): Floats {
  const size = abs(x) as Floats;
  const a = where(lt(size, 1) as Bools, size, 0) as Floats;
  let y = near(a);
  for (let step = 0; step < 2; step++) {
    // Both are exact differences: 1 − a is, where a is at least a half.
    const isLow = lt(a, 0.5) as Bools;
    const tail = sub(sub(1, a) as Floats, erfc(y) as Floats) as Floats;
    const off = mul(where(isLow, sub(erf(y) as Floats, a) as Floats, tail) as Floats, steepness(y)) as Floats;
    y = sub(y, div(off, add(mul(y, off) as Floats, 1) as Floats) as Floats) as Floats;
  }
  const beyond = where(eq(size, 1) as Bools, Number.POSITIVE_INFINITY, Number.NaN) as Floats;
  const known = where(lt(size, 1) as Bools, y, beyond) as Floats;
  return where(isMinus(x) as Bools, neg(known) as Floats, known) as Floats;
}

/** √(√(h² − l / b) − h), h = 2 / (π b) + l / 2, l = ln(1 − a²): the difference of roots without cancellation. */
function near(a: Floats): Floats {
  // Of small numbers by the square: the logarithms of 1 − a and 1 + a would cancel, to less than nothing.
  const isSmall = lt(a, 0.5) as Bools;
  const both = add(log1p(neg(a) as Floats) as Floats, log1p(a) as Floats) as Floats;
  const square = log1p(neg(mul(a, a) as Floats) as Floats) as Floats;
  const l = where(isSmall, square, both) as Floats;
  const h = add(mul(l, 0.5) as Floats, 2 / (Math.PI * bend)) as Floats;
  const far = mul(l, -1 / bend) as Floats;
  const root = sqrt(add(mul(h, h) as Floats, far) as Floats) as Floats;
  return sqrt(div(far, add(root, h) as Floats) as Floats) as Floats;
}
