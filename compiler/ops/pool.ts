// Pools as users call them: images are [N, C, spatial…], windows slide over the spatial dimensions only.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type {
  Averaged,
  Images,
  PerDimension,
  Pooled,
  SpatialPadding,
} from '../graph/shape-types-contract.ts';
import { elementCount } from '../graph/types.ts';
import { div } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { mean } from './composite.ts';
import { full } from './leaf.ts';
import { perDimension, resolvePadding, spreadSize } from './spatial.ts';
import { reduceWindow } from './window.ts';
import type { WindowAttrs } from './window-attrs.ts';

export interface PoolOptions<
  K extends PerDimension = PerDimension,
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
> {
  /** Size of the window: one number for all spatial dimensions, or one for each. */
  readonly kernel: K;
  /** Distance between windows (default: the size of the window, so that they lie side by side). */
  readonly strides?: S;
  /** Padding around the image (default 'valid': none); never as wide as the window. */
  readonly padding?: P;
  /** Distance between elements of the window (default 1). */
  readonly dilation?: D;
}

export interface AvgPoolOptions<
  K extends PerDimension = PerDimension,
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
> extends PoolOptions<K, S, P, D> {
  /** Whether padding counts as zeros in the average (default true), or is left out of it. */
  readonly countIncludePad?: boolean;
}

/**
 * Largest element under each window: `x` is [N, C, H, W]. f32, i32, u32. NaN goes through, padding is −∞. The gradient goes
 * to the first maximum of each window in row-major order. Throws HDL0001 when the window does not fit, HDL0003 for
 * options.
 *
 *     maxPool2d(x, { kernel: 2 }); // f32[64, 16, 28, 28] → f32[64, 16, 14, 14]
 */
export function maxPool2d<
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
>(
  x: X & Images<'maxPool2d', X, 4> & Accepts<'maxPool2d', X, 'f32' | 'i32' | 'u32'>,
  options: PoolOptions<K, S, P, D>,
): Node<Pooled<4, ShapeOf<X>, K, S, P, D>, DTypeOf<X>> {
  const y = scope('maxPool2d', () => reduceWindow(x as Node, 'max', poolWindows('maxPool2d', 2, x, options)));
  return y as Node as Node<Pooled<4, ShapeOf<X>, K, S, P, D>, DTypeOf<X>>;
}

/** `maxPool2d` with one spatial dimension: `x` is [N, C, L]. */
export function maxPool1d<
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
>(
  x: X & Images<'maxPool1d', X, 3> & Accepts<'maxPool1d', X, 'f32' | 'i32' | 'u32'>,
  options: PoolOptions<K, S, P, D>,
): Node<Pooled<3, ShapeOf<X>, K, S, P, D>, DTypeOf<X>> {
  const y = scope('maxPool1d', () => reduceWindow(x as Node, 'max', poolWindows('maxPool1d', 1, x, options)));
  return y as Node as Node<Pooled<3, ShapeOf<X>, K, S, P, D>, DTypeOf<X>>;
}

/**
 * Mean under each window: `x` is [N, C, H, W], f32. Padding counts as zeros unless `countIncludePad` is false. Throws as
 * `maxPool2d`.
 *
 *     avgPool2d(x, { kernel: 2 }); // f32[64, 16, 28, 28] → f32[64, 16, 14, 14]
 */
export function avgPool2d<
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
>(
  x: X & Images<'avgPool2d', X, 4> & Accepts<'avgPool2d', X, 'f32'>,
  options: AvgPoolOptions<K, S, P, D>,
): Node<Pooled<4, ShapeOf<X>, K, S, P, D>, 'f32'> {
  const y = averagePool('avgPool2d', 2, x, options);
  return y as Node as Node<Pooled<4, ShapeOf<X>, K, S, P, D>, 'f32'>;
}

/** `avgPool2d` with one spatial dimension: `x` is [N, C, L]. */
export function avgPool1d<
  X extends Node,
  const K extends PerDimension,
  const S extends PerDimension = K,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
