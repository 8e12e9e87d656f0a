// The logarithm of the gamma function, and its derivative: terms of gamma, beta and Dirichlet densities. Both are put together
// from formulas that lose no digits where they hold; each sees only arguments of its own range:
//
//   x < 1/2          reflection at 1/2: Γ(x) Γ(1 − x) = π / sin πx
//   1/2 ≤ x < 8.5    down to [1/2, 5/2) by Γ(x) = (x − 1) Γ(x − 1); there the Taylor series about 2 (Abramowitz & Stegun, 6.1.33)
//   x ≥ 8.5          Stirling's series (6.1.40); digamma goes up to there by ψ(x) = ψ(x + 1) − 1 / x, and by 6.3.18

import type { Node } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { logicalAnd } from './binary.ts';
import { eq, ge, lt, where } from './compare.ts';
import { composite } from './math.ts';
import { abs, cos, log, log1p, round, sin } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Bools = Node<Shape, 'bool'>;

/** From here on Stirling's series is exact to float64. */
const far = 8.5;

/** Coefficients of z, z², … in ln Γ(2 + z): 1 − γ, then (−1)ᵏ (ζ(k) − 1) / k. To float64 for |z| ≤ 1/2. */
const about2 = [
  0.42278433509846713, 0.3224670334241132, -0.06735230105319809, 0.020580808427784546, -0.007385551028673986,
  0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
  9.945751278180853e-5, -4.492623673813314e-5, 2.050721277567069e-5, -9.439488275268397e-6,
  4.374866789907488e-6, -2.039215753801366e-6, 9.55141213040742e-7, -4.492469198764566e-7,
  2.1207184805554667e-7, -1.00432248239681e-7, 4.7698101693639804e-8, -2.2711094608943164e-8,
  1.0838659214896955e-8, -5.183475041970047e-9, 2.4836745438024785e-9,
]; // biome-ignore format: coefficients

/** Bernoulli numbers B₂ₖ / (2 k (2 k − 1)), of 1/x, 1/x³, … */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
/** B₂ₖ / (2 k), of 1/x², 1/x⁴, … */
const stirlingSlope = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12];

/**
 * The logarithm of |Γ(x)|: of (x − 1)! for natural numbers. Infinite at 0, −1, −2, …. f32; to a relative 4e-7 above 0, also around its
 * zeros 1 and 2; below 0 to 1e-6 of what is larger, 1 or the result. The gradient is that of `digamma`. Throws HDL0002.
 *
 * @formula y = ln |Γ(x)|
 * @example lgamma(x)
 */
export function lgamma<X extends Node>(x: X & Accepts<'lgamma', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('lgamma', x, (given) => {
    const v = given as Floats;
    const isLow = lt(v, 0.5) as Bools;
    // What is reflected: at −∞, too, since rounding has no distance there.
    const isReflected = logicalAnd(isLow, ge(v, -3.4e38) as Bools) as Bools;
    const right = logRight(where(isLow, sub(1, v) as Floats, v) as Floats);
    const { wave } = turn(where(isReflected, v, 0.25) as Floats);
    const reflected = sub(
      sub(Math.log(Math.PI), log(abs(wave) as Floats) as Floats) as Floats,
      right,
    ) as Floats;
    const isEnd = eq(v, Number.NEGATIVE_INFINITY) as Bools;
    return where(isEnd, Number.POSITIVE_INFINITY, where(isLow, reflected, right) as Floats);
  });
}

/**
 * The derivative of `lgamma`. NaN at −1, −2, …, −∞ at 0. f32, to 1e-6 of what is larger, 1 or the result.
 * Throws HDL0002.
 *
 * @formula y = ψ(x) = Γ′(x) / Γ(x)
 * @example digamma(x)
 */
