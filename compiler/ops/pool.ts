// Pools under sliding windows, as users call them: the largest element, the mean, or the p-norm of each window. Each comes
// for one, two and three spatial dimensions; they differ in nothing else.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Images, PerDimension, PooledOrCeiled, SpatialPadding } from '../graph/shape-types-contract.ts';
import { type DType, elementCount, type Shape } from '../graph/types.ts';
import { div } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { full } from './leaf.ts';
import { checkPower, powerOf, rootOf } from './norm-power.ts';
import { type PoolOptions, poolWindows } from './pool-window.ts';
import { reduceWindow } from './window.ts';

type Floats = Node<Shape, 'f32'>;

export interface AvgPoolOptions<
  K extends PerDimension = PerDimension,
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
  C extends boolean = boolean,
> extends PoolOptions<K, S, P, D, C> {
  /** Whether padding counts as zeros in the average (default true), or is left out of it. */
  readonly countIncludePad?: boolean;
}

export interface LpPoolOptions<
  K extends PerDimension = PerDimension,
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
  C extends boolean = boolean,
> extends PoolOptions<K, S, P, D, C> {
  /** The power p, at least 1 (default 2). */
  readonly p?: number;
}

/** `maxPool2d` and its kin: `Rank` counts the dimensions of x. */
export type MaxPool<Fn extends string, Rank extends number> = <
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  C extends boolean = false,
>(
  x: X & Images<Fn, X, Rank> & Accepts<Fn, X, 'f32' | 'i32' | 'u32'>,
  options: PoolOptions<K, S, P, D, C>,
) => Node<PooledOrCeiled<Rank, ShapeOf<X>, K, S, P, D, C>, DTypeOf<X>>;

/** `avgPool2d` and its kin. */
export type AvgPool<Fn extends string, Rank extends number> = <
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  C extends boolean = false,
>(
  x: X & Images<Fn, X, Rank> & Accepts<Fn, X, 'f32'>,
  options: AvgPoolOptions<K, S, P, D, C>,
) => Node<PooledOrCeiled<Rank, ShapeOf<X>, K, S, P, D, C>, 'f32'>;

/** `lpPool2d` and its kin. */
export type LpPool<Fn extends string, Rank extends number> = <
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  C extends boolean = false,
>(
  x: X & Images<Fn, X, Rank> & Accepts<Fn, X, 'f32'>,
  options: LpPoolOptions<K, S, P, D, C>,
) => Node<PooledOrCeiled<Rank, ShapeOf<X>, K, S, P, D, C>, 'f32'>;

/**
 * Largest element under each window: `x` is [N, C, H, W]. f32, i32, u32. NaN goes through, padding is −∞. The gradient goes
 * to the first maximum of each window in row-major order. Throws HDL0001 when the window does not fit, HDL0003 for
 * options.
 *
 *     maxPool2d(x, { kernel: 2 }); // f32[64, 16, 28, 28] → f32[64, 16, 14, 14]
 */
export const maxPool2d: MaxPool<'maxPool2d', 4> = (x, options) =>
  maxPool('maxPool2d', 2, x, options) as never;

/**
 * `maxPool2d` with one spatial dimension: `x` is [N, C, L]. Throws as it does.
 *
 * @example maxPool1d(x, { kernel: 2 }) // f32[64, 16, 100] → f32[64, 16, 50]
 */
export const maxPool1d: MaxPool<'maxPool1d', 3> = (x, options) =>
  maxPool('maxPool1d', 1, x, options) as never;

/**
 * `maxPool2d` with three spatial dimensions: `x` is [N, C, D, H, W]. Throws as it does.
 *
 * @example maxPool3d(x, { kernel: 2 }) // f32[8, 4, 16, 16, 16] → f32[8, 4, 8, 8, 8]
 */
export const maxPool3d: MaxPool<'maxPool3d', 5> = (x, options) =>
  maxPool('maxPool3d', 3, x, options) as never;

/**
 * Mean under each window: `x` is [N, C, H, W], f32. Padding counts as zeros unless `countIncludePad` is false. Throws as
 * `maxPool2d`.
 *
 *     avgPool2d(x, { kernel: 2 }); // f32[64, 16, 28, 28] → f32[64, 16, 14, 14]
 */
