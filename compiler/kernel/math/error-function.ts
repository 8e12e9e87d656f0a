// erf and erfc in f32 arithmetic. What they err by is measured in docs/math.md.

import { binary, type Expr, unary } from '../expr.ts';
import {
  abs,
  add,
  clamp,
  compare,
  div,
  f32,
  highPart,
  isBelow,
  mul,
  polynomial,
  select,
  sub,
  withSignOf,
} from './arithmetic.ts';
import { expModerate, expOfMinusSum } from './exponential.ts';

/** erf(x) / x − 1 in x², for |x| < 0.93. */
const erfNear = [
  0.128379166, -0.376126349, 0.112836942, -0.0268592704, 0.00520063424, -0.000813743798, 0.0000834522725,
]; // biome-ignore format: coefficients
/** −log(1 − erf t) / t for 0.92 ≤ t ≤ 4. */
const erfFar = [
  1.12865222, 0.635135889, 0.106263146, -0.023785349, 0.00365376472, -0.000325652887, 0.0000115223074,
]; // biome-ignore format: coefficients

export function erf(x: Expr): Expr {
  const near = add(mul(x, polynomial(mul(x, x), erfNear)), x);
  // 1 in f32 from 3.92 on.
  const t = clamp(abs(x), 0, 4);
  const far = sub(f32(1), expModerate(unary('neg', mul(t, polynomial(t, erfFar)))));
  return select(isBelow(abs(x), 0.93), keepZero(x, near), withSignOf(x, far));
}

/** x itself where it is zero: sums of −0 and +0 would lose its sign. */
function keepZero(x: Expr, value: Expr): Expr {
  return select(compare('eq', x, f32(0)), x, value);
}

/** (1 + 2 a) e^(a²) erfc(a) − 1 in q = (a − 2) / (a + 2), for 0 ≤ a ≤ 10.1. */
const erfcScaled = [
  0.276978403, -0.0927639827, -0.16603142, 0.164055347, -0.0542043, -0.00805987511, 0.00863168109, 0.00131352257,
  -0.00122992729, -0.000400576741,
]; // biome-ignore format: coefficients

/** erfc a = e^−a² (e^(a²) erfc a) for a = |x|, and 2 − erfc a for x < 0: relative precision to the end of the tail. */
export function erfc(x: Expr): Expr {
  // 0 in f32 from 10.06 on.
  const a = binary('min', abs(x), f32(10.1));
  const q = div(sub(a, f32(2)), add(a, f32(2)));
  // a² in two numbers, the first exact: rounding it would cost 6e-6 of the result at a = 10.
  const high = highPart(a);
  const factor = div(add(polynomial(q, erfcScaled), f32(1)), add(add(a, a), f32(1)));
  const tail = expOfMinusSum(mul(high, high), mul(sub(a, high), add(a, high)), factor);
  return select(isBelow(x, 0), sub(f32(2), tail), tail);
}
