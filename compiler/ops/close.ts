// Counting and comparing with a tolerance. No result has a gradient.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, Broadcast, Broadcasts, ShapeOf } from '../graph/shape-types.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import type { Shape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { logicalAnd, logicalOr } from './binary.ts';
import { sum } from './broadcast.ts';
import { isFinite as finite, isNaN as nan } from './classify.ts';
import { eq, le, ne } from './compare.ts';
import { cast } from './convert.ts';
import { all } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { abs } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Bools = Node<Shape, 'bool'>;

/**
 * How many elements are not 0 (NaN is not 0), over axes (all by default). Any dtype → i32. Throws HDL0003.
 *
 * @formula y = Σ [x ≠ 0]
 * @example countNonZero(x, 0) // f32[64, 10] → i32[10]
 */
export function countNonZero<
  X extends Node,
  const A extends Axes | undefined = undefined,
  K extends boolean = false,
>(x: X, axes?: A, options: ReduceOptions<K> = {}): Node<Reduced<ShapeOf<X>, A, K>, 'i32'> {
  const y = scope('countNonZero', () => {
    const isSet: Node =
      x.type.dtype === 'bool' ? x : ne(cast(x as Node, x.type.dtype === 'u8' ? 'i32' : x.type.dtype), 0);
    return sum(cast(isSet, 'i32') as Node, axes, options);
  });
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'i32'>;
}

export interface CloseOptions {
  /** Default 1e-5. */
  readonly relative?: number;
  /** Default 1e-8. */
  readonly absolute?: number;
  /** Whether NaN equals NaN (default false). */
  readonly equalNaN?: boolean;
}

/**
 * Whether elements are equal up to a tolerance; infinities equal themselves alone. Shapes broadcast. f32 → bool. Throws
 * HDL0001, HDL0002.
 *
 * @formula |x − y| ≤ absolute + relative · |y|
 * @example isClose(x, y, { relative: 1e-3 }) // f32[3], f32[3] → bool[3]
 */
export function isClose<A extends Node, B extends Node>(
  x: A & Accepts<'isClose', A, 'f32'>,
  y: B & Broadcasts<'isClose', A, B>,
  options: CloseOptions = {},
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  const z = scope('isClose', () => close('isClose', x, y, options));
  return z as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/** Whether all elements are equal up to a tolerance, as `isClose`. f32 → bool[]. `allClose(x, y)` */
export function allClose<A extends Node, B extends Node>(
  x: A & Accepts<'allClose', A, 'f32'>,
  y: B & Broadcasts<'allClose', A, B>,
  options: CloseOptions = {},
): Node<readonly [], 'bool'> {
  return scope('allClose', () => all(close('allClose', x, y, options))) as Node as Node<readonly [], 'bool'>;
}

function close(fn: string, x: Node, y: Node, options: CloseOptions): Bools {
  requireFloats(fn, x);
  requireFloats(fn, y);
  const { relative = 1e-5, absolute = 1e-8, equalNaN = false } = options;
  const [a, b] = [x as Floats, y as Floats];
  const limit = add(mul(abs(b), relative) as Floats, absolute) as Floats;
  const isNear = logicalAnd(le(abs(sub(a, b) as Floats), limit) as Bools, finite(b)) as Bools;
  const same = logicalOr(isNear, eq(a, b) as Bools) as Bools;
  return equalNaN ? (logicalOr(same, logicalAnd(nan(a), nan(b)) as Bools) as Bools) : same;
}
