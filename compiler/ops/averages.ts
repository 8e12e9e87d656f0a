// Sums and means that leave something out, weigh it, or go by the distance between elements: as NumPy has them.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import { formatShape, type Shape, sameShape } from '../graph/types.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { normalizeAxes, normalizeAxis, numeric, requireDType, requireFloats } from './attrs.ts';
import { logicalNot } from './binary.ts';
import { broadcastTo, sum } from './broadcast.ts';
import { isNaN as nan } from './classify.ts';
import { where } from './compare.ts';
import { cast } from './convert.ts';
import { all, max, min } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { refuse } from './refuse.ts';
import { reshape } from './shape.ts';
import { slice } from './slice.ts';

type Floats = Node<Shape, 'f32'>;
type Bools = Node<Shape, 'bool'>;

/** x with a number in place of NaN, which then has no gradient. */
function without(x: Node, value: number): Floats {
  return where(nan(x as Floats) as Bools, value, x as Floats) as Floats;
}

/**
 * Sum over axes (all by default) of what is not NaN; 0 of nothing. f32. Throws HDL0002, HDL0003.
 *
 * @formula y = Σ x over x ≠ NaN
 * @example nanSum(x, 1) // f32[64, 10] → f32[64]
 */
export function nanSum<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'nanSum', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('nanSum', x);
  normalizeAxes('nanSum', x, axes);
  const y = scope('nanSum', () => sum(without(x, 0), axes, options));
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * Mean over axes (all by default) of what is not NaN; NaN of nothing. f32. Throws HDL0002, HDL0003.
 *
 * @formula y = Σ x / n over the n elements with x ≠ NaN
 * @example nanMean(x, 1) // f32[64, 10] → f32[64]
 */
