// Short names for the f32 and i32 arithmetic in which the expansions of this folder are written, and the two steps that
// they share: polynomials and exact scaling by powers of two.

import {
  binary,
  bitcast,
  compare,
  constant,
  convert,
  type Expr,
  select,
  selectRarely,
  unary,
} from '../expr.ts';

export const f32 = (value: number): Expr => constant('f32', value);
export const i32 = (value: number): Expr => constant('i32', value);
export const add = (x: Expr, y: Expr): Expr => binary('add', x, y);
export const sub = (x: Expr, y: Expr): Expr => binary('sub', x, y);
export const mul = (x: Expr, y: Expr): Expr => binary('mul', x, y);
export const div = (x: Expr, y: Expr): Expr => binary('div', x, y);
export const abs = (x: Expr): Expr => unary('abs', x);
/** NaN stays NaN when it is x. */
export const clamp = (x: Expr, lo: number, hi: number): Expr =>
  binary('max', binary('min', x, f32(hi)), f32(lo));
export const isBelow = (x: Expr, bound: number): Expr => compare('lt', x, f32(bound));
export const both = (x: Expr, y: Expr): Expr => binary('and', x, y);
export { bitcast, compare, convert, select, selectRarely };

/** c0 + c1 x + c2 x² + …, by Horner's rule. */
export function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  let sum = f32(coefficients.at(-1)!);
  for (let i = coefficients.length - 2; i >= 0; i--) sum = add(mul(sum, x), f32(coefficients[i]!));
  return sum;
}

/** The same as a polynomial in x² of the even terms and x times one of the odd: half as long a chain of dependent operations. */
export function splitPolynomial(x: Expr, square: Expr, coefficients: readonly number[]): Expr {
  const even = coefficients.filter((_, i) => i % 2 === 0);
  const odd = coefficients.filter((_, i) => i % 2 === 1);
  return add(mul(polynomial(square, odd), x), polynomial(square, even));
}

/** 1.5 · 2²³: adding it to |x| < 2²² rounds x to an integer, which then stands in the low bits. */
const roundingMagic = 12582912;

export interface Rounded {
  /** The nearest integer, as f32. */
  readonly value: Expr;
  /** As i32, whose 22 low bits are the nearest integer plus `bias`. Bits of a NaN when x was NaN. */
  readonly bits: Expr;
}

/** The nearest integer of |x| < 2²¹; ties to even. */
export function nearest(x: Expr, bias = 0): Rounded {
  const magic = f32(roundingMagic + bias);
  const shifted = add(x, magic);
  return { value: sub(shifted, magic), bits: bitcast('i32', shifted) };
}

/** The exponent of 1 in the format. */
export const exponentBias = 127;

/** 2ⁿ for −127 < n < 128, from `bits` with n + 127 in its low nine bits; n = −127 gives 0 and n = 128 gives infinity. */
export function powerOfTwo(bits: Expr): Expr {
  return bitcast('f32', binary('shl', bits, i32(23)));
}

/**
 * x · 2ⁿ for |n| ≤ 250, rounded once: in two steps, of which the first is exact for x near 1. `bits` are those of
 * `nearest` with twice the bias of an exponent, of which each half becomes one power.
 */
export function scale(x: Expr, bits: Expr): Expr {
  const half = binary('shr', bits, i32(1));
  return mul(mul(x, powerOfTwo(half)), powerOfTwo(sub(bits, half)));
}

/** Whether x is not a positive normal number: zero, subnormal, negative, infinite or NaN. */
export function isUnusual(x: Expr): Expr {
  // Moves the bits of positive normal numbers to the low end of the signed integers: one comparison for both ends.
  return compare('gt', add(bitcast('i32', x), i32(0x7f800000)), i32(-0x01000001));
}

/** A value that has the sign of x or is +0, with the sign of x: sums lose that of −0. */
export function withSignOf(x: Expr, value: Expr): Expr {
  const sign = binary('and', bitcast('i32', x), i32(-0x80000000));
  return bitcast('f32', binary('or', bitcast('i32', value), sign));
}

/** x with its 12 low bits cleared: products of two such numbers are exact. */
export function highPart(x: Expr): Expr {
  return bitcast('f32', binary('and', bitcast('i32', x), i32(-4096)));
}

export interface Decomposed {
  /** In [√½, √2). */
  readonly mantissa: Expr;
  /** A whole number, as f32. */
  readonly exponent: Expr;
}

/** x = mantissa · 2^exponent for normal x > 0. */
export function decompose(x: Expr): Decomposed {
  const bits = bitcast('i32', x);
  // 0x3f3504f3 are the bits of √½.
  const exponent = binary('shr', sub(bits, i32(0x3f3504f3)), i32(23));
  return {
    mantissa: bitcast('f32', sub(bits, binary('shl', exponent, i32(23)))),
    exponent: convert('f32', exponent),
  };
}

/** The same for subnormals too. */
export function decomposeAny(x: Expr): Decomposed {
  const tiny = isBelow(x, 2 ** -126);
  const { mantissa, exponent } = decompose(select(tiny, mul(x, f32(2 ** 24)), x));
  return { mantissa, exponent: sub(exponent, select(tiny, f32(24), f32(0))) };
}

/** log 2 in two parts; the first has 9 bits, so that its products with exponents are exact. */
export const ln2High = 0.693359375;
export const ln2Low: number = Math.LN2 - ln2High;

export const infinity: Expr = f32(Number.POSITIVE_INFINITY);
export const nan: Expr = f32(Number.NaN);
