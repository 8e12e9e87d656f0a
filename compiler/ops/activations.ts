// Activations. All take f32 of any shape, pass NaN through, and are finite with finite gradients for large arguments: where
// one side of a formula would overflow, it is computed on an argument that was made safe before, since a gradient of 0
// times an infinite derivative would be NaN. On either side of 0 they are analytic expressions, so gradients of any order
// are right. What the gradient is at a kink stands with each function.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, Broadcast, Broadcasts, CommonDType, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Halved, Halves } from '../graph/shape-types-axis.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { normalizeAxis, requireFloats } from './attrs.ts';
import { ge, gt, le, lt, where } from './compare.ts';
import { split } from './concat.ts';
import { erfc } from './erfc.ts';
import { composite } from './math.ts';
import { refuse } from './refuse.ts';
import { sigmoid } from './sigmoid.ts';
import { abs, exp, expm1, log, log1p, tanh } from './unary.ts';

/**
 * max(x, 0); the gradient at 0 is 0. Throws HDL0002.
 *
 *     relu(input('x', [64, 128])); // f32[64, 128]
 */
export function relu<X extends Node>(x: X & Accepts<'relu', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('relu', x, (v) => where(le(v, 0), 0, v));
}

/**
 * Relu limited to [0, 6]; the gradient at 0 and at 6 is 0. f32. Throws HDL0002.
 *
 * @formula y = min(max(x, 0), 6)
 * @example relu6(x)
 */
export function relu6<X extends Node>(x: X & Accepts<'relu6', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('relu6', x, (v) => where(le(v, 0), 0, where(ge(v, 6), 6, v)));
}

/**
 * Relu with a slope of alpha below 0, 0.01 unless given; the gradient at 0 is alpha. f32. Throws HDL0002.
 *
 * @formula y = x if x ≥ 0, else alpha x
 * @example leakyRelu(x, 0.2)
 */
export function leakyRelu<X extends Node>(
  x: X & Accepts<'leakyRelu', X, 'f32'>,
  alpha = 0.01,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('leakyRelu', x, (v) => where(gt(v, 0), v, mul(v, alpha)));
}

/**
 * Exponential linear unit (Clevert et al., 2016); the gradient at 0 is alpha, 1 unless given. f32. Throws HDL0002.
 *
 * @formula y = x if x > 0, else alpha (eˣ − 1)
 * @example elu(x)
 */
export function elu<X extends Node>(
  x: X & Accepts<'elu', X, 'f32'>,
  alpha = 1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('elu', x, (v) => {
    const isPositive = gt(v, 0);
    return where(isPositive, v, mul(expm1(where(isPositive, 0, v)), alpha));
  });
}

/**
 * Elu that is smooth at 0 for every alpha (Barron, 2017), 1 unless given. f32. Throws HDL0002.
 *
 * @formula y = max(x, 0) + min(alpha (e^(x / alpha) − 1), 0)
 * @example celu(x, 2)
 */
export function celu<X extends Node>(
  x: X & Accepts<'celu', X, 'f32'>,
  alpha = 1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('celu', x, (v) => {
    const isPositive = gt(v, 0);
    return where(isPositive, v, mul(expm1(mul(where(isPositive, 0, v), 1 / alpha)), alpha));
  });
}

/**
 * Scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017). f32. Throws HDL0002.
 *
 * @formula y = λ x if x > 0, else λ α (eˣ − 1), with λ = 1.0507…, α = 1.6732…
 * @example selu(x)
 */
export function selu<X extends Node>(x: X & Accepts<'selu', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('selu', x, (v) => mul(elu(v, 1.6732632423543772), 1.0507009873554805));
}

/**
 * Smooth relu, which does not overflow. f32. Throws HDL0002.
 *
 * @formula y = ln(1 + eˣ)
 * @example softplus(x)
 */
export function softplus<X extends Node>(x: X & Accepts<'softplus', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('softplus', x, (v) => {
    const isRight = ge(v, 0);
    return add(where(isRight, v, 0), log1p(exp(where(isRight, neg(v), v))));
  });
}

/**
 * Logarithm of the sigmoid, which does not underflow. f32. Throws HDL0002.
 *
 * @formula y = −ln(1 + e^−x)
 * @example logSigmoid(x)
 */
export function logSigmoid<X extends Node>(
  x: X & Accepts<'logSigmoid', X, 'f32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('logSigmoid', x, (v) => neg(softplus(neg(v))));
}

/**
 * x sigmoid(x), also called swish. f32. Throws HDL0002.
 *
 * @formula y = x / (1 + e^−x)
 * @example silu(x)
 */
export function silu<X extends Node>(x: X & Accepts<'silu', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('silu', x, (v) => mul(v, sigmoid(v)));
}

/**
 * x Φ(x), where Φ is the distribution function of the standard normal: by `erf`, or with `'tanh'` by Hendrycks and Gimpel's
 * approximation. Throws HDL0002.
 *
 *     gelu(x);
 *     gelu(x, 'tanh');
 */
