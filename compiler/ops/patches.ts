// Patches of pictures as columns, and back: what convolutions see. Images are [N, C, spatial…] with at least one spatial
// dimension. Windows that lie side by side are a reshape; others are one strided view for each place in the window.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import type { Add, DivideFloor, Product, Subtract } from '../graph/number-types.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, IsTuple, ShapeOf } from '../graph/shape-types.ts';
import type { DimAt, Replaced } from '../graph/shape-types-axis.ts';
import type { At, PerDimension, Slid, SpatialPadding } from '../graph/shape-types-contract.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { add } from './arithmetic.ts';
import { normalizeAxis, numeric, requireDType } from './attrs.ts';
import { stack } from './concat.ts';
import { zeros } from './leaf.ts';
import { refuse } from './refuse.ts';
import { reshape, transpose } from './shape.ts';
import { padBy, slice } from './slice.ts';
import { perDimension, resolvePadding, spreadSize, windowCount } from './spatial.ts';

export interface PatchOptions<
  K extends PerDimension = PerDimension,
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
> {
  /** Size of the window: one number for all spatial dimensions, or one for each. */
  readonly kernel: K;
  /** Distance between windows (default 1). */
  readonly strides?: S;
  /** Zeros around the image (default 'valid': none). */
  readonly padding?: P;
  /** Distance between elements of the window (default 1). */
  readonly dilation?: D;
}

/** One number for each spatial dimension. */
type Each<V, N extends Shape> = { readonly [I in keyof N]: At<V, I> };

/** `Product`, of what is known to be a shape only when all of it is known. */
type ProductOf<S> = S extends infer R extends Shape ? Product<R> : number;

/** [N, C · kernel, places]. */
export type Unfolded<X extends Shape, K, S, P, D> = X extends readonly [
  infer N extends number,
  infer C extends number,
  ...infer Sizes extends Shape,
]
  ? IsTuple<X> extends false
    ? readonly [number, number, number]
    : readonly [N, Product<readonly [C, ...Each<K, Sizes>]>, ProductOf<Slid<Sizes, K, S, P, D>>]
  : readonly [number, number, number];

/** [N, C, sizes…] of patches. */
export type Folded<X extends Shape, K, Z extends Shape> = X extends readonly [
  infer N extends number,
  infer C extends number,
  number,
]
  ? IsTuple<Z> extends false
    ? Shape
    : readonly [N, DivideFloor<C, Product<Each<K, Z>>>, ...Z]
  : Shape;

interface Windows {
  readonly rank: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  /** Number of windows in each spatial dimension. */
  readonly places: readonly number[];
}

/**
 * Windows of pictures as columns: [N, C, spatial…] → [N, C · elements of the window, places], channel by channel, as PyTorch has
 * them ("im2col"). A matrix product with flattened filters is a convolution. Any dtype; padding is 0. Throws HDL0001, HDL0003.
 *
 * @formula y[n, (c, k), p] = x[n, c, p · strides + k · dilation − padding]
 * @example unfold(x, { kernel: 3, padding: 1 }) // f32[8, 3, 28, 28] → f32[8, 27, 784]
 */
export function unfold<
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
>(x: X, options: PatchOptions<K, S, P, D>): Node<Unfolded<ShapeOf<X>, K, S, P, D>, DTypeOf<X>> {
  const y = scope('unfold', () => columnsOf(x, windowsOf('unfold', x, x.type.shape.slice(2), options)));
  return y as Node<Unfolded<ShapeOf<X>, K, S, P, D>, DTypeOf<X>>;
}

function columnsOf(x: Node, w: Windows): Node {
  const [n, c] = x.type.shape as unknown as [number, number];
  const padded = padBy(x, { lo: [0, 0, ...w.lo], hi: [0, 0, ...w.hi] });
  const shape = [n, c * elementCount(w.kernel), elementCount(w.places)];
  if (shape.includes(0)) return zeros(shape, x.type.dtype) as Node;
  if (isSideBySide(w)) {
    // [N, C, (places, kernel)…] → [N, C, kernel…, places…]
    const used = w.places.map((p, d) => p * w.kernel[d]!);
    const whole = slice(padded, used.map(() => 0).concat(0, 0), [n, c, ...used]);
    const blocks = reshape(whole as Node, [n, c, ...w.places.flatMap((p, d) => [p, w.kernel[d]!])]) as Node;
    const at = w.places.map((_, d) => 2 + 2 * d);
    return reshape(transpose(blocks, [0, 1, ...at.map((d) => d + 1), ...at]) as Node, shape);
  }
  const views = taps(w.kernel).map((k) => {
    const starts = k.map((i, d) => i * w.dilation[d]!);
    const limits = starts.map((s, d) => s + (w.places[d]! - 1) * w.strides[d]! + 1);
    const view = slice(padded, [0, 0, ...starts], [n, c, ...limits], [1, 1, ...w.strides]);
    return reshape(view as Node, [n, c, shape[2]!]) as Node;
  });
  return reshape(stack(views, 2) as Node, shape);
}