export function nanMean<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'nanMean', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('nanMean', x);
  normalizeAxes('nanMean', x, axes);
  const y = scope('nanMean', () => {
    const isNumber = logicalNot(nan(x as Node as Floats) as Bools) as Bools;
    const count = sum(cast(isNumber, 'f32') as Floats, axes, options) as Floats;
    return div(sum(without(x, 0), axes, options) as Floats, count);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * Largest element over axes (all by default) that is not NaN; NaN where all are. f32. The gradient goes in equal shares to all
 * elements that attain it. Throws HDL0002, HDL0003.
 *
 * @formula y = max x over x ≠ NaN
 * @example nanMax(x, 1) // f32[64, 10] → f32[64]
 */
export function nanMax<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'nanMax', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  return nanExtreme('nanMax', x, axes, options) as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * Smallest element over axes (all by default) that is not NaN; NaN where all are. Otherwise as `nanMax`.
 *
 * @formula y = min x over x ≠ NaN
 * @example nanMin(x, 1) // f32[64, 10] → f32[64]
 */
export function nanMin<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'nanMin', X, 'f32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  return nanExtreme('nanMin', x, axes, options) as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

function nanExtreme(fn: 'nanMax' | 'nanMin', x: Node, axes: Axes | undefined, options: ReduceOptions): Node {
  requireFloats(fn, x);
  normalizeAxes(fn, x, axes);
  return scope(fn, () => {
    const v = x as Floats;
    const isNothing = all(nan(v) as Bools, axes, options) as Bools;
    const known =
      fn === 'nanMax'
        ? max(without(v, Number.NEGATIVE_INFINITY), axes, options)
        : min(without(v, Number.POSITIVE_INFINITY), axes, options);
    return where(isNothing, Number.NaN, known as Floats) as Node;
  });
}

/**
 * Mean over axes (all by default) in which elements count by their weights: of the shape of `x`, or a vector along the one axis.
 * f32; NaN where weights add up to 0. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula y = Σ w x / Σ w
 * @example average(x, weights, 1) // f32[64, 10], f32[10] → f32[64]
 */
export function average<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'average', X, 'f32'>,
  weights: Node,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  requireFloats('average', x);
  requireFloats('average', weights);
  const list = normalizeAxes('average', x, axes);
  const [shape, given] = [x.type.shape, weights.type.shape];
  const isAlong = given.length === 1 && list.length === 1 && given[0] === shape[list[0]!];
  if (!isAlong && !sameShape(given, shape)) {
    refuse(
      'HDL0001',
      `average(${describeNode(x)}, ${describeNode(weights)}, axes: [${list.join(', ')}])`,
      `weights have the shape of x, ${formatShape(shape)}, or are a vector along the one axis`,
      'broadcast them first: broadcastTo(weights, x.type.shape)',
    );
  }
  const y = scope('average', () => {
    const v = x as Node as Floats;
    const along = shape.map((n, d) => (d === list[0] ? n : 1));
    const w = broadcastTo(isAlong ? reshape(weights, along) : weights, shape) as Floats;
    return div(sum(mul(w, v) as Floats, list, options) as Floats, sum(w, list, options) as Floats);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * From the smallest to the largest element over axes (all by default), "peak to peak". f32, i32, u32. Throws HDL0002, HDL0003.
 *
 * @formula y = max x − min x
 * @example ptp(x, 1) // f32[64, 10] → f32[64]
 */
export function ptp<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'ptp', X, 'f32' | 'i32' | 'u32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>> {
  requireDType('ptp', x, numeric);
  normalizeAxes('ptp', x, axes);
  const y = scope('ptp', () => {
    const v = x as Node as Floats;
    return sub(max(v, axes, options) as Floats, min(v, axes, options) as Floats);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>>;
}

export interface TrapezoidOptions {
  /** Where the elements lie: a vector along the axis, or of the shape of y. */
  readonly x?: Node;
  /** Distance of neighbours where `x` is not given (default 1). */
  readonly dx?: number;
}

/**
 * The area under the lines that join elements along an axis (the last by default); 0 of less than two. f32. Throws HDL0001,
 * HDL0002, HDL0003.
 *
 * @formula z = Σ (x[i + 1] − x[i]) (y[i] + y[i + 1]) / 2
 * @example trapezoid(y, -1, { dx: 0.1 }) // f32[64, 10] → f32[64]
 */
export function trapezoid<Y extends Node, const A extends number = -1>(
  y: Y & Accepts<'trapezoid', Y, 'f32'>,
  axis?: A,
  options: TrapezoidOptions = {},
): Node<Reduced<ShapeOf<Y>, A, false>, 'f32'> {
  requireFloats('trapezoid', y);
  const a = normalizeAxis('trapezoid', y, axis ?? -1);
  const { x, dx = 1 } = options;
  const shape = y.type.shape;
  const n = shape[a]!;
  const isAlong = x !== undefined && x.type.shape.length === 1 && x.type.shape[0] === n;
  if (x !== undefined) {
    requireFloats('trapezoid', x);
    if (!isAlong && !sameShape(x.type.shape, shape)) {
      const what = `trapezoid(${describeNode(y)}, axis: ${a}, x: ${describeNode(x)})`;
      refuse(
        'HDL0001',
        what,
        `x is a vector of ${n}, or ${formatShape(shape)}`,
        'say where each element lies',
      );
    }
  }
  const z = scope('trapezoid', () => {
    const part = (v: Node, start: number, limit: number): Floats =>
      slice(
        v,
        v.type.shape.map((_, d) => (d === a ? start : 0)),
        v.type.shape.map((size, d) => (d === a ? limit : size)),
      ) as Floats;
    const [rest, first] = [Math.min(1, n), Math.max(0, n - 1)];
    const heights = add(part(y, rest, n), part(y, 0, first)) as Floats;
    if (x === undefined) return mul(sum(heights, a) as Floats, dx / 2);
    const at = isAlong
      ? reshape(
          x,
          shape.map((size, d) => (d === a ? size : 1)),
        )
      : x;
    const widths = sub(part(at, rest, n), part(at, 0, first)) as Floats;
    return mul(sum(mul(heights, widths) as Floats, a) as Floats, 0.5);
  });
  return z as Node as Node<Reduced<ShapeOf<Y>, A, false>, 'f32'>;
}
