// Functions that are exact and stable as compositions of primitives. Each keeps its name as a scope, so that dumps read
// in the words of the caller; gradients come from the primitives.

import { inOneCall } from '../graph/build.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, Broadcast, CommonDType, DTypeOf, Operand, ShapeOf } from '../graph/shape-types.ts';
import { type DType, dtypes, type Shape } from '../graph/types.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { floats, numeric, requireDType, requireFloats } from './attrs.ts';
import { eq, gt, lt, ne, where } from './compare.ts';
import { broadcastOperands } from './elementwise.ts';
import { abs, cos, exp, expm1, log, sin, sqrt } from './unary.ts';

/** Builds under the function's name; the result has the operand's type. Throws HDL0002 unless that is `allowed`. */
export function composite<X extends Node>(
  name: string,
  x: Node,
  build: (x: Node) => Node,
  allowed: readonly DType[] = floats,
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireDType(name, x, allowed);
  return inOneCall(() => scope(name, () => build(x))) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/** The same for a function of two f32 operands, which broadcast. Throws HDL0001, HDL0002. */
export function compositeOfTwo<A extends Operand, B extends Operand>(
  name: string,
  x: Operand,
  y: Operand,
  build: (x: Node<Shape, 'f32'>, y: Node<Shape, 'f32'>) => Node,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return inOneCall(() => {
    const [a, b] = broadcastOperands(name, [x, y]) as [Node<Shape, 'f32'>, Node<Shape, 'f32'>];
    requireFloats(name, a);
    return scope(name, () => build(a, b));
  }) as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Square of each element. f32, i32, u32. Throws HDL0002.
 *
 * @formula y = x²
 * @example square(x)
 */
export function square<X extends Node>(
  x: X & Accepts<'square', X, 'f32' | 'i32' | 'u32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('square', x, (v) => mul(v, v), numeric);
}

/**
 * Reciprocal of each element; infinite at 0. f32. Throws HDL0002.
 *
 * @formula y = 1 / x
 * @example reciprocal(x)
 */
export function reciprocal<X extends Node>(
  x: X & Accepts<'reciprocal', X, 'f32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('reciprocal', x, (v) => div(1, v));
}

/**
 * Reciprocal of the square root. f32. Throws HDL0002.
 *
 * @formula y = 1 / √x
 * @example rsqrt(add(variance, 1e-5))
 */
export function rsqrt<X extends Node>(x: X & Accepts<'rsqrt', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('rsqrt', x, (v) => div(1, sqrt(v)));
}

/**
 * Logarithm to base 2. f32. Throws HDL0002.
 *
 * @formula y = log₂(x)
 * @example log2(x)
 */
export function log2<X extends Node>(x: X & Accepts<'log2', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('log2', x, (v) => mul(log(v), Math.LOG2E));
}

/**
 * Logarithm to base 10. f32. Throws HDL0002.
 *
 * @formula y = log₁₀(x)
 * @example log10(x)
 */
export function log10<X extends Node>(x: X & Accepts<'log10', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('log10', x, (v) => mul(log(v), Math.LOG10E));
}

/**
 * Tangent of radians. f32. Throws HDL0002.
 *
 * @formula y = sin(x) / cos(x)
 * @example tan(x)
 */
export function tan<X extends Node>(x: X & Accepts<'tan', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('tan', x, (v) => div(sin(v), cos(v)));
}

/**
 * Hyperbolic sine, exact near 0; infinite beyond ±89.4. f32. Throws HDL0002.
 *
 * @formula y = (eˣ − e^−x) / 2
 * @example sinh(x)
 */
export function sinh<X extends Node>(x: X & Accepts<'sinh', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('sinh', x, (v) => {
    const isFar = gt(abs(v), farFromZero);
    const near: Node = where(isFar, 0, v);
    const isNegative = lt(v, 0);
    const far = halfExp(where(isFar, where(isNegative, neg(v), v), 0) as Floats);
    return where(
      isFar,
      where(isNegative, neg(far), far),
      mul(sub(expm1(near as Floats), expm1(neg(near as Floats))), 0.5),
    );
  });
}

/**
 * Hyperbolic cosine; infinite beyond ±89.4. f32. Throws HDL0002.
 *
 * @formula y = (eˣ + e^−x) / 2
 * @example cosh(x)
 */
export function cosh<X extends Node>(x: X & Accepts<'cosh', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('cosh', x, (v) => {
    const isFar = gt(abs(v), farFromZero);
    const near = where(isFar, 0, v) as Floats;
    const far = halfExp(where(isFar, where(lt(v, 0), neg(v), v), 0) as Floats);
    return where(isFar, far, mul(add(exp(near), exp(neg(near))), 0.5));
  });
}

type Floats = Node<readonly number[], 'f32'>;

/** e^x does not overflow up to here, and e^-x adds nothing to it beyond. */
const farFromZero = 80;

/** e^x / 2, also where e^x itself would overflow. */
function halfExp(x: Floats): Node {
  const root = exp(mul(x, 0.5) as Floats);
  return mul(mul(root, 0.5), root);
}

/**
 * x limited to [lo, hi]; NaN passes through. f32, i32, u32. The gradient passes in the closed interval and is 0 outside. Throws
 * HDL0002, HDL0003 for a limit that the dtype does not hold.
 *
 *     clip(x, -1, 1);
 */
export function clip<X extends Node>(
  x: X & Accepts<'clip', X, 'f32' | 'i32' | 'u32'>,
  lo: number,
  hi: number,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('clip', x, (v) => where(lt(v, lo), lo, where(gt(v, hi), hi, v)), numeric);
}

export interface NanToNumOptions {
  /** In place of NaN (default 0). */
  readonly nan?: number;
  /** In place of ∞ (default: the largest f32). */
  readonly positive?: number;
  /** In place of −∞ (default: the smallest f32). */
  readonly negative?: number;
}

/**
 * Numbers in place of what is none: NaN becomes 0, infinities the largest and the smallest f32, unless others are given. f32; no
 * gradient goes to what was replaced. Throws HDL0002.
 *
 * @formula y = nan if x is NaN, positive if x = ∞, negative if x = −∞, else x
 * @example nanToNum(x, { positive: 1e6 })
 */
export function nanToNum<X extends Node>(
  x: X & Accepts<'nanToNum', X, 'f32'>,
  options: NanToNumOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  const { nan = 0, positive = dtypes.f32.max, negative = dtypes.f32.min } = options;
  const infinity = Number.POSITIVE_INFINITY;
  return composite<X>('nanToNum', x, (v) =>
    where(ne(v, v), nan, where(eq(v, infinity), positive, where(eq(v, -infinity), negative, v))),
  );
}
