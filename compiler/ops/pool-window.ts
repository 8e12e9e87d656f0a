// Options of pools, and the windows over all dimensions that they describe. Images are [N, C, spatial…]; windows slide over
// the spatial dimensions only.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { PerDimension, SpatialPadding } from '../graph/shape-types-contract.ts';
import { perDimension, resolvePadding, spreadSize, windowCount } from './spatial.ts';
import type { WindowAttrs } from './window-attrs.ts';

export interface PoolOptions<
  K extends PerDimension = PerDimension,
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
  C extends boolean = boolean,
> {
  /** Size of the window: one number for all spatial dimensions, or one for each. */
  readonly kernel: K;
  /** Distance between windows (default: the size of the window, so that they lie side by side). */
  readonly strides?: S;
  /** Padding around the image (default 'valid': none); never as wide as the window. */
  readonly padding?: P;
  /** Distance between elements of the window (default 1). */
  readonly dilation?: D;
  /**
   * Whether a last window that begins inside but reaches beyond the padded image counts (default false). What lies beyond
   * is never part of an average.
   */
  readonly ceil?: C;
}

export interface PoolWindows {
  /** Over all dimensions: 1 over N and C. `padHi` includes `beyond`. */
  readonly attrs: WindowAttrs;
  /** Places after each spatial dimension that `ceil` added. */
  readonly beyond: readonly number[];
}

/** Throws HDL0001 when x has another rank or the window does not fit, HDL0003 for options. */
export function poolWindows(fn: string, rank: number, x: Node, options: PoolOptions): PoolWindows {
  if (x.type.shape.length !== rank + 2) throw poolRankError(fn, x, `${rank + 2}`, forms[rank] ?? '');
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
  const beyond = sizes.map((n, d) =>
    options.ceil ? placesBeyond(n + lo[d]!, hi[d]!, reach[d]!, strides[d]!) : 0,
  );
  return {
    attrs: {
      window: [1, 1, ...window],
      strides: [1, 1, ...strides],
      padLo: [0, 0, ...lo],
      padHi: [0, 0, ...hi.map((h, d) => h + beyond[d]!)],
      dilation: [1, 1, ...dilation],
    },
    beyond,
  };
}

/** How far one more window reaches beyond the image, if places are left and it begins before the end: `inside` counts all but the padding after. */
function placesBeyond(inside: number, hi: number, reach: number, stride: number): number {
  if ((inside + hi - reach) % stride === 0) return 0;
  const start = windowCount(inside + hi, reach, stride) * stride;
  return start < inside ? Math.max(0, start + reach - inside - hi) : 0;
}

const forms: Readonly<Record<number, string>> = { 1: '[N, C, L]', 2: '[N, C, H, W]', 3: '[N, C, D, H, W]' };

/** HDL0001: x has not the dimensions of images. */
export function poolRankError(fn: string, x: Node, wanted: string, form: string): Error {
  return compilerError('HDL0001', {
    what: `${fn}(${describeNode(x)})`,
    rule: `x has ${x.type.shape.length} dimensions, ${fn} takes ${wanted}`,
    hint: `x is ${form}: reshape it, or give it the missing dimensions of 1 by expandDims`,
    loc: callerLocation(),
  });
}