/**
 * Pictures of which columns are the windows, added up where they overlap: [N, C · elements of the window, places] → [N, C, sizes…], the
 * gradient of `unfold` ("col2im"). f32, i32, u32. Throws HDL0001 when the columns are not those of such a picture, HDL0002, HDL0003.
 *
 * @formula y[n, c, q] = Σ x[n, (c, k), p] over p · strides + k · dilation − padding = q
 * @example fold(x, [28, 28], { kernel: 3, padding: 1 }) // f32[8, 27, 784] → f32[8, 3, 28, 28]
 */
export function fold<
  X extends Node,
  const Z extends Shape,
  const K extends PerDimension,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
>(
  x: X & Accepts<'fold', X, 'f32' | 'i32' | 'u32'>,
  sizes: Z,
  options: PatchOptions<K, S, P, D>,
): Node<Folded<ShapeOf<X>, K, Z>, DTypeOf<X>> {
  requireDType('fold', x, numeric);
  const w = windowsOf('fold', x, sizes, options);
  const [n, deep, count] = x.type.shape as unknown as [number, number, number];
  const c = deep / elementCount(w.kernel);
  if (x.type.shape.length !== 3 || !Number.isInteger(c) || count !== elementCount(w.places)) {
    refuse(
      'HDL0001',
      `fold(${describeNode(x)}, [${sizes.join(', ')}])`,
      `columns are [N, C · ${elementCount(w.kernel)}, ${elementCount(w.places)}]: windows of ${w.kernel.join(' × ')}, ${w.places.join(' × ')} of them`,
      'give the options that unfold had',
    );
  }
  const y = scope('fold', () => pictureOf(x as Node, [n, c, ...sizes], w));
  return y as Node<Folded<ShapeOf<X>, K, Z>, DTypeOf<X>>;
}

function pictureOf(x: Node, shape: readonly number[], w: Windows): Node {
  const [n, c] = shape as unknown as [number, number];
  if (x.type.shape.includes(0)) return zeros(shape, x.type.dtype) as Node;
  const columns = reshape(x, [n, c, ...w.kernel, ...w.places]) as Node;
  const back = { lo: [0, 0, ...w.lo.map((p) => -p)], hi: [0, 0, ...w.hi.map((p) => -p)] };
  const padded = shape.slice(2).map((size, d) => size + w.lo[d]! + w.hi[d]!);
  if (isSideBySide(w)) {
    const order = w.kernel.flatMap((_, d) => [2 + w.rank + d, 2 + d]);
    const used = w.places.map((p, d) => p * w.kernel[d]!);
    const whole = reshape(transpose(columns, [0, 1, ...order]) as Node, [n, c, ...used]) as Node;
    const hi = [0, 0, ...padded.map((size, d) => size - used[d]!)];
    return padBy(padBy(whole, { hi }), back) as Node;
  }
  const sums = taps(w.kernel).map((k) => {
    const starts = [0, 0, ...k, ...w.places.map(() => 0)];
    const limits = [n, c, ...k.map((i) => i + 1), ...w.places];
    const one = reshape(slice(columns, starts, limits) as Node, [n, c, ...w.places]) as Node;
    const lo = k.map((i, d) => i * w.dilation[d]!);
    const hi = lo.map((p, d) => padded[d]! - p - spreadSize(w.places[d]!, w.strides[d]! - 1));
    const interior = [0, 0, ...w.strides.map((s) => s - 1)];
    return padBy(one, { lo: [0, 0, ...lo], hi: [0, 0, ...hi], interior });
  });
  return padBy(
    sums.reduce((a, b) => add(a, b) as Node),
    back,
  ) as Node;
}

