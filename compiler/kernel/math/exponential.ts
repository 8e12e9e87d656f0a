// exp, expm1, log and log1p in f32 arithmetic. Polynomials are minimax fits (Remez) of the functions named beside them.
// Measured against float64 over dense samples (test/kernel/math.test.ts): exp 0.94 ulp, expm1 1.4, log 0.79, log1p 1.5.

import { convert, type Expr } from '../expr.ts';
import {
  abs,
  add,
  both,
  clamp,
  compare,
  decompose,
  div,
  f32,
  i32,
  infinity,
  isBelow,
  ln2High,
  ln2Low,
  mul,
  nan,
  nearest,
  polynomial,
  powerOfTwo,
  scale,
  select,
  sub,
} from './arithmetic.ts';

/** (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2. */
const expTail = [0.5, 0.166666672, 0.0416663438, 0.00833327044, 0.00139420456, 0.000199156231];

interface Reduced {
  /** x = n ln 2 + r. */
  readonly n: Expr;
  /** eʳ − 1 − r. */
  readonly tail: Expr;
  readonly r: Expr;
}

function reduce(x: Expr): Reduced {
  const { value, integer } = nearest(mul(x, f32(Math.LOG2E)));
  const r = sub(sub(x, mul(value, f32(ln2High))), mul(value, f32(ln2Low)));
  return { n: integer, r, tail: mul(mul(r, r), polynomial(r, expTail)) };
}

export function exp(x: Expr): Expr {
  // Beyond the clamp the result is infinity or 0; inside, 2ⁿ · eʳ rounds once, into subnormals too.
  const { n, r, tail } = reduce(clamp(x, -104, 89));
  return scale(add(add(tail, r), f32(1)), n);
}

/** eˣ for −80 ≤ x ≤ 80, where one power of two is enough. */
export function expModerate(x: Expr): Expr {
  const { n, r, tail } = reduce(x);
  return mul(add(add(tail, r), f32(1)), powerOfTwo(n));
}

export function expm1(x: Expr): Expr {
  // eˣ − 1 = 2 (s (eʳ − 1) + (s − ½)) with s = 2ⁿ⁻¹: half the size, so that s does not overflow before the result does.
  const { n, r, tail } = reduce(clamp(x, -20, 89));
  const s = powerOfTwo(sub(n, i32(1)));
  const value = mul(add(mul(s, add(tail, r)), sub(s, f32(0.5))), f32(2));
  // Small x are themselves; this also keeps −0 and subnormals.
  return select(isBelow(abs(x), 2 ** -25), x, value);
}

/** (log(1 + f) − f + f²/2) / f³ on [√½ − 1, √2 − 1]. */
const logTail = [
  0.333333105, -0.250000089, 0.200021669, -0.166680902, 0.142185539, -0.124030851, 0.118935116, -0.116943292,
  0.067575641,
]; // biome-ignore format: coefficients

/** log of a finite x > 0. */
function logPositive(x: Expr): Expr {
  const { mantissa, exponent } = decompose(x);
  const f = sub(mantissa, f32(1));
  const e = convert('f32', exponent);
  const square = mul(f, f);
  const tail = sub(
    add(mul(mul(square, f), polynomial(f, logTail)), mul(e, f32(ln2Low))),
    mul(square, f32(0.5)),
  );
  return add(add(tail, f), mul(e, f32(ln2High)));
}

export function log(x: Expr): Expr {
  const ordinary = both(compare('gt', x, f32(0)), compare('lt', x, infinity));
  // 0 → −∞, negative → NaN, +∞ and NaN → themselves.
  const special = select(
    compare('eq', x, f32(0)),
    f32(Number.NEGATIVE_INFINITY),
    select(isBelow(x, 0), nan, x),
  );
  return select(ordinary, logPositive(x), special);
}

export function log1p(x: Expr): Expr {
  // u = 1 + x rounded; what the rounding lost returns as (x − (u − 1)) / u.
  const u = add(x, f32(1));
  const lost = div(sub(x, sub(u, f32(1))), u);
  const ordinary = both(compare('gt', u, f32(0)), compare('lt', u, infinity));
  const value = add(log(u), select(ordinary, lost, f32(0)));
  return select(isBelow(abs(x), 2 ** -25), x, value);
}
