// sin and cos in f32 arithmetic: reduction to [−π/4, π/4] by a multiple of π/2, then one polynomial each. Arguments
// beyond ±3000 are reduced exactly (quarter-turns.ts), which lanes below do not pay for. What they err by is measured in
// docs/math.md. ±∞ and NaN give NaN.

import { binary, compare, type Expr, select, unary } from '../expr.ts';
import {
  abs,
  add,
  bitcast,
  f32,
  i32,
  mul,
  nearest,
  polynomial,
  selectRarely,
  sub,
  withSignOf,
} from './arithmetic.ts';
import { exactQuarterTurns, type QuarterTurns } from './quarter-turns.ts';

/** (sin r − r) / r³ in r², and (cos r − 1 + r²/2) / r⁴ in r². */
const sinTail = [-0.166666552, 0.00833216682, -0.000195156608];
const cosTail = [0.0416666456, -0.00138873595, 0.0000244373095];

/** Up to here the multiple of π/2 has 11 bits. */
const moderate = 3000;

/**
 * π/2 in pieces of 13 bits and a rest (Cody and Waite): products with a multiple of 11 bits are exact, so that the
 * difference keeps its digits near multiples of π/2.
 */
const pieces = piecesOfHalfPi();

function moderateQuarterTurns(x: Expr): QuarterTurns {
  const n = nearest(mul(x, f32(2 / Math.PI)));
  const r = pieces.reduce((rest, piece) => sub(rest, mul(n.value, f32(piece))), x);
  return { r, quadrant: n.bits };
}

/** sin(r + quadrant · π/2). */
function wave({ r, quadrant }: QuarterTurns): Expr {
  const z = mul(r, r);
  const sine = withSignOf(r, add(mul(mul(r, z), polynomial(z, sinTail)), r));
  const cosine = polynomial(z, [1, -0.5, ...cosTail]);
  const isOdd = compare('ne', binary('and', quadrant, i32(1)), i32(0));
  const sign = binary('shl', binary('and', quadrant, i32(2)), i32(30));
  return bitcast('f32', binary('xor', bitcast('i32', select(isOdd, cosine, sine)), sign));
}

/** sin(x + turns · π/2) */
function waveFrom(x: Expr, turns: 0 | 1): Expr {
  const turned = ({ r, quadrant }: QuarterTurns): QuarterTurns => ({
    r,
    quadrant: turns === 0 ? quadrant : add(quadrant, i32(turns)),
  });
  const isFar = unary('not', compare('le', abs(x), f32(moderate)));
  // x − x is NaN for infinities and NaN, and 0 for everything else.
  const far = add(wave(turned(exactQuarterTurns(x))), sub(x, x));
  return selectRarely(isFar, far, wave(turned(moderateQuarterTurns(x))));
}

export function sin(x: Expr): Expr {
  return waveFrom(x, 0);
}

export function cos(x: Expr): Expr {
  return waveFrom(x, 1);
}

/** π/2 = 1.57079632679489661923132169163975… beyond what a float64 holds: its next digits are 6.123…e-17. */
function piecesOfHalfPi(): readonly number[] {
  let left = Math.PI / 2;
  const take = (bits: number): number => {
    const piece = Math.floor(left * 2 ** bits) / 2 ** bits;
    left -= piece;
    return piece;
  };
  return [take(12), take(25), take(38), left + 6.123233995736766e-17];
}
