// sin and cos in f32 arithmetic: reduction to [−π/4, π/4] by a multiple of π/2, then one polynomial each.
// Measured (test/kernel/math.test.ts): at most 2.7 ulp for |x| ≤ 1e5, 1.5 for |x| ≤ 8. Beyond 1e5 the reduction loses
// digits: the result stays in [−1, 1] but is not accurate; neighbouring arguments of that size are 0.008 apart and more.
// ±∞ and NaN give NaN.

import { binary, compare, constant, type Expr, select } from '../expr.ts';
import { abs, add, clamp, f32, i32, isBelow, mul, nearest, polynomial, sub } from './arithmetic.ts';

/** (sin r − r) / r³ in r², and (cos r − 1 + r²/2) / r⁴ in r². */
const sinTail = [-0.166666552, 0.00833216682, -0.000195156608];
const cosTail = [0.0416666456, -0.00138873595, 0.0000244373095];

/**
 * π/2 in pieces of 16 bits and a rest (Cody and Waite). With n ≤ 2¹⁶ split in two halves of 8 bits, each product with a
 * piece has at most 24 bits and is exact, so that the difference keeps its digits near multiples of π/2.
 */
const [piece1, piece2, piece3, rest] = piecesOfHalfPi();

interface Reduced {
  readonly r: Expr;
  /** Quadrant, modulo 4, as i32. */
  readonly quadrant: Expr;
}

function reduce(x: Expr): Reduced {
  const n = nearest(clamp(mul(x, f32(2 / Math.PI)), -4e6, 4e6));
  const high = mul(nearest(mul(n.value, f32(1 / 256))).value, f32(256));
  const low = sub(n.value, high);
  let r = x;
  for (const piece of [piece1, piece2, piece3]) r = sub(sub(r, mul(high, f32(piece))), mul(low, f32(piece)));
  r = sub(r, mul(n.value, f32(rest)));
  // x − x is NaN for infinities, and 0 for everything else.
  return { r: add(clamp(r, -0.79, 0.79), sub(x, x)), quadrant: n.integer };
}

/** sin(r + quadrant · π/2). */
function wave(r: Expr, quadrant: Expr): Expr {
  const z = mul(r, r);
  const sine = add(mul(mul(r, z), polynomial(z, sinTail)), r);
  const cosine = add(sub(mul(mul(z, z), polynomial(z, cosTail)), mul(z, f32(0.5))), f32(1));
  const isOdd = compare('ne', binary('and', quadrant, i32(1)), constant('i32', 0));
  const value = select(isOdd, cosine, sine);
  const isNegative = compare('ne', binary('and', quadrant, i32(2)), constant('i32', 0));
  return select(isNegative, mul(value, f32(-1)), value);
}

export function sin(x: Expr): Expr {
  const { r, quadrant } = reduce(x);
  // Small x are themselves; this also keeps −0 and subnormals.
  return select(isBelow(abs(x), 2 ** -12), x, wave(r, quadrant));
}

export function cos(x: Expr): Expr {
  const { r, quadrant } = reduce(x);
  return wave(r, add(quadrant, i32(1)));
}

/** π/2 = 1.57079632679489661923132169163975… beyond what a float64 holds: its next digits are 6.123…e-17. */
function piecesOfHalfPi(): readonly [number, number, number, number] {
  let left = Math.PI / 2;
  const take = (bits: number): number => {
    const piece = Math.floor(left * 2 ** bits) / 2 ** bits;
    left -= piece;
    return piece;
  };
  return [take(15), take(31), take(47), left + 6.123233995736766e-17];
}
