// Medians and other quantiles: elements of the sorted axis, or a number between two of them.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Reduced } from '../graph/shape-types-view.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { normalizeAxis, requireFloats } from './attrs.ts';
import { isNaN as nan } from './classify.ts';
import { where } from './compare.ts';
import { any } from './reduce.ts';
import type { ReduceOptions } from './reduction.ts';
import { refuse } from './refuse.ts';
import { reshape, squeeze } from './shape.ts';
import { slice } from './slice.ts';
import { sort } from './sort.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * The middle element along an axis (of all elements by default), the mean of the two in the middle of an even number; NaN
 * where there is one. f32. The gradient goes to the elements that were taken. Throws HDL0001 for no elements, HDL0002, HDL0003.
 *
 * @formula y = sorted(x)[(n − 1) / 2]
 * @example median(x, 1) // f32[64, 9] → f32[64]
 */
export function median<
  X extends Node,
  const A extends number | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'median', X, 'f32'>,
  axis?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  return quantileOf('median', x, 0.5, axis, options) as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

/**
 * The number below which a share q of the elements along an axis (of all by default) lies; between two elements by linear
 * interpolation; NaN where there is one. f32. Throws HDL0001 for no elements, HDL0002, HDL0003 unless q is in [0, 1].
 *
 * @formula y = s[⌊p⌋] + (p − ⌊p⌋) (s[⌈p⌉] − s[⌊p⌋]), where s = sorted(x), p = q (n − 1)
 * @example quantile(x, 0.9, 1) // f32[64, 9] → f32[64]
 */
export function quantile<
  X extends Node,
  const A extends number | undefined = undefined,
  K extends boolean = false,
>(
  x: X & Accepts<'quantile', X, 'f32'>,
  q: number,
  axis?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'f32'> {
  return quantileOf('quantile', x, q, axis, options) as Node<Reduced<ShapeOf<X>, A, K>, 'f32'>;
}

function quantileOf(fn: string, x: Node, q: number, axis: number | undefined, options: ReduceOptions): Node {
  requireFloats(fn, x);
  const what = `${fn}(${describeNode(x)}${fn === 'median' ? '' : `, ${q}`})`;
  if (!(q >= 0 && q <= 1)) refuse('HDL0003', what, 'a quantile is a share in [0, 1]', 'the median is 0.5');
  const a = axis === undefined ? 0 : normalizeAxis(fn, x, axis);
  const v = axis === undefined ? (reshape(x, [elementCount(x.type.shape)]) as Floats) : (x as Floats);
  const n = v.type.shape[a]!;
  if (n === 0) refuse('HDL0001', what, 'no elements have no quantile', 'take another axis');
  return scope(fn, () => {
    const sorted = sort(v, a) as Floats;
    const at = (i: number): Floats =>
      slice(
        sorted,
        v.type.shape.map((_, d) => (d === a ? i : 0)),
        v.type.shape.map((size, d) => (d === a ? i + 1 : size)),
      ) as Floats;
    const place = q * (n - 1);
    const [lo, share] = [Math.floor(place), place - Math.floor(place)];
    const low = at(lo);
    const y = share === 0 ? low : (add(low, mul(sub(at(lo + 1), low) as Floats, share)) as Floats);
    const kept = where(any(nan(v), a, { keepDims: true }) as Node<Shape, 'bool'>, Number.NaN, y) as Node;
    if (axis !== undefined) return options.keepDims ? kept : squeeze(kept, a);
    return reshape(kept, options.keepDims ? x.type.shape.map(() => 1) : []) as Node;
  });
}
