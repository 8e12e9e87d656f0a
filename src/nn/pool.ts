// Pooling layers: windows over one, two or three spatial dimensions, over all of them, or as many as give a size.

import {
  adaptiveAvgPool as adaptiveAvgPoolOp,
  adaptiveMaxPool as adaptiveMaxPoolOp,
  avgPool1d as avgPool1dOp,
  avgPool2d as avgPool2dOp,
  avgPool3d as avgPool3dOp,
  globalAvgPool as globalAvgPoolOp,
  globalMaxPool as globalMaxPoolOp,
  lpPool1d as lpPool1dOp,
  lpPool2d as lpPool2dOp,
  lpPool3d as lpPool3dOp,
  maxPool1d as maxPool1dOp,
  maxPool2d as maxPool2dOp,
  maxPool3d as maxPool3dOp,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkCount, type PerAxis, perAxis, type Rank } from './check.ts';
import type { AdaptivePoolRule, GlobalPoolRule, PoolRule } from './image-rules.ts';
import { expectRank, type Layer, type LayerOptions, layer, layouts, refuse } from './layer.ts';
import type { ShapeRule } from './shape-rule.ts';

export interface PoolOptions<
  R extends Rank = 2,
  S extends PerAxis<R> = PerAxis<R>,
  P extends PerAxis<R> = PerAxis<R>,
  D extends PerAxis<R> = PerAxis<R>,
  C extends boolean = boolean,
> extends LayerOptions {
  /** Default: the window's size. */
  readonly stride?: S;
  /** Added on each side; default 0. */
  readonly padding?: P;
  /** Distance between elements of the window; default 1. */
  readonly dilation?: D;
  /** Whether a last window that the input does not fill counts; default false. */
  readonly ceil?: C;
}

export interface AvgPoolOptions<
  R extends Rank = 2,
  S extends PerAxis<R> = PerAxis<R>,
  P extends PerAxis<R> = PerAxis<R>,
  D extends PerAxis<R> = PerAxis<R>,
  C extends boolean = boolean,
> extends PoolOptions<R, S, P, D, C> {
  /** Padding counts as zeros in the mean; default true. */
  readonly countIncludePad?: boolean;
}

export interface LpPoolOptions<
  R extends Rank = 2,
  S extends PerAxis<R> = PerAxis<R>,
  P extends PerAxis<R> = PerAxis<R>,
  D extends PerAxis<R> = PerAxis<R>,
  C extends boolean = boolean,
> extends PoolOptions<R, S, P, D, C> {
  /** The power p, at least 1; default 2. */
  readonly p?: number;
}

/**
 * The largest value of each window; padding never wins. f32[N, C, H, W] → f32[N, C, H′, W′]. The gradient goes to the
 * first largest in row-major order. Throws HDL0015 (input), HDL0001, HDL0003.
 *
 * @example nn.maxPool2d(2)
 */
export function maxPool2d<
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = K,
  const P extends PerAxis<2> = 0,
  const D extends PerAxis<2> = 1,
  const C extends boolean = false,
>(kernel: K, options: PoolOptions<2, S, P, D, C> = {}): Layer<PoolRule<'maxPool2d', 2, K, S, P, D, C>> {
  return windows('maxPool2d', 2, maxPool2dOp as Op, kernel, options);
}

/**
 * `maxPool2d` of sequences: f32[N, C, L] → f32[N, C, L′]. Throws as it does.
 *
 * @example nn.maxPool1d(2)
 */
export function maxPool1d<
  const K extends PerAxis<1>,
  const S extends PerAxis<1> = K,
  const P extends PerAxis<1> = 0,
  const D extends PerAxis<1> = 1,
  const C extends boolean = false,
>(kernel: K, options: PoolOptions<1, S, P, D, C> = {}): Layer<PoolRule<'maxPool1d', 1, K, S, P, D, C>> {
  return windows('maxPool1d', 1, maxPool1dOp as Op, kernel, options);
}

/**
 * `maxPool2d` of volumes: f32[N, C, D, H, W] → f32[N, C, D′, H′, W′]. Throws as it does.
 *
 * @example nn.maxPool3d(2)
 */