>(
  x: X & Images<'avgPool1d', X, 3> & Accepts<'avgPool1d', X, 'f32'>,
  options: AvgPoolOptions<K, S, P, D>,
): Node<Pooled<3, ShapeOf<X>, K, S, P, D>, 'f32'> {
  const y = averagePool('avgPool1d', 1, x, options);
  return y as Node as Node<Pooled<3, ShapeOf<X>, K, S, P, D>, 'f32'>;
}

function averagePool(fn: string, rank: number, x: Node, options: AvgPoolOptions): Node {
  requireFloats(fn, x);
  const attrs = poolWindows(fn, rank, x, options);
  return scope(fn, () => {
    const total = reduceWindow(x, 'sum', attrs);
    const isPadded = [...attrs.padLo, ...attrs.padHi].some((p) => p > 0);
    if (options.countIncludePad !== false || !isPadded) return div(total, elementCount(attrs.window));
    // How many elements each window covers is the same in all images and channels.
    const plane = full([1, 1, ...x.type.shape.slice(2)], 1);
    return div(total, reduceWindow(plane, 'sum', attrs) as Node);
  });
}

/**
 * Mean over all spatial dimensions: [N, C, spatial…] → [N, C]. f32. Throws HDL0001, HDL0002.
 *
 *     globalAvgPool(x); // f32[64, 128, 7, 7] → f32[64, 128]
 */
export function globalAvgPool<X extends Node>(
  x: X & Accepts<'globalAvgPool', X, 'f32'>,
): Node<Averaged<ShapeOf<X>>, 'f32'> {
  requireFloats('globalAvgPool', x);
  const rank = x.type.shape.length;
  if (rank < 3) throw rankError('globalAvgPool', x, 'at least 3', '[N, C, spatial…]');
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const y = scope('globalAvgPool', () => mean(x as Node, axes));
  return y as Node as Node<Averaged<ShapeOf<X>>, 'f32'>;
}

/** The windows over all dimensions that the options describe: 1 over N and C. */
function poolWindows(fn: string, rank: number, x: Node, options: PoolOptions): WindowAttrs {
  if (x.type.shape.length !== rank + 2) {
    throw rankError(fn, x, `${rank + 2}`, rank === 1 ? '[N, C, L]' : '[N, C, H, W]');
  }
  const window = perDimension(fn, x, 'kernel', options.kernel, rank, 1);
  const strides = perDimension(fn, x, 'strides', options.strides ?? window, rank, 1);
  const dilation = perDimension(fn, x, 'dilation', options.dilation ?? 1, rank, 1);
  const reach = window.map((k, d) => spreadSize(k, dilation[d]! - 1));
  const sizes = x.type.shape.slice(2);
  const { lo, hi } = resolvePadding(fn, x, options.padding ?? 'valid', sizes, reach, strides);
  const wide = reach.findIndex((r, d) => lo[d]! >= r || hi[d]! >= r);
  if (wide >= 0) {
    throw compilerError('HDL0003', {
      what: `${fn}(${describeNode(x)}, padding: ${JSON.stringify(options.padding)})`,
      rule: `padding [${lo[wide]}, ${hi[wide]}] of spatial dimension ${wide} is as wide as the window, which reaches over ${reach[wide]}: some windows would hold padding alone`,
      hint: 'pad less than the window reaches over',
      loc: callerLocation(),
    });
  }
  return {
    window: [1, 1, ...window],
    strides: [1, 1, ...strides],
    padLo: [0, 0, ...lo],
    padHi: [0, 0, ...hi],
    dilation: [1, 1, ...dilation],
  };
}

function rankError(fn: string, x: Node, wanted: string, form: string): Error {
  return compilerError('HDL0001', {
    what: `${fn}(${describeNode(x)})`,
    rule: `x has ${x.type.shape.length} dimensions, ${fn} takes ${wanted}`,
    hint: `x is ${form}: reshape it, or give it the missing dimensions of 1 by expandDims`,
    loc: callerLocation(),
  });
}
