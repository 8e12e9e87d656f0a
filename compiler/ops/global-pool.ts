// Pools over whole images, and pools to a given size. Images are [N, C, spatial…] of any number of spatial dimensions.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Resized } from '../graph/shape-types-box.ts';
import type { Averaged } from '../graph/shape-types-contract.ts';
import type { Shape } from '../graph/types.ts';
import { requireFloats } from './attrs.ts';
import { sum } from './broadcast.ts';
import { mean } from './composite.ts';
import { checkPower, powerOf, rootOf } from './norm-power.ts';
import { poolRankError } from './pool-window.ts';
import { max } from './reduce.ts';
import { combineTaps, takeTaps } from './taps.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * Mean over all spatial dimensions: [N, C, spatial…] → [N, C]. f32. Throws HDL0001, HDL0002.
 *
 *     globalAvgPool(x); // f32[64, 128, 7, 7] → f32[64, 128]
 */
export function globalAvgPool<X extends Node>(
  x: X & Accepts<'globalAvgPool', X, 'f32'>,
): Node<Averaged<ShapeOf<X>>, 'f32'> {
  requireFloats('globalAvgPool', x);
  const axes = spatialAxes('globalAvgPool', x);
  const y = scope('globalAvgPool', () => mean(x as Node, axes));
  return y as Node as Node<Averaged<ShapeOf<X>>, 'f32'>;
}

/**
 * Largest element over all spatial dimensions: [N, C, spatial…] → [N, C]. f32, i32, u32. Throws HDL0001, HDL0002.
 *
 *     globalMaxPool(x); // f32[64, 128, 7, 7] → f32[64, 128]
 */
export function globalMaxPool<X extends Node>(
  x: X & Accepts<'globalMaxPool', X, 'f32' | 'i32' | 'u32'>,
): Node<Averaged<ShapeOf<X>>, DTypeOf<X>> {
  const axes = spatialAxes('globalMaxPool', x);
  const y = scope('globalMaxPool', () => max(x as Node, axes));
  return y as Node as Node<Averaged<ShapeOf<X>>, DTypeOf<X>>;
}

/**
 * p-norm (p = 2 by default) over all spatial dimensions: [N, C, spatial…] → [N, C]. f32. Throws HDL0001, HDL0002, HDL0003.
 *
 *     globalLpPool(x, 3); // f32[64, 128, 7, 7] → f32[64, 128]
 */
export function globalLpPool<X extends Node>(
  x: X & Accepts<'globalLpPool', X, 'f32'>,
  p: number = 2,
): Node<Averaged<ShapeOf<X>>, 'f32'> {
  requireFloats('globalLpPool', x);
  checkPower('globalLpPool', x, p);
  const axes = spatialAxes('globalLpPool', x);
  const y = scope('globalLpPool', () => {
    const powers = powerOf(x as Node as Floats, p);
    return rootOf(sum(powers, axes) as Floats, p);
  });
  return y as Node as Node<Averaged<ShapeOf<X>>, 'f32'>;
}

/**
 * Means over as many windows as `size` says, one number for each spatial dimension: window o of n elements is
 * [⌊o · n / size⌋, ⌈(o + 1) · n / size⌉). f32. Throws HDL0001, HDL0002, HDL0003.
 *
 *     adaptiveAvgPool(x, [7, 7]); // f32[64, 128, 10, 12] → f32[64, 128, 7, 7]
 */
export function adaptiveAvgPool<X extends Node, const Z extends Shape>(
  x: X & Accepts<'adaptiveAvgPool', X, 'f32'>,
  size: Z,
): Node<Resized<ShapeOf<X>, Z>, 'f32'> {
  const fn = 'adaptiveAvgPool';
  requireFloats(fn, x);
  checkSizes(fn, x, size);
  const means = scope(fn, () =>
    size.reduce(
      (y: Floats, count: number, d: number) => {
        const windows = adaptiveWindows(y.type.shape[d + 2]!, count);
        const weights = windows.map((w) => {
          const own = new Set(w).size;
          return w.map((_, k) => (k < own ? 1 / own : 0));
        });
        return combineTaps(y, d + 2, windows, weights);
      },
      x as Node as Floats,
    ),
  );
  return means as Node as Node<Resized<ShapeOf<X>, Z>, 'f32'>;
}

/**
 * Largest elements of the windows of `adaptiveAvgPool`. f32, i32, u32. Throws HDL0001, HDL0002, HDL0003.
 *
 *     adaptiveMaxPool(x, [7, 7]); // f32[64, 128, 10, 12] → f32[64, 128, 7, 7]
 */
export function adaptiveMaxPool<X extends Node, const Z extends Shape>(
  x: X & Accepts<'adaptiveMaxPool', X, 'f32' | 'i32' | 'u32'>,
  size: Z,
): Node<Resized<ShapeOf<X>, Z>, DTypeOf<X>> {
  const fn = 'adaptiveMaxPool';
  checkSizes(fn, x, size);
  const y = scope(fn, () =>
    size.reduce((v: Node, count: number, d: number) => {
      const windows = adaptiveWindows(v.type.shape[d + 2]!, count);
      const taken = takeTaps(v, d + 2, windows);
      return (windows[0]?.length ?? 1) === 1 ? taken : (max(taken, d + 3) as Node);
    }, x as Node),
  );
  return y as Node as Node<Resized<ShapeOf<X>, Z>, DTypeOf<X>>;
}

/** Positions of each window, all lists of one length: shorter windows repeat their last position. */
function adaptiveWindows(n: number, count: number): number[][] {
  const windows = Array.from({ length: count }, (_, o) => {
    const start = Math.floor((o * n) / count);
    const end = Math.ceil(((o + 1) * n) / count);
    return Array.from({ length: end - start }, (_, k) => start + k);
  });
  const most = Math.max(...windows.map((w) => w.length));
  return windows.map((w) => Array.from({ length: most }, (_, k) => w[Math.min(k, w.length - 1)]!));
}

function spatialAxes(fn: string, x: Node): number[] {
  const rank = x.type.shape.length;
  if (rank < 3) throw poolRankError(fn, x, 'at least 3', '[N, C, spatial…]');
  return Array.from({ length: rank - 2 }, (_, i) => i + 2);
}

function checkSizes(fn: string, x: Node, size: readonly number[]): void {
  const sizes = spatialAxes(fn, x).map((a) => x.type.shape[a]!);
  if (size.length === sizes.length && size.every((n) => Number.isInteger(n) && n >= 1)) {
    if (!sizes.includes(0)) return;
  }
  throw compilerError('HDL0003', {
    what: `${fn}(${describeNode(x)}, [${size.join(', ')}])`,
    rule: `the size is ${sizes.length} integers of at least 1, one for each spatial dimension, and no dimension of x is empty`,
    hint: `write [${sizes.map(() => 1).join(', ')}] for one window over everything`,
    loc: callerLocation(),
  });
}