export function gelu<X extends Node>(
  x: X & Accepts<'gelu', X, 'f32'>,
  form: 'erf' | 'tanh' = 'erf',
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('gelu', x, (v) => {
    // By erfc, since 1 + erf would leave no digits of the left tail.
    if (form === 'erf') return mul(mul(v, 0.5), erfc(mul(v, -Math.SQRT1_2)));
    // tanh is 1 long before x² reaches the limit, which only keeps x³ from overflowing.
    const xx = mul(v, v);
    const limited = where(lt(xx, 1e4), xx, 1e4);
    const c = Math.sqrt(2 / Math.PI);
    return mul(mul(v, 0.5), add(tanh(mul(v, add(mul(limited, 0.044715 * c), c))), 1));
  });
}

/**
 * Self-regularizing smooth relu (Misra, 2019). f32. Throws HDL0002.
 *
 * @formula y = x tanh(ln(1 + eˣ))
 * @example mish(x)
 */
export function mish<X extends Node>(x: X & Accepts<'mish', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('mish', x, (v) => mul(v, tanh(softplus(v))));
}

/**
 * Sigmoid of rational form, from −1 to 1. f32. Throws HDL0002.
 *
 * @formula y = x / (1 + |x|)
 * @example softsign(x)
 */
export function softsign<X extends Node>(x: X & Accepts<'softsign', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('softsign', x, (v) => div(v, add(abs(v), 1)));
}

/**
 * Piecewise linear sigmoid; the gradient at ±3 is 0. f32. Throws HDL0002.
 *
 * @formula y = min(max(x / 6 + 1/2, 0), 1)
 * @example hardSigmoid(x)
 */
export function hardSigmoid<X extends Node>(
  x: X & Accepts<'hardSigmoid', X, 'f32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('hardSigmoid', x, (v) =>
    where(le(v, -3), 0, where(ge(v, 3), 1, add(mul(v, 1 / 6), 0.5))),
  );
}

/**
 * x hardSigmoid(x), with its gradient at ±3. f32. Throws HDL0002.
 *
 * @formula y = x min(max(x / 6 + 1/2, 0), 1)
 * @example hardSwish(x)
 */
export function hardSwish<X extends Node>(
  x: X & Accepts<'hardSwish', X, 'f32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('hardSwish', x, (v) => mul(v, hardSigmoid(v)));
}

/**
 * x above 0, slope · x elsewhere, with a slope that is learnt: a tensor f32 that broadcasts to `x`. The gradient of x at 0
 * is the slope. Throws HDL0001, HDL0002.
 *
 *     prelu(x, variable('slope', [64, 1, 1]));
 */
export function prelu<X extends Node, W extends Node>(
  x: X & Accepts<'prelu', X, 'f32'>,
  slope: W & Broadcasts<'prelu', X, W>,
): Node<Broadcast<ShapeOf<X>, ShapeOf<W>>, CommonDType<X, W>> {
  requireFloats('prelu', x);
  const node: Node = scope('prelu', () => where(gt(x as Node, 0), x as Node, mul(x as Node, slope as Node)));
  return node as Node<Broadcast<ShapeOf<X>, ShapeOf<W>>, CommonDType<X, W>>;
}

/**
 * Logarithm of the odds: the inverse of `sigmoid`. Infinite at 0 and 1, NaN outside of them. f32. Throws HDL0002.
 *
 * @formula y = ln(x / (1 − x))
 * @example logit(probabilities)
 */
export function logit<X extends Node>(x: X & Accepts<'logit', X, 'f32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return composite<X>('logit', x, (v) => sub(log(v as Floats) as Node, log1p(neg(v) as Floats) as Node));
}

/**
 * Gated linear unit: the first half of x along an axis (the last by default), times the sigmoid of the second half. f32.
 * Dauphin et al., 2017. Throws HDL0001 for an axis of odd size, HDL0002, HDL0003.
 *
 * @formula y = a / (1 + e^−b), where x = [a, b]
 * @example glu(x) // f32[64, 256] → f32[64, 128]
 */
export function glu<X extends Node, const A extends number = -1>(
  x: X & Accepts<'glu', X, 'f32'> & Halves<ShapeOf<X>, A>,
  axis?: A,
): Node<Halved<ShapeOf<X>, A>, 'f32'> {
  requireFloats('glu', x);
  const a = normalizeAxis('glu', x, axis ?? -1);
  const size = x.type.shape[a]!;
  if (size % 2 !== 0) {
    refuse(
      'HDL0001',
      `glu(${describeNode(x)}, axis: ${a})`,
      `dimension ${a} of size ${size} has no two halves`,
      'its second half is the gate of the first: make it twice as large as the result',
    );
  }
  const y = scope('glu', () => {
    const [value, gate] = split(x as Node, 2, a) as readonly Node[] as [Node, Floats];
    return mul(value, sigmoid(gate) as Node);
  });
  return y as Node as Node<Halved<ShapeOf<X>, A>, 'f32'>;
}

type Floats = Node<readonly number[], 'f32'>;
