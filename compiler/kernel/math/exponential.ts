// exp, expm1, sigmoid, log and log1p in f32 arithmetic. Polynomials are minimax fits (Remez) of the functions named beside
// them. What they err by is measured in docs/math.md.

import { binary, type Expr, unary } from '../expr.ts';
import {
  add,
  both,
  clamp,
  compare,
  type Decomposed,
  decompose,
  decomposeAny,
  div,
  exponentBias,
  f32,
  infinity,
  isBelow,
  isUnusual,
  ln2High,
  ln2Low,
  mul,
  nan,
  nearest,
  polynomial,
  powerOfTwo,
  scale,
  select,
  selectRarely,
  splitPolynomial,
  sub,
  withSignOf,
} from './arithmetic.ts';

/** (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2, as small in error beside eʳ as can be. */
const expTail = [0.49999994, 0.166665167, 0.0416681021, 0.00836919248, 0.00138389028];
/** The same beside eʳ − 1. */
const expm1Tail = [0.49999997, 0.16666539, 0.0416677557, 0.00836711843, 0.00138355303];

interface Reduced {
  /** x = n ln 2 + r, and n + bias stands in the low bits. */
  readonly bits: Expr;
  readonly r: Expr;
}

/** `unit` 1 reduces x, and 2 reduces 2 x: then r is half of the rest. */
function reduce(x: Expr, bias: number, unit: 1 | 2 = 1): Reduced {
  const { value, bits } = nearest(mul(x, f32(unit * Math.LOG2E)), bias);
  const r = sub(sub(x, mul(value, f32(ln2High / unit))), mul(value, f32(ln2Low / unit)));
  return { bits, r };
}

/** eʳ */
function expOfRest(r: Expr): Expr {
  return polynomial(r, [1, 1, ...expTail]);
}

export function exp(x: Expr): Expr {
  if (isNotPositive(x)) return expOfNegative(x);
  // Beyond the clamp the result is infinity or 0; inside, 2ⁿ · eʳ rounds once, into subnormals too.
  const { bits, r } = reduce(clamp(x, -104, 89), 2 * exponentBias);
  return scale(expOfRest(r), bits);
}

/** Whether a value is at most 0, as can be seen at a glance. */
function isNotPositive(x: Expr): boolean {
  return x.kind === 'unary' && x.fn === 'neg' && x.x.kind === 'unary' && x.x.fn === 'abs';
}

/** What 2ⁿ is too large by in `expOfNegative`: then it is a normal number down to n = −150. */
const lift = 24;

/** eˣ for x ≤ 0, with the bits of `exp`: one side to clamp, and one power, which cannot overflow, is enough. */
function expOfNegative(x: Expr): Expr {
  const { bits, r } = reduce(binary('max', x, f32(-104)), exponentBias + lift);
  return mul(mul(expOfRest(r), powerOfTwo(bits)), f32(2 ** -lift));
}

/** eˣ for −80 ≤ x ≤ 80, where one power of two is enough. */
export function expModerate(x: Expr): Expr {
  const { bits, r } = reduce(x, exponentBias);
  return mul(expOfRest(r), powerOfTwo(bits));
}

/** factor · e^−(x + y) for 0 ≤ x ≤ 104 and a small y. */
export function expOfMinusSum(x: Expr, y: Expr, factor: Expr): Expr {
  const { bits, r } = reduce(unary('neg', x), 2 * exponentBias);
  const rest = sub(r, y);
  const less = mul(rest, polynomial(rest, [1, ...expTail]));
  return scale(add(mul(factor, less), factor), bits);
}

export function expm1(x: Expr): Expr {
  // eˣ − 1 = 2 (s (eʳ − 1) + (s − ½)) with s = 2ⁿ⁻¹: half the size, so that s does not overflow before the result does.
  const { bits, r } = reduce(clamp(x, -20, 89), exponentBias - 1);
  const s = powerOfTwo(bits);
  const rest = add(mul(mul(r, r), polynomial(r, expm1Tail)), r);
  return withSignOf(x, mul(add(mul(s, rest), sub(s, f32(0.5))), f32(2)));
}

/** e²ˣ − 1 for 0 ≤ x ≤ 40. */
export function expm1OfDouble(x: Expr): Expr {
  const { bits, r } = reduce(x, exponentBias, 2);
  const s = powerOfTwo(bits);
  const tail = expm1Tail.map((c, k) => c * 2 ** (k + 2));
  const rest = add(mul(mul(r, r), polynomial(r, tail)), add(r, r));
  return add(mul(s, rest), sub(s, f32(1)));
}

/** (log(1 + f) − f + f²/2) / f³ on [√½ − 1, √2 − 1]. */
const logTail = [
  0.333333313, -0.250008196, 0.200012267, -0.166233569, 0.142017573, -0.131601825, 0.12761578, -0.0763449818,
]; // biome-ignore format: coefficients

function logOf({ mantissa, exponent: e }: Decomposed): Expr {
  // log(1 + f) = f + f² (f t − ½): what is added to f is at most a fifth of it, so that f t and ½ need not be exact.
  const f = sub(mantissa, f32(1));
  const square = mul(f, f);
  const curve = add(mul(splitPolynomial(f, square, logTail), f), f32(-0.5));
  const small = add(mul(e, f32(ln2Low)), mul(curve, square));
  return add(add(small, f), mul(e, f32(ln2High)));
}

export function log(x: Expr): Expr {
  return selectRarely(isUnusual(x), logOfUnusual(x), logOf(decompose(x)));
}

/** log of any x: of subnormals, 0 → −∞, negative → NaN, +∞ and NaN → themselves. */
function logOfUnusual(x: Expr): Expr {
  const ordinary = both(compare('gt', x, f32(0)), compare('lt', x, infinity));
  const special = select(
    compare('eq', x, f32(0)),
    f32(Number.NEGATIVE_INFINITY),
    select(isBelow(x, 0), nan, x),
  );
  return select(ordinary, logOf(decomposeAny(x)), special);
}

export function log1p(x: Expr): Expr {
  // u = 1 + x rounded; what the rounding lost returns as (x − (u − 1)) / u.
  const u = add(x, f32(1));
  const lost = div(sub(x, sub(u, f32(1))), u);
  const value = selectRarely(isUnusual(u), logOfUnusual(u), add(logOf(decompose(u)), lost));
  // NaN has no sign to speak of, and everything else has that of x.
  return withSignOf(x, value);
}
