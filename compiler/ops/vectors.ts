// Vectors along an axis: lengths, directions and distances. All are f32, take the largest magnitude out before squaring, so
// that nothing overflows or vanishes, and have gradients that are finite at zero.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, Broadcast, Broadcasts, CommonDType, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Compares, Distances } from '../graph/shape-types-matrix.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import type { Shape } from '../graph/types.ts';
import { div, mul, sub } from './arithmetic.ts';
import { normalizeAxes, normalizeAxis, requireDType, requireFloats } from './attrs.ts';
import { logicalAnd, maximum } from './binary.ts';
import { expandDims, sum } from './broadcast.ts';
import { countNonZero } from './close.ts';
import { gt, lt, where } from './compare.ts';
import { cast, stopGradient } from './convert.ts';
import { checkPower, powerOf, rootOf } from './norm-power.ts';
import { l1, l2 } from './norms.ts';
import { max, min } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { refuse } from './refuse.ts';
import { roll } from './repeat.ts';
import { squeeze } from './shape.ts';
import { abs } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

export interface PNormOptions<K extends boolean = boolean> extends ReduceOptions<K> {
  /** At least 1 (default 2), or ∞ for the largest magnitude, −∞ for the smallest, 0 for how many are not 0. */
  readonly p?: number;
}

/**
 * The p-norm over axes (all by default). The gradient where all are 0 is 0. f32. Throws HDL0002, HDL0003.
 *
 * @formula y = (Σ |x|ᵖ)^(1/p)
 * @example norm(x, -1, { p: 3 }) // f32[64, 10] → f32[64]
 */
export function norm<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'norm', X, 'f32'>,
  axes?: A,
  options: PNormOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('norm', x);
  const { p = 2, ...keep } = options;
  const isSpecial = p === 0 || Math.abs(p) === Number.POSITIVE_INFINITY;
  if (!isSpecial) checkPower('norm', x, p);
  const list = normalizeAxes('norm', x, axes);
  const y = scope('norm', (): Node => {
    const v = x as Node as Floats;
    if (p === 1) return l1(v, list, keep);
    if (p === 2) return l2(v, list, keep);
    if (p === 0) return cast(countNonZero(v, list, keep) as Node, 'f32');
    const size: Floats = abs(v) as Floats;
    if (isSpecial) return p > 0 ? max(size, list, keep) : min(size, list, keep);
    const top = stopGradient(max(size, list, { keepDims: true })) as Floats;
    const usable = logicalAnd(gt(top, 0), lt(top, Number.POSITIVE_INFINITY)) as Node<Shape, 'bool'>;
    const scale = where(usable, top, 1) as Floats;
    const total = sum(powerOf(div(v, scale) as Floats, p), list, { keepDims: true }) as Floats;
    const kept = mul(scale, rootOf(total, p)) as Floats;
    return keep.keepDims ? kept : squeeze(kept, list);
  });
  return y as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

export interface NormalizeOptions {
  /** Which norm becomes 1 (default 2); as in `norm`. */
  readonly p?: number;
  /** Vectors shorter than this are divided by it (default 1e-12). */
  readonly epsilon?: number;
}

/**
 * Vectors along an axis (the last by default) made one long. f32; a vector of zeros stays one. Throws HDL0002, HDL0003.
 *
 * @formula y = x / max(‖x‖ₚ, epsilon)
 * @example normalize(x) // f32[64, 128] → f32[64, 128]
 */
