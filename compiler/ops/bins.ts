// Where numbers lie among others: the place in a sorted vector, bins and how many fall into each, and lines between points. A
// place is found by counting what lies below it, so all elements are independent of each other.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import type { Add } from '../graph/number-types.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, SameDType, ShapeOf } from '../graph/shape-types.ts';
import { elementCount, type Shape, sameShape } from '../graph/types.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { numeric, requireDType, requireFloats } from './attrs.ts';
import { logicalAnd, logicalNot, logicalOr, maximum, minimum } from './binary.ts';
import { expandDims, sum } from './broadcast.ts';
import { checkIndex } from './check.ts';
import { isNaN as nan } from './classify.ts';
import { eq, ge, gt, le, lt, where } from './compare.ts';
import { cast, stopGradient } from './convert.ts';
import { gatherAt, scatterSum } from './gather.ts';
import { iota, ones } from './leaf.ts';
import { linspace } from './ranges.ts';
import { max, min } from './reduce.ts';
import { refuse } from './refuse.ts';
import { reshape } from './shape.ts';

type Floats = Node<Shape, 'f32'>;
type Ints = Node<Shape, 'i32'>;
type Bools = Node<Shape, 'bool'>;

export interface SearchOptions {
  /** Equal elements lie behind the place (`left`, the default), or before it (`right`). */
  readonly side?: 'left' | 'right';
}

/**
 * Where values would go into a vector in ascending order: how many of its elements lie before them. f32, i32, u32, both alike →
 * i32 of the shape of the values, in [0, n]. NaN goes last, as in `sort`. It has no gradient. It compares each value with each
 * element. Throws HDL0001, HDL0002.
 *
 * @formula y = #{ i : sorted[i] < x }; with side `right`: sorted[i] ≤ x
 * @example searchSorted(edges, x) // f32[9], f32[64] → i32[64]
 */
export function searchSorted<S extends Node, X extends Node>(
  sorted: S & Accepts<'searchSorted', S, 'f32' | 'i32' | 'u32'>,
  values: X & SameDType<'searchSorted', S, X>,
  options: SearchOptions = {},
): Node<ShapeOf<X>, 'i32'> {
  const [s, x] = [sorted as Node, values as Node];
  expectVector('searchSorted', s, [s, x]);
  for (const v of [s, x]) requireDType('searchSorted', v, numeric);
  if (s.type.dtype !== x.type.dtype) {
    const what = `searchSorted(${describeNode(s)}, ${describeNode(x)})`;
    refuse(
      'HDL0002',
      what,
      `dtypes ${s.type.dtype} and ${x.type.dtype} differ`,
      `cast(x, '${s.type.dtype}')`,
    );
  }
  const y = scope('searchSorted', () => placesOf(s, x, options.side ?? 'left'));
  return y as Node as Node<ShapeOf<X>, 'i32'>;
}

function placesOf(sorted: Node, x: Node, side: 'left' | 'right'): Ints {
  const v = expandDims(x, -1) as Floats;
  const s = sorted as Floats;
  const isBelow = (side === 'left' ? lt(s, v) : le(s, v)) as Bools;
  return sum(cast(x.type.dtype === 'f32' ? orLast(isBelow, s, v, side) : isBelow, 'i32') as Ints, -1) as Ints;
}

/** NaN as the largest number. */
function orLast(isBelow: Bools, s: Floats, v: Floats, side: 'left' | 'right'): Bools {
  const isLast = nan(v) as Bools;
  if (side === 'right') return logicalOr(isBelow, isLast) as Bools;
  return logicalOr(isBelow, logicalAnd(isLast, logicalNot(nan(s) as Bools) as Bools) as Bools) as Bools;
}

/**
 * How often each of the numbers 0 … bins − 1 occurs: i32 of any shape → i32[bins]. With weights, f32 of the same shape, the sums
 * of theirs: f32[bins], with a gradient to the weights. Throws HDL0001, HDL0002, HDL0003; the run fails with HDL1004 at a number
 * that is out of range.
 *
 * @formula y[b] = Σ w[i] over x[i] = b, where w = 1 unless given
 * @example binCount(labels, 10) // i32[64] → i32[10]
 */