export const avgPool2d: AvgPool<'avgPool2d', 4> = (x, options) =>
  avgPool('avgPool2d', 2, x, options) as never;

/**
 * `avgPool2d` with one spatial dimension: `x` is [N, C, L]. Throws as it does.
 *
 * @example avgPool1d(x, { kernel: 2 }) // f32[64, 16, 100] → f32[64, 16, 50]
 */
export const avgPool1d: AvgPool<'avgPool1d', 3> = (x, options) =>
  avgPool('avgPool1d', 1, x, options) as never;

/**
 * `avgPool2d` with three spatial dimensions: `x` is [N, C, D, H, W]. Throws as it does.
 *
 * @example avgPool3d(x, { kernel: 2 }) // f32[8, 4, 16, 16, 16] → f32[8, 4, 8, 8, 8]
 */
export const avgPool3d: AvgPool<'avgPool3d', 5> = (x, options) =>
  avgPool('avgPool3d', 3, x, options) as never;

/**
 * p-norm of each window, (Σ |x|ᵖ)^(1/p): `x` is [N, C, H, W], f32. The gradient of a window of zeros is 0. Throws as
 * `maxPool2d`.
 *
 *     lpPool2d(x, { kernel: 2, p: 2 }); // f32[64, 16, 28, 28] → f32[64, 16, 14, 14]
 */
export const lpPool2d: LpPool<'lpPool2d', 4> = (x, options) => lpPool('lpPool2d', 2, x, options) as never;

/**
 * `lpPool2d` with one spatial dimension: `x` is [N, C, L]. Throws as it does.
 *
 * @example lpPool1d(x, { kernel: 2, p: 3 }) // f32[64, 16, 100] → f32[64, 16, 50]
 */
export const lpPool1d: LpPool<'lpPool1d', 3> = (x, options) => lpPool('lpPool1d', 1, x, options) as never;

/**
 * `lpPool2d` with three spatial dimensions: `x` is [N, C, D, H, W]. Throws as it does.
 *
 * @example lpPool3d(x, { kernel: 2 }) // f32[8, 4, 16, 16, 16] → f32[8, 4, 8, 8, 8]
 */
export const lpPool3d: LpPool<'lpPool3d', 5> = (x, options) => lpPool('lpPool3d', 3, x, options) as never;

function maxPool(fn: string, rank: number, x: Node, options: PoolOptions): Node {
  const { attrs } = poolWindows(fn, rank, x, options);
  return scope(fn, () => reduceWindow(x as Node<Shape, DType>, 'max', attrs) as Node);
}

function avgPool(fn: string, rank: number, x: Node, options: AvgPoolOptions): Node {
  requireFloats(fn, x);
  const { attrs, beyond } = poolWindows(fn, rank, x, options);
  return scope(fn, () => {
    const total = reduceWindow(x, 'sum', attrs) as Floats;
    const padded = options.countIncludePad !== false;
    const uneven = padded ? beyond : [...attrs.padLo, ...attrs.padHi];
    if (uneven.every((p) => p === 0)) return div(total, elementCount(attrs.window));
    // How many elements each window covers is the same in all images and channels. Padding that counts is made of ones too.
    const grown = (d: number): number => attrs.padLo[d + 2]! + attrs.padHi[d + 2]! - beyond[d]!;
    const sizes = x.type.shape.slice(2).map((n, d) => n + (padded ? grown(d) : 0));
    const windows = padded ? { ...attrs, padLo: attrs.padLo.map(() => 0), padHi: [0, 0, ...beyond] } : attrs;
    return div(total, reduceWindow(full([1, 1, ...sizes], 1), 'sum', windows) as Node);
  });
}

function lpPool(fn: string, rank: number, x: Node, options: LpPoolOptions): Node {
  requireFloats(fn, x);
  const p = options.p ?? 2;
  checkPower(fn, x, p);
  const { attrs } = poolWindows(fn, rank, x, options);
  return scope(fn, () => rootOf(reduceWindow(powerOf(x as Floats, p), 'sum', attrs) as Floats, p));
}