export function maxPool3d<
  const K extends PerAxis<3>,
  const S extends PerAxis<3> = K,
  const P extends PerAxis<3> = 0,
  const D extends PerAxis<3> = 1,
  const C extends boolean = false,
>(kernel: K, options: PoolOptions<3, S, P, D, C> = {}): Layer<PoolRule<'maxPool3d', 3, K, S, P, D, C>> {
  return windows('maxPool3d', 3, maxPool3dOp as Op, kernel, options);
}

/**
 * The mean of each window. f32[N, C, H, W] → f32[N, C, H′, W′]. Throws HDL0015 (input), HDL0001, HDL0003.
 *
 * @example nn.avgPool2d(2)
 */
export function avgPool2d<
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = K,
  const P extends PerAxis<2> = 0,
  const D extends PerAxis<2> = 1,
  const C extends boolean = false,
>(kernel: K, options: AvgPoolOptions<2, S, P, D, C> = {}): Layer<PoolRule<'avgPool2d', 2, K, S, P, D, C>> {
  return windows('avgPool2d', 2, avgPool2dOp as Op, kernel, options);
}

/**
 * `avgPool2d` of sequences: f32[N, C, L] → f32[N, C, L′]. Throws as it does.
 *
 * @example nn.avgPool1d(2)
 */
export function avgPool1d<
  const K extends PerAxis<1>,
  const S extends PerAxis<1> = K,
  const P extends PerAxis<1> = 0,
  const D extends PerAxis<1> = 1,
  const C extends boolean = false,
>(kernel: K, options: AvgPoolOptions<1, S, P, D, C> = {}): Layer<PoolRule<'avgPool1d', 1, K, S, P, D, C>> {
  return windows('avgPool1d', 1, avgPool1dOp as Op, kernel, options);
}

/**
 * `avgPool2d` of volumes: f32[N, C, D, H, W] → f32[N, C, D′, H′, W′]. Throws as it does.
 *
 * @example nn.avgPool3d(2)
 */
export function avgPool3d<
  const K extends PerAxis<3>,
  const S extends PerAxis<3> = K,
  const P extends PerAxis<3> = 0,
  const D extends PerAxis<3> = 1,
  const C extends boolean = false,
>(kernel: K, options: AvgPoolOptions<3, S, P, D, C> = {}): Layer<PoolRule<'avgPool3d', 3, K, S, P, D, C>> {
  return windows('avgPool3d', 3, avgPool3dOp as Op, kernel, options);
}

/**
 * The p-norm of each window, (Σ |x|ᵖ)^(1/p). f32[N, C, H, W] → f32[N, C, H′, W′]. Throws HDL0015 (input), HDL0001, HDL0003.
 *
 * @example nn.lpPool2d(2, { p: 3 })
 */
export function lpPool2d<
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = K,
  const P extends PerAxis<2> = 0,
  const D extends PerAxis<2> = 1,
  const C extends boolean = false,
>(kernel: K, options: LpPoolOptions<2, S, P, D, C> = {}): Layer<PoolRule<'lpPool2d', 2, K, S, P, D, C>> {
  return windows('lpPool2d', 2, lpPool2dOp as Op, kernel, options);
}

/**
 * `lpPool2d` of sequences: f32[N, C, L] → f32[N, C, L′]. Throws as it does.
 *
 * @example nn.lpPool1d(2)
 */
export function lpPool1d<
  const K extends PerAxis<1>,
  const S extends PerAxis<1> = K,
  const P extends PerAxis<1> = 0,
  const D extends PerAxis<1> = 1,
  const C extends boolean = false,
>(kernel: K, options: LpPoolOptions<1, S, P, D, C> = {}): Layer<PoolRule<'lpPool1d', 1, K, S, P, D, C>> {
  return windows('lpPool1d', 1, lpPool1dOp as Op, kernel, options);
}

/**
 * `lpPool2d` of volumes: f32[N, C, D, H, W] → f32[N, C, D′, H′, W′]. Throws as it does.
 *
 * @example nn.lpPool3d(2)
 */
export function lpPool3d<
  const K extends PerAxis<3>,
  const S extends PerAxis<3> = K,
  const P extends PerAxis<3> = 0,
  const D extends PerAxis<3> = 1,
  const C extends boolean = false,
