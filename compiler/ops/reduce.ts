// Largest and smallest element, any and all; and the list of all reductions but the sum.

import type { GradientRule, Node, OpDef } from '../graph/ir.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Axes, Reduced } from '../graph/shape-types-view.ts';
import { argMaxOp } from './argmax.ts';
import { div } from './arithmetic.ts';
import { numeric } from './attrs.ts';
import { reduceSum } from './broadcast.ts';
import { eq, where } from './compare.ts';
import { drawDistinct, drawTensor } from './draw.ts';
import { full } from './leaf.ts';
import { reduceProdOp } from './prod.ts';
import { defineReduction, type ReduceOptions, reduceBy, reducedAxes, restoreAxes } from './reduction.ts';

/** Gradient of max and min: equal shares for all elements that attain the extreme. */
const shareAmongTies: GradientRule = ({ node, operands, out, cotangent, needs }) => {
  if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
  const axes = reducedAxes(node.attrs);
  const x = operands[0]!;
  const shape = x.type.shape;
  const attains = eq(x, restoreAxes(out, shape, axes));
  const count = reduceSum(where(attains, full(shape, 1), full(shape, 0)), axes);
  return [where(attains, restoreAxes(div(cotangent, count), shape, axes), full(shape, 0))];
};

const ties = 'equal shares for all elements that attain the extreme; none where the extreme is NaN';

const reduceMaxOp: OpDef = defineReduction({
  name: 'reduceMax',
  monoid: 'max',
  dtypes: numeric,
  combine: (a, b) => Math.max(a, b), // NaN if either is NaN, and max(−0, 0) = 0
  summary: 'Largest element along axes; NaN if there is one.',
  formula: 'y[i] = max x[i with j at axes]; of no elements −∞ (integers: the smallest value)',
  kinks: ties,
  onnx: 'ReduceMax',
  example: 'max(x, 1)',
  gradient: shareAmongTies,
  draw: (random, shape) => drawDistinct(random, shape, random.pick(['f32', 'f32', 'i32'])),
});

const reduceMinOp: OpDef = defineReduction({
  name: 'reduceMin',
  monoid: 'min',
  dtypes: numeric,
  combine: (a, b) => Math.min(a, b),
  summary: 'Smallest element along axes; NaN if there is one.',
  formula: 'y[i] = min x[i with j at axes]; of no elements +∞ (integers: the largest value)',
  kinks: ties,
  onnx: 'ReduceMin',
  example: 'min(x, 1)',
  gradient: shareAmongTies,
  draw: (random, shape) => drawDistinct(random, shape, random.pick(['f32', 'f32', 'i32'])),
});

const reduceAnyOp: OpDef = defineReduction({
  name: 'reduceAny',
  monoid: 'any',
  dtypes: ['bool'],
  combine: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  summary: 'Whether any element along axes is true.',
  formula: 'y[i] = x[i with j at axes] for some j; of no elements false',
  onnx: 'ReduceMax',
  example: 'any(gt(x, 0), 1)',
  gradient: { none: 'its values are bool' },
  draw: (random, shape) => drawTensor(random, 'bool', shape),
});

const reduceAllOp: OpDef = defineReduction({
  name: 'reduceAll',
  monoid: 'all',
  dtypes: ['bool'],
  combine: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  summary: 'Whether all elements along axes are true.',
  formula: 'y[i] = x[i with j at axes] for all j; of no elements true',
  onnx: 'ReduceMin',
  example: 'all(gt(x, 0), 1)',
  gradient: { none: 'its values are bool' },
  draw: (random, shape) => drawTensor(random, 'bool', shape),
});

const reduceOps: readonly OpDef[] = [
  reduceMaxOp,
  reduceMinOp,
  reduceProdOp,
  reduceAnyOp,
  reduceAllOp,
  argMaxOp,
];
export default reduceOps;

/**
 * Largest element along axes (all by default; negative ones count from the end), NaN if there is one; −∞ of no elements.
 * f32, i32, u32. The gradient goes in equal shares to all elements that attain the maximum. Throws HDL0002, HDL0003.
 *
 *     max(x, -1); // f32[64, 10] → f32[64]
 */
export function max<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'max', X, 'f32' | 'i32' | 'u32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>> {
  const y = reduceBy(reduceMaxOp, 'max', x, axes, options);
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>>;
}

/**
 * Smallest element along axes (all by default), NaN if there is one; +∞ of no elements. f32, i32, u32. The gradient goes in
 * equal shares to all elements that attain the minimum. Throws HDL0002, HDL0003.
 *
 *     min(x, -1); // f32[64, 10] → f32[64]
 */
export function min<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'min', X, 'f32' | 'i32' | 'u32'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>> {
  const y = reduceBy(reduceMinOp, 'min', x, axes, options);
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>>;
}

/**
 * Whether any element along axes (all by default) is true. bool. Throws HDL0002, HDL0003.
 *
 *     any(isNaN(x)); // f32[64, 10] → bool[]
 */
export function any<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'any', X, 'bool'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'bool'> {
  const y = reduceBy(reduceAnyOp, 'any', x, axes, options);
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'bool'>;
}

/**
 * Whether all elements along axes (all by default) are true. bool. Throws HDL0002, HDL0003.
 *
 *     all(ge(x, 0), 1); // f32[64, 10] → bool[64]
 */
export function all<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'all', X, 'bool'>,
  axes?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'bool'> {
  const y = reduceBy(reduceAllOp, 'all', x, axes, options);
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, 'bool'>;
}