export function digamma<X extends Node>(x: X & Accepts<'digamma', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('digamma', x, (given) => {
    const v = given as Floats;
    const isLow = lt(v, 0.5) as Bools;
    const right = slopeRight(where(isLow, sub(1, v) as Floats, v) as Floats);
    const { wave, quarter } = turn(where(isLow, v, 0.25) as Floats);
    const isPole = logicalAnd(isLow, eq(wave, 0) as Bools) as Bools;
    const cotangent = div(mul(quarter, Math.PI) as Floats, where(isPole, 1, wave) as Floats) as Floats;
    const reflected = where(isPole, Number.NaN, sub(right, cotangent) as Floats) as Floats;
    const known = where(isLow, reflected, right) as Floats;
    return where(eq(v, 0) as Bools, Number.NEGATIVE_INFINITY, known);
  });
}

/** sin πx and cos πx of the distance to the nearest integer, which is exact: right up to a sign that both share. */
function turn(x: Floats): { readonly wave: Floats; readonly quarter: Floats } {
  const rest = mul(sub(x, round(x) as Floats) as Floats, Math.PI) as Floats;
  return { wave: sin(rest) as Floats, quarter: cos(rest) as Floats };
}

/** ln Γ(x) for x ≥ 1/2. */
function logRight(x: Floats): Floats {
  const isFar = ge(x, far) as Bools;
  const near = where(isFar, 2, x) as Floats;
  // Factors x − 1, x − 2, … as long as they leave at least 3/2.
  let [product, rest]: [Floats | null, Floats] = [null, near];
  for (let k = 1; k < far - 1.5; k++) {
    const factor = sub(near, k) as Floats;
    const isTaken = ge(factor, 1.5) as Bools;
    const taken = where(isTaken, factor, 1) as Floats;
    product = product === null ? taken : (mul(product, taken) as Floats);
    rest = where(isTaken, factor, rest) as Floats;
  }
  // Below 3/2 the series is that of x + 1, and Γ(x) = Γ(x + 1) / x; ln x by its distance to 1.
  const isBelow = lt(rest, 1.5) as Bools;
  const z = sub(rest, where(isBelow, 1, 2) as Floats) as Floats;
  const series = mul(powers(z, about2), z) as Floats;
  const down = log1p(where(isBelow, z, 0) as Floats) as Floats;
  const whole = add(sub(series, down) as Floats, log(product!) as Floats) as Floats;
  const wide = where(isFar, x, far) as Floats;
  const inverse = div(1, wide) as Floats;
  const tail = mul(powers(mul(inverse, inverse) as Floats, stirling), inverse) as Floats;
  const main = mul(sub(wide, 0.5) as Floats, sub(log(wide) as Floats, 1) as Floats) as Floats;
  const constant = (Math.log(2 * Math.PI) - 1) / 2;
  return where(isFar, add(main, add(tail, constant) as Floats) as Floats, whole) as Floats;
}

/** ψ(x) for x ≥ 1/2. */
function slopeRight(x: Floats): Floats {
  const isFar = ge(x, far) as Bools;
  const near = where(isFar, 1, x) as Floats;
  let below = div(1, near) as Floats;
  for (let k = 1; k < 8; k++) below = add(below, div(1, add(near, k) as Floats) as Floats) as Floats;
  const wide = where(isFar, x, add(near, 8) as Floats) as Floats;
  const inverse = div(1, wide) as Floats;
  const squared = mul(inverse, inverse) as Floats;
  const tail = add(
    mul(powers(squared, stirlingSlope), squared) as Floats,
    mul(inverse, 0.5) as Floats,
  ) as Floats;
  return sub(sub(log(wide) as Floats, tail) as Floats, where(isFar, 0, below) as Floats) as Floats;
}

/** c₀ + c₁ z + c₂ z² + … */
function powers(z: Floats, coefficients: readonly number[]): Floats {
  const [last, ...others] = [...coefficients].reverse() as [number, number, ...number[]];
  const [next, ...rest] = others as [number, ...number[]];
  const first = add(mul(z, last) as Floats, next) as Floats;
  return rest.reduce((p, c) => add(mul(p, z) as Floats, c) as Floats, first);
}