>(kernel: K, options: LpPoolOptions<3, S, P, D, C> = {}): Layer<PoolRule<'lpPool3d', 3, K, S, P, D, C>> {
  return windows('lpPool3d', 3, lpPool3dOp as Op, kernel, options);
}

/**
 * The mean of each channel over all spatial dimensions. f32[N, C, …] → f32[N, C]. Throws HDL0015 for another input.
 *
 * @example nn.globalAvgPool()
 */
export function globalAvgPool(options: LayerOptions = {}): Layer<GlobalPoolRule> {
  return whole('globalAvgPool', (x) => globalAvgPoolOp(x), options);
}

/**
 * The largest value of each channel over all spatial dimensions. f32[N, C, …] → f32[N, C]. Throws HDL0015 for another input.
 *
 * @example nn.globalMaxPool()
 */
export function globalMaxPool(options: LayerOptions = {}): Layer<GlobalPoolRule> {
  return whole('globalMaxPool', (x) => globalMaxPoolOp(x), options);
}

/**
 * Means of windows that share each spatial dimension out evenly, so that `size` comes out: one number, or one for each.
 * f32[N, C, …] → f32[N, C, size…]. Throws HDL0003 (size), HDL0015 (input).
 *
 * @example nn.adaptiveAvgPool(7)
 */
export function adaptiveAvgPool<const Z extends PerAxis>(
  size: Z,
  options: LayerOptions = {},
): Layer<AdaptivePoolRule<Z>> {
  return adaptive('adaptiveAvgPool', (x, sizes) => adaptiveAvgPoolOp(x, sizes), size, options);
}

/**
 * Largest values of windows that share each spatial dimension out evenly. Otherwise as `adaptiveAvgPool`.
 *
 * @example nn.adaptiveMaxPool([1, 4])
 */
export function adaptiveMaxPool<const Z extends PerAxis>(
  size: Z,
  options: LayerOptions = {},
): Layer<AdaptivePoolRule<Z>> {
  return adaptive('adaptiveMaxPool', (x, sizes) => adaptiveMaxPoolOp(x, sizes) as Floats, size, options);
}

type Op = (x: Floats, options: object) => Floats;

function windows<R extends Rank, T extends ShapeRule>(
  fn: string,
  rank: R,
  op: Op,
  size: PerAxis<R>,
  { stride, padding, dilation, name, ...others }: PoolOptions<R>,
): Layer<T> {
  const kernel = perAxis(fn, 'kernel', size, rank);
  const window = {
    ...others,
    kernel,
    strides: stride === undefined ? kernel : perAxis(fn, 'stride', stride, rank),
    padding: perAxis(fn, 'padding', padding ?? 0, rank, 0),
    dilation: perAxis(fn, 'dilation', dilation ?? 1, rank),
  };
  return layer(
    'pool',
    (x) => {
      expectRank(fn, x, rank + 2, layouts[rank]);
      return op(x, window);
    },
    { name, ...others },
  );
}

function whole(fn: string, op: (x: Floats) => Floats, options: LayerOptions): Layer<GlobalPoolRule> {
  return layer(
    'pool',
    (x) => {
      spatialRank(fn, x);
      return op(x);
    },
    options,
  );
}

function adaptive<Z extends PerAxis>(
  fn: string,
  op: (x: Floats, sizes: readonly number[]) => Floats,
  given: Z,
  options: LayerOptions,
): Layer<AdaptivePoolRule<Z>> {
  const size: PerAxis = given;
  const sizes = typeof size === 'number' ? [size] : size;
  for (const n of sizes) checkCount(fn, 'size', n);
  return layer(
    'pool',
    (x) => {
      const rank = spatialRank(fn, x);
      return op(x, typeof size === 'number' ? new Array<number>(rank).fill(size) : size);
    },
    options,
  );
}

/** How many spatial dimensions the input has; HDL0015 is thrown where it has none. */
function spatialRank(fn: string, x: Floats): number {
  const rank = x.type.shape.length - 2;
  if (rank >= 1) return rank;
  return refuse(
    fn,
    x,
    'its input is [batch, channels, …] with spatial dimensions',
    'put it before flatten()',
  );
}