export function binCount<X extends Node, const B extends number, W extends Node | undefined = undefined>(
  x: X & Accepts<'binCount', X, 'i32'>,
  bins: B,
  weights?: W,
): Node<readonly [B], W extends Node ? 'f32' : 'i32'> {
  requireDType('binCount', x, ['i32']);
  checkBins('binCount', x, bins);
  if (weights !== undefined) {
    requireFloats('binCount', weights);
    if (!sameShape(weights.type.shape, x.type.shape)) {
      const what = `binCount(${describeNode(x)}, ${bins}, ${describeNode(weights)})`;
      refuse('HDL0001', what, 'there is a weight for each number', 'give weights the shape of the numbers');
    }
  }
  const y = scope('binCount', () => {
    const n = elementCount(x.type.shape);
    const flat = reshape(x as Node, [n]) as Ints;
    const at = checkIndex(flat, { size: bins, label: 'binCount' });
    const updates = weights === undefined ? ones([n], 'i32') : reshape(weights as Node, [n]);
    return scatterSum(at, updates as Node, { axis: 0, batch: 0, size: bins });
  });
  return y as Node<readonly [B], W extends Node ? 'f32' : 'i32'>;
}

export interface HistogramOptions {
  /** The ends of the first and the last bin; what lies beyond is not counted. Default: the smallest and the largest element. */
  readonly range?: readonly [number, number];
}

export interface Histogram<B extends number = number> {
  /** How many elements lie in each bin. */
  readonly counts: Node<readonly [B], 'i32'>;
  /** One more than bins: bin b lies between edges b and b + 1. */
  readonly edges: Node<readonly [Add<B, 1>], 'f32'>;
}

/**
 * How many elements lie in each of a number of bins of one width; each has its lower edge, the last one both. f32 of any shape.
 * Without a range bins lie around all elements, half a unit to each side of them when all are one number. NaN is not counted.
 * Counts have no gradient. Throws HDL0002, HDL0003.
 *
 * @formula y[b] = #{ i : edges[b] ≤ x[i] < edges[b + 1] }
 * @example histogram(x, 10).counts // f32[64] → i32[10]
 */
export function histogram<X extends Node, const B extends number>(
  x: X & Accepts<'histogram', X, 'f32'>,
  bins: B,
  options: HistogramOptions = {},
): Histogram<B> {
  requireFloats('histogram', x);
  checkBins('histogram', x, bins);
  const { range } = options;
  if (
    bins === 0 ||
    (range && !(Number.isFinite(range[0]) && Number.isFinite(range[1]) && range[0] < range[1]))
  ) {
    const what = `histogram(${describeNode(x)}, ${bins}${range ? `, range: [${range.join(', ')}]` : ''})`;
    refuse(
      'HDL0003',
      what,
      'there is a bin, and a range goes from a number to a larger one',
      'range: [0, 1]',
    );
  }
  return scope('histogram', () => {
    const flat = reshape(x as Node, [elementCount(x.type.shape), 1]) as Floats;
    const edges = range
      ? (linspace(range[0], range[1], bins + 1) as Node as Floats)
      : edgesAround(flat, bins);
    const isAbove = ge(flat, edges) as Bools;
    const isLast = eq(iota([bins + 1], 0) as Ints, bins as number) as Bools;
    // From its upper edge on an element is no longer in a bin; from the last edge on only beyond it.
    const isBeyond = where(isLast, gt(flat, edges) as Bools, isAbove) as Bools;
    const count = (b: Bools): Ints => sum(cast(b, 'i32') as Ints, 0) as Ints;
    const index = iota([bins], 0) as Ints;
    const from = gatherAt(count(isAbove), index, { axis: 0, batch: 0 }) as Ints;
    const to = gatherAt(count(isBeyond), add(index, 1) as Ints, { axis: 0, batch: 0 }) as Ints;
    const counts = sub(from, to) as Node as Node<readonly [B], 'i32'>;
    return { counts, edges: edges as Node as Node<readonly [Add<B, 1>], 'f32'> };
  });
}

