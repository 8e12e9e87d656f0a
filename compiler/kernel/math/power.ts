// pow in f32 arithmetic: x^y = 2^(y · log2 |x|), where log2 and the product carry twice the digits of f32 (as a sum of two
// numbers), since an error of the exponent grows by its size, up to 128, in the result.
// Special cases are those of Math.pow: x^0 = 1 for every x, (±1)^±∞ = NaN. What it errs by is measured in docs/math.md.

import { binary, type Expr, unary } from '../expr.ts';
import {
  abs,
  add,
  bitcast,
  both,
  clamp,
  compare,
  type Decomposed,
  decompose,
  decomposeAny,
  div,
  exponentBias,
  f32,
  highPart,
  infinity,
  isBelow,
  isUnusual,
  mul,
  nan,
  nearest,
  polynomial,
  powerOfTwo,
  scale,
  select,
  selectRarely,
  sub,
} from './arithmetic.ts';

/** A number as a sum: `low` is what does not fit into `high`. */
interface Pair {
  readonly high: Expr;
  readonly low: Expr;
}

/** (artanh s − s) / s³ in s². */
const artanhTail = [0.333333313, 0.200001672, 0.142686948, 0.117906071];
/** (2ʳ − 1) / r for |r| ≤ ½. */
const powerTail = [
  0.693147182, 0.240226507, 0.0555041097, 0.00961803272, 0.00133334252, 0.000154683905, 0.0000153162018,
]; // biome-ignore format: coefficients

/** 2 / ln 2, its first 12 bits, and the rest. */
const factor = 2 / Math.LN2;
const factorHigh = Math.floor(factor * 1024) / 1024;
const factorLow = factor - factorHigh;

/** log2 of m · 2ᵉ, to about 2⁻³³ of its size: log2 m = 2 / ln 2 · artanh((m − 1) / (m + 1)). */
function log2({ mantissa: m, exponent: e }: Decomposed): Pair {
  const f = sub(m, f32(1));
  const g = add(m, f32(1));
  const gLost = sub(m, sub(g, f32(1)));
  const inverse = div(f32(1), g);
  const s = mul(f, inverse);
  const sHigh = highPart(s);
  const sLow = sub(s, sHigh);
  const gHigh = highPart(g);
  const gLow = add(sub(g, gHigh), gLost);
  // What s lacks to be f / g.
  const sLost = mul(sub(sub(sub(f, mul(sHigh, gHigh)), mul(sHigh, gLow)), mul(sLow, g)), inverse);
  const z = mul(s, s);
  const tail = mul(mul(s, z), polynomial(z, artanhTail));
  const high = mul(sHigh, f32(factorHigh));
  const low = add(
    add(mul(sHigh, f32(factorLow)), mul(sLow, f32(factor))),
    mul(add(sLost, tail), f32(factor)),
  );
  const sum = add(e, high);
  return renormalize(sum, add(sub(high, sub(sum, e)), low));
}

function renormalize(high: Expr, low: Expr): Pair {
  const sum = add(high, low);
  return { high: sum, low: sub(low, sub(sum, high)) };
}

/** y · l */
function product(y: Expr, l: Pair): Pair {
  const yHigh = highPart(y);
  const yLow = sub(y, yHigh);
  const lHigh = highPart(l.high);
  const lLow = add(sub(l.high, lHigh), l.low);
  return renormalize(mul(yHigh, lHigh), add(mul(yHigh, lLow), mul(yLow, l.high)));
}

/** 2ʳ */
function powerOfRest(r: Expr): Expr {
  return polynomial(r, [1, ...powerTail]);
}

export function pow(x: Expr, y: Expr): Expr {
  const p = product(y, log2(decompose(x)));
  const n = nearest(p.high, exponentBias);
  const usual = mul(powerOfRest(add(sub(p.high, n.value), p.low)), powerOfTwo(n.bits));
  // Where x is normal and positive and the power is normal; the bits of NaN and infinity are larger than those of 126.
  const isFar = compare('gt', bitcast('i32', abs(p.high)), bitcast('i32', f32(126)));
  return selectRarely(binary('or', isUnusual(x), isFar), powOfAny(x, y), usual);
}

function powOfAny(x: Expr, y: Expr): Expr {
  const size = abs(x);
  // Any larger exponent overflows as well: |log2 x| is 0 or more than 2⁻²⁴.
  const p = product(clamp(y, -(2 ** 40), 2 ** 40), log2(decomposeAny(size)));
  const exponent = clamp(p.high, -160, 140);
  const n = nearest(exponent, 2 * exponentBias);
  const isModerate = isBelow(abs(p.high), 160);
  const r = add(sub(exponent, n.value), select(isModerate, p.low, f32(0)));
  const regular = scale(powerOfRest(r), n.bits);

  const isNegativePower = isBelow(y, 0);
  const ofZero = select(isNegativePower, infinity, f32(0));
  const ofInfinity = select(isNegativePower, f32(0), infinity);
  const magnitude = select(
    compare('eq', size, f32(0)),
    ofZero,
    select(compare('eq', size, infinity), ofInfinity, regular),
  );

  const isWhole = compare('eq', unary('floor', y), y);
  const half = mul(y, f32(0.5));
  const isOdd = both(isWhole, compare('ne', unary('floor', half), half));
  const isSigned = compare('lt', div(f32(1), x), f32(0));
  const isNegative = binary('or', isBelow(x, 0), both(compare('eq', x, f32(0)), isSigned));
  const signed = select(both(isNegative, isOdd), unary('neg', magnitude), magnitude);

  const isRootOfNegative = both(
    both(isBelow(x, 0), compare('gt', x, f32(Number.NEGATIVE_INFINITY))),
    unary('not', isWhole),
  );
  const isOneToInfinity = both(compare('eq', size, f32(1)), compare('eq', abs(y), infinity));
  const isUndefined = binary('or', isRootOfNegative, isOneToInfinity);
  const hasNaN = binary('or', compare('ne', x, x), compare('ne', y, y));
  const value = select(binary('or', isUndefined, hasNaN), nan, signed);
  return select(compare('eq', y, f32(0)), f32(1), value);
}