/** The shape of `slidingWindows`. */
export type SlidWindows<S extends Shape, A extends number, N extends number, By extends number> =
  IsTuple<S> extends false
    ? Shape
    : Replaced<S, A, Add<DivideFloor<Subtract<DimAt<S, A>, N>, By>, 1>> extends infer R extends Shape
      ? readonly [...R, N]
      : Shape;

/**
 * Windows of neighbours along an axis (the last by default), as a new last dimension: of a series those that a net predicts from. `step`
 * is how far apart they begin (default 1). Any dtype. Throws HDL0001 when no window fits, HDL0003.
 *
 * @formula y[…, i, …, k] = x[…, i · step + k, …]
 * @example slidingWindows(x, 3) // [1, 2, 3, 4, 5] → [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
 */
export function slidingWindows<
  X extends Node,
  const N extends number,
  const A extends number = -1,
  const By extends number = 1,
>(
  x: X,
  size: N,
  axis?: A,
  options: { readonly step?: By } = {},
): Node<SlidWindows<ShapeOf<X>, A, N, By>, DTypeOf<X>> {
  const a = normalizeAxis('slidingWindows', x, axis ?? -1);
  const step: number = options.step ?? 1;
  const shape = x.type.shape;
  const what = `slidingWindows(${describeNode(x)}, ${size}, axis: ${a}, step: ${step})`;
  if (![size, step].every((v) => Number.isInteger(v) && v >= 1)) {
    refuse('HDL0003', what, 'sizes and steps are integers of at least 1', 'slidingWindows(x, 8)');
  }
  if (size > shape[a]!) {
    refuse(
      'HDL0001',
      what,
      `no window of ${size} fits into dimension ${a} of ${shape[a]}`,
      'take a smaller one',
    );
  }
  const places = windowCount(shape[a]!, size, step);
  const y = scope('slidingWindows', () => {
    const views = Array.from({ length: size }, (_, k) =>
      slice(
        x as Node,
        shape.map((_, d) => (d === a ? k : 0)),
        shape.map((n, d) => (d === a ? k + (places - 1) * step + 1 : n)),
        shape.map((_, d) => (d === a ? step : 1)),
      ),
    ) as Node[];
    return stack(views, -1);
  });
  return y as Node as Node<SlidWindows<ShapeOf<X>, A, N, By>, DTypeOf<X>>;
}

function isSideBySide({ kernel, strides, dilation }: Windows): boolean {
  return kernel.every((k, d) => strides[d] === k && (dilation[d] === 1 || k === 1));
}

/** All places in a window, in row-major order. */
function taps(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (list, k) => list.flatMap((head) => Array.from({ length: k }, (_, i) => [...head, i])),
    [[]],
  );
}

function windowsOf(fn: string, x: Node, sizes: readonly number[], options: PatchOptions): Windows {
  const rank = sizes.length;
  const what = `${fn}(${describeNode(x)}, kernel: ${JSON.stringify(options.kernel)})`;
  if (rank < 1 || !sizes.every((n) => Number.isInteger(n) && n >= 0)) {
    refuse(
      'HDL0001',
      what,
      'pictures are [N, C, sizes…] with at least one size',
      'reshape it, or give it a batch',
    );
  }
  const kernel = perDimension(fn, x, 'kernel', options.kernel, rank, 1);
  const strides = perDimension(fn, x, 'strides', options.strides ?? 1, rank, 1);
  const dilation = perDimension(fn, x, 'dilation', options.dilation ?? 1, rank, 1);
  const reach = kernel.map((k, d) => spreadSize(k, dilation[d]! - 1));
  const { lo, hi } = resolvePadding(fn, x, options.padding ?? 'valid', sizes, reach, strides);
  const places = sizes.map((n, d) => windowCount(n + lo[d]! + hi[d]!, reach[d]!, strides[d]!));
  const d = places.findIndex((p) => p < 1);
  if (d >= 0) {
    const has = sizes[d]! + lo[d]! + hi[d]!;
    const rule = `the window reaches over ${reach[d]} elements, but spatial dimension ${d} has ${has} with its padding`;
    refuse('HDL0001', what, rule, 'pad more, or use a smaller or less dilated window');
  }
  return { rank, kernel, strides, dilation, lo, hi, places };
}
