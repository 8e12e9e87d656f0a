// Product along axes. Its gradient is the product of all other elements, made without dividing, so that it is right
// where elements are zero, and so are gradients of it.

import type { Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import { elementCount } from '../graph/types.ts';
import { mul } from './arithmetic.ts';
import { numeric } from './attrs.ts';
import { drawTensor } from './draw.ts';
import { defineReduction, type ReduceOptions, reduceBy, reducedAxes, restoreAxes } from './reduction.ts';
import { reshape, transpose } from './shape.ts';
import { padBy } from './slice.ts';

export const reduceProdOp: OpDef = defineReduction({
  name: 'reduceProd',
  monoid: 'prod',
  dtypes: numeric,
  combine: (a, b, dtype) =>
    dtype === 'f32' ? a * b : dtype === 'i32' ? Math.imul(a, b) : Math.imul(a, b) >>> 0,
  summary: 'Product of elements along axes.',
  formula: 'y[i] = Π x[i with j at axes]; of no elements 1; integers wrap',
  onnx: 'ReduceProd',
  example: 'prod(x, 0)',
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    const x = operands[0]!;
    const axes = reducedAxes(node.attrs);
    return [mul(restoreAxes(cotangent, x.type.shape, axes), productOfOthers(x, axes))];
  },
  draw: (random, shape) => drawTensor(random, random.pick(numeric), shape),
});

/** For each element the product of all others along the axes: of those before it, times those after it. */
function productOfOthers(x: Node, axes: readonly number[]): Node {
  const shape = x.type.shape;
  if (elementCount(shape) === 0) return x;
  // The reduced axes become one row, innermost: [rows, n].
  const perm = [...shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes];
  const moved = transpose(x, perm);
  const n = elementCount(axes.map((a) => shape[a]!));
  const rows = reshape(moved, [elementCount(shape) / n, n]);
  const others = mul(productsBefore(rows, 1), productsBefore(rows, -1));
  return transpose(
    reshape(others, moved.type.shape),
    perm.map((_, i) => perm.indexOf(i)),
  );
}

/**
 * Product of the elements on one side of each element of a row (direction 1: before it, −1: after it), by doubling: after
 * k rounds each place holds the product of up to 2^k neighbours.
 */
function productsBefore(rows: Node, direction: 1 | -1): Node {
  const shifted = (y: Node, by: number): Node =>
    padBy(y, { lo: [0, by * direction], hi: [0, -by * direction] }, 1);
  const n = rows.type.shape[1]!;
  let products = shifted(rows, 1);
  for (let reach = 1; reach < n - 1; reach *= 2) products = mul(products, shifted(products, reach));
  return products;
}

/**
 * Product along axes (all by default; negative ones count from the end); 1 of no elements. f32, i32 (wraps), u32 (wraps).
 * The gradient is right also where elements are zero. Throws HDL0002, HDL0003.
 *
 *     prod(x, 0); // f32[3, 4] → f32[4]
 */
export function prod<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'prod', X, 'f32' | 'i32' | 'u32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>> {
  const y = reduceBy(reduceProdOp, 'prod', x, axes, options);
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>>;
}
