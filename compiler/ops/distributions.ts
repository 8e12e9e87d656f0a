// Random numbers of the usual distributions, as compositions: random bits made into numbers. All follow JAX's rules, so
// equal keys give equal uniforms, and normals equal up to the rounding of logarithm and polynomial.

import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Shape } from '../graph/types.ts';
import { add, mul, neg, sub } from './arithmetic.ts';
import { bitwiseOr, maximum, shr } from './binary.ts';
import { lt, where } from './compare.ts';
import { constant } from './constant.ts';
import { bitcast } from './convert.ts';
import { randomBits } from './random.ts';
import { log1p, sqrt } from './unary.ts';

/** A key from a seed, a whole number in [0, 2⁵³): u32[2], its high and low word. `randomKey(42)` */
export function randomKey(seed: number): Node<readonly [2], 'u32'> {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw compilerError('HDL0003', {
      what: `randomKey(${seed})`,
      rule: 'a seed is a whole number from 0 to 2⁵³ - 1',
      loc: callerLocation(),
    });
  }
  return constant([Math.floor(seed / 2 ** 32), seed >>> 0], [2], 'u32');
}

/** [1, 2) has 2²³ numbers, equally spaced: 23 random bits are its fraction. */
function unit<const S extends Shape>(key: Node, shape: S): Node<S, 'f32'> {
  const fraction: Node = bitwiseOr(shr(randomBits(key, shape) as Node, 9), 0x3f800000);
  return sub(bitcast(fraction, 'f32') as Node, 1) as Node<S, 'f32'>;
}

/**
 * Uniform numbers in [lo, hi), multiples of 2⁻²³ (hi - lo) above lo: the same bits on every target. Throws HDL0003 unless
 * lo ≤ hi.
 *
 *     uniform(key, [64, 10]);        // f32[64, 10] in [0, 1)
 *     uniform(key, [64, 10], -1, 1);
 */
export function uniform<const S extends Shape>(key: Node, shape: S, lo = 0, hi = 1): Node<S, 'f32'> {
  if (!(lo <= hi && Number.isFinite(hi - lo))) {
    throw compilerError('HDL0003', {
      what: `uniform(…, ${lo}, ${hi})`,
      rule: 'the interval is finite, with lo ≤ hi',
      hint: 'look at the order of the arguments',
      loc: callerLocation(),
    });
  }
  return scope('uniform', () => {
    const u = unit(key, shape);
    if (lo === 0 && hi === 1) return u;
    // Never below 0: the maximum is there so that no target fuses product and sum, which would round once instead of twice.
    const product = maximum(mul(u as Node, hi - lo), 0) as Node;
    // Rounding may take the sum below lo.
    return maximum(add(product, lo), lo) as Node<S, 'f32'>;
  });
}

/** True with probability `p`: a number, or a tensor f32 that broadcasts to `shape`. `bernoulli(key, 0.9, [64, 128])` */
export function bernoulli<const S extends Shape>(key: Node, p: Node | number, shape: S): Node<S, 'bool'> {
  return scope('bernoulli', () => lt(unit(key, shape) as Node, p) as Node<S, 'bool'>);
}

/**
 * Normal numbers of mean 0 and deviation 1, |x| < 5.42: √2 erf⁻¹ of a uniform number. Targets agree to 6 units in the last
 * place, and one target with itself to the bit, for any number of workers.
 *
 * @example normal(key, [784, 128])
 */
export function normal<const S extends Shape>(key: Node, shape: S): Node<S, 'f32'> {
  const above = -1 + 2 ** -24; // the smallest f32 above -1, whose inverse is finite
  return scope('normal', () => mul(erfInverse(uniform(key, shape, above, 1)), Math.SQRT2) as Node<S, 'f32'>);
}

/**
 * Inverse of the error function on (-1, 1) to f32 precision: Giles, "Approximating the erfinv function" (2010), two
 * polynomials in w = -ln(1 - x²).
 */
export function erfInverse(x: Node): Node {
  const w: Node = neg(log1p(neg(mul(x, x))));
  const isCentral = lt(w, 5);
  const t: Node = where(isCentral, sub(w, 2.5), sub(sqrt(w), 3));
  const p = central.reduce<Node | null>((sum, c, i) => {
    const coefficient: Node = where(isCentral, c, tail[i]!);
    return sum === null ? coefficient : add(coefficient, mul(sum, t));
  }, null);
  return mul(p!, x);
}

const central = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
] as const;

const tail = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
] as const;