export function normalize<X extends Node>(
  x: X & Accepts<'normalize', X, 'f32'>,
  axis: number = -1,
  options: NormalizeOptions = {},
): Node<ShapeOf<X>, DTypeOf<X>> {
  requireFloats('normalize', x);
  const a = normalizeAxis('normalize', x, axis);
  const { p = 2, epsilon = 1e-12 } = options;
  const y = scope('normalize', () => {
    const v = x as Node as Floats;
    return div(v, maximum(norm(v, a, { p, keepDims: true }) as Floats, epsilon) as Node);
  });
  return y as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * The cosine of the angle between vectors along an axis (the last by default); shapes broadcast. f32; 0 for a vector of
 * zeros. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula z = Σ x y / (max(‖x‖, epsilon) · max(‖y‖, epsilon)), epsilon = 1e-8
 * @example cosineSimilarity(x, y) // f32[64, 128], f32[64, 128] → f32[64]
 */
export function cosineSimilarity<A extends Node, B extends Node, const X extends number = -1>(
  x: A & Accepts<'cosineSimilarity', A, 'f32'>,
  y: B & Broadcasts<'cosineSimilarity', A, B>,
  axis?: X,
): Node<Reduced<Broadcast<ShapeOf<A>, ShapeOf<B>>, X, false>, 'f32'> {
  requireFloats('cosineSimilarity', x);
  requireFloats('cosineSimilarity', y);
  const z = scope('cosineSimilarity', () => {
    const along: number = axis ?? -1;
    const unit = (v: Node): Node => normalize(v as Floats, along, { epsilon: 1e-8 });
    return sum(mul(unit(x), unit(y)) as Node, along);
  });
  return z as Node as Node<Reduced<Broadcast<ShapeOf<A>, ShapeOf<B>>, X, false>, 'f32'>;
}

/**
 * How far vectors along the last axis lie from each other, one by one; shapes broadcast. f32. The gradient at distance 0 is
 * 0. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula z = ‖x − y‖ₚ
 * @example pairwiseDistance(x, y) // f32[64, 128], f32[64, 128] → f32[64]
 */
export function pairwiseDistance<A extends Node, B extends Node>(
  x: A & Accepts<'pairwiseDistance', A, 'f32'>,
  y: B & Broadcasts<'pairwiseDistance', A, B>,
  options: { readonly p?: number } = {},
): Node<Reduced<Broadcast<ShapeOf<A>, ShapeOf<B>>, -1, false>, 'f32'> {
  requireFloats('pairwiseDistance', x);
  requireFloats('pairwiseDistance', y);
  const z = scope('pairwiseDistance', () =>
    norm(sub(x as Floats, y as Node as Floats) as Floats, -1, options),
  );
  return z as Node as Node<Reduced<Broadcast<ShapeOf<A>, ShapeOf<B>>, -1, false>, 'f32'>;
}

/**
 * How far each of N vectors lies from each of M: x is […, N, D], y is […, M, D], and the result […, N, M]. f32. The gradient
 * at distance 0 is 0. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula z[…, i, j] = ‖x[…, i] − y[…, j]‖ₚ
 * @example cdist(x, centres) // f32[64, 2], f32[10, 2] → f32[64, 10]
 */
export function cdist<A extends Node, B extends Node>(
  x: A & Accepts<'cdist', A, 'f32'>,
  y: B & Compares<'cdist', A, B> & Accepts<'cdist', B, 'f32'>,
  options: { readonly p?: number } = {},
): Node<Distances<ShapeOf<A>, ShapeOf<B>>, 'f32'> {
  requireFloats('cdist', x);
  requireFloats('cdist', y);
  const [a, b] = [x.type.shape, y.type.shape] as [Shape, Shape];
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-1)) {
    refuse(
      'HDL0001',
      `cdist(${describeNode(x)}, ${describeNode(y)})`,
      'both are rows of vectors, […, N, D] and […, M, D], of one D',
      'reshape a single vector: reshape(x, [1, -1])',
    );
  }
  const z = scope('cdist', () => {
    const apart = sub(expandDims(x, -2) as Floats, expandDims(y, -3) as Floats) as Floats;
    return norm(apart, -1, options);
  });
  return z as Node as Node<Distances<ShapeOf<A>, ShapeOf<B>>, 'f32'>;
}

/**
 * The vector product of vectors with three elements along an axis (the last by default); shapes broadcast. f32, i32. Throws
 * HDL0001, HDL0002, HDL0003.
 *
 * @formula z = (x₁y₂ − x₂y₁, x₂y₀ − x₀y₂, x₀y₁ − x₁y₀)
 * @example cross(x, y) // f32[8, 3], f32[8, 3] → f32[8, 3]
 */
export function cross<A extends Node, B extends Node>(
  x: A & Accepts<'cross', A, 'f32' | 'i32'>,
  y: B & Broadcasts<'cross', A, B>,
  axis: number = -1,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const operands: Node[] = [x, y];
  for (const v of operands) {
    requireDType('cross', v, ['f32', 'i32']);
    if (v.type.shape[normalizeAxis('cross', v, axis)] === 3) continue;
    const what = `cross(${operands.map(describeNode).join(', ')}, axis: ${axis})`;
    refuse('HDL0001', what, 'vectors have three elements along the axis', 'name the axis that has them');
  }
  const z = scope('cross', () => {
    const turned = (v: Node, by: number): Node => roll(v, by, axis) as Node;
    const [a, b] = operands as [Node, Node];
    return sub(mul(turned(a, -1), turned(b, -2)) as Node, mul(turned(a, -2), turned(b, -1)) as Node);
  });
  return z as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}