/** Edges from the smallest element to the largest; from 0 to 1 around none. */
function edgesAround(flat: Floats, bins: number): Floats {
  const steps = linspace(0, 1, bins + 1) as Node as Floats;
  if (flat.type.shape[0] === 0) return steps;
  const v = stopGradient(flat) as Floats;
  const [least, most] = [min(v) as Node as Floats, max(v) as Node as Floats];
  const apart = where(eq(least, most) as Bools, 0.5, 0) as Floats;
  const [lo, hi] = [sub(least, apart) as Floats, add(most, apart) as Floats];
  // From both ends, so that the last edge is the largest element itself.
  return add(mul(lo, sub(1, steps) as Floats) as Floats, mul(hi, steps) as Floats) as Floats;
}

/**
 * The line through points, read at x: straight between neighbours, flat beyond the ends. `xs` is ascending. f32; x of any shape, points
 * f32[n] each. The gradient to x is the slope, 0 beyond the ends. Throws HDL0001, HDL0002.
 *
 * @formula y = ys[i] + (x − xs[i]) (ys[i + 1] − ys[i]) / (xs[i + 1] − xs[i]), xs[i] ≤ x < xs[i + 1]
 * @example interp(x, xs, ys) // f32[64], f32[9], f32[9] → f32[64]
 */
export function interp<X extends Node>(
  x: X & Accepts<'interp', X, 'f32'>,
  xs: Node,
  ys: Node,
): Node<ShapeOf<X>, 'f32'> {
  const operands = [x as Node, xs, ys];
  for (const v of operands) requireFloats('interp', v);
  expectVector('interp', xs, operands);
  const n = xs.type.shape[0]!;
  if (!sameShape(xs.type.shape, ys.type.shape) || n === 0) {
    refuse(
      'HDL0001',
      `interp(${operands.map(describeNode).join(', ')})`,
      'points have as many x as y, and there is one',
      'sort them by x first: argsort and gather',
    );
  }
  const y = scope('interp', () => {
    const v = x as Node as Floats;
    const last = sub(placesOf(xs, v, 'right'), 1) as Ints;
    const i = maximum(minimum(last, Math.max(0, n - 2)) as Ints, 0) as Ints;
    const next = minimum(add(i, 1) as Ints, n - 1) as Ints;
    const at = (points: Node, index: Ints): Floats =>
      gatherAt(points, index, { axis: 0, batch: 0 }) as Floats;
    const [x0, x1, y0, y1] = [at(xs, i), at(xs, next), at(ys, i), at(ys, next)];
    // Beyond the ends, and at points that share an x, the nearest one: no line is drawn there. NaN stays.
    const [isUnder, isOver] = [lt(v, x0) as Bools, ge(v, x1) as Bools];
    const isOutside = logicalOr(isUnder, isOver) as Bools;
    const width = where(gt(x1, x0) as Bools, sub(x1, x0) as Floats, 1) as Floats;
    const t = div(sub(where(isOutside, x0, v) as Floats, x0) as Floats, width) as Floats;
    const line = add(y0, mul(t, sub(y1, y0) as Floats) as Floats) as Floats;
    return where(isUnder, y0, where(isOver, y1, line) as Floats);
  });
  return y as Node as Node<ShapeOf<X>, 'f32'>;
}

function expectVector(fn: string, v: Node, operands: readonly Node[]): void {
  if (v.type.shape.length === 1) return;
  const what = `${fn}(${operands.map(describeNode).join(', ')})`;
  refuse(
    'HDL0001',
    what,
    `${fn} looks in a vector, not in ${v.type.shape.length} dimensions`,
    'slice one out of it',
  );
}

function checkBins(fn: string, x: Node, bins: number): void {
  if (Number.isInteger(bins) && bins >= 0) return;
  const what = `${fn}(${describeNode(x)}, ${bins})`;
  refuse('HDL0003', what, 'a number of bins is an integer of at least 0', 'write how many there are');
}
