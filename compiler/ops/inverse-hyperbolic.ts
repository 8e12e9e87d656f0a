// Inverse hyperbolic functions as compositions that stay accurate near 0 and do not overflow far from it.

import type { Node } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { isMinus } from './classify.ts';
import { gt, where } from './compare.ts';
import { composite } from './math.ts';
import { log, log1p, sqrt } from './unary.ts';

/** From here on x² + 1 = x² in f32, and long before x² overflows. */
const large = 1e9;

/** log(2 a) where a is large, else `f` of a; each side sees only arguments that it can take. */
function orLogarithm(a: Node, small: number, f: (a: Node) => Node): Node {
  const isLarge = gt(a, large);
  const far = add(log(where(isLarge, a, 1) as Node<readonly number[], 'f32'>), Math.LN2);
  return where(isLarge, far, f(where(isLarge, small, a)));
}

/**
 * Inverse hyperbolic sine. f32. Throws HDL0002.
 *
 * @formula y = ln(x + √(x² + 1))
 * @example asinh(x)
 */
export function asinh<X extends Node>(x: X & Accepts<'asinh', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('asinh', x, (v) => {
    const isNegative = isMinus(v as Node<readonly number[], 'f32'>);
    // log(a + √(a² + 1)) = log1p(a + a² / (1 + √(a² + 1))) for a = |x|; mirrored by choice, which is smooth at 0.
    const y = orLogarithm(where(isNegative, neg(v), v), 0, (a) => {
      const square: Node = mul(a, a);
      const root: Node = sqrt(add(square, 1) as Node<readonly number[], 'f32'>);
      return log1p(add(a, div(square, add(root, 1))) as Node<readonly number[], 'f32'>);
    });
    return where(isNegative, neg(y), y);
  });
}

/**
 * Inverse hyperbolic cosine; NaN below 1, where its gradient is infinite. f32. Throws HDL0002.
 *
 * @formula y = ln(x + √(x² − 1))
 * @example acosh(x)
 */
export function acosh<X extends Node>(x: X & Accepts<'acosh', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('acosh', x, (v) =>
    orLogarithm(v, 1, (a) => {
      // With t = x - 1: x + √(x² - 1) = 1 + t + √(t (t + 2)). Two roots: their product is NaN below 1, also below -1.
      const t: Node = sub(a, 1);
      const root: Node = mul(
        sqrt(t as Node<readonly number[], 'f32'>),
        sqrt(add(t, 2) as Node<readonly number[], 'f32'>),
      );
      return log1p(add(t, root) as Node<readonly number[], 'f32'>);
    }),
  );
}

/**
 * Inverse hyperbolic tangent; infinite at ±1, NaN beyond. f32. Throws HDL0002.
 *
 * @formula y = ln((1 + x) / (1 − x)) / 2
 * @example atanh(x)
 */
export function atanh<X extends Node>(x: X & Accepts<'atanh', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('atanh', x, (v) => {
    const f = v as Node<readonly number[], 'f32'>;
    return mul(sub(log1p(f), log1p(neg(f))), 0.5);
  });
}
