// Reductions other than the sum: max, min, any, all and, in prod.ts, the product. One shape of record serves them: the
// axes disappear, elements are combined by a monoid, and an empty reduction gives the neutral element.

import { makeNode } from '../graph/build.ts';
import type { Attrs, GradientRule, HostTensor, Node, OpDef, SampleSource } from '../graph/ir.ts';
import { type DType, elementCount, type Shape } from '../graph/types.ts';
import { type Index, varIndex } from '../kernel/affine.ts';
import { type Monoid, neutral, reduce, type ScalarType } from '../kernel/expr.ts';
import { div } from './arithmetic.ts';
import { checkAxes, checkDType, normalizeAxes, numeric } from './attrs.ts';
import { broadcastInDim, keepAxes, reduceSum } from './broadcast.ts';
import { eq, where } from './compare.ts';
import { defineOp } from './define.ts';
import { drawAxes, drawDistinct, drawTensor } from './draw.ts';
import { full } from './leaf.ts';
import { flatPosition, forEachPosition } from './loops.ts';

interface Reduction {
  readonly name: string;
  readonly monoid: Monoid;
  readonly dtypes: readonly DType[];
  /** Two elements of the dtype into one. */
  readonly combine: (a: number, b: number, dtype: DType) => number;
  readonly summary: string;
  readonly formula: string;
  readonly kinks?: string;
  readonly onnx: string;
  readonly example: string;
  readonly gradient: GradientRule | { readonly none: string };
  readonly draw: (random: SampleSource, shape: Shape) => HostTensor;
}

/** The record of a reduction. */
export function defineReduction(r: Reduction): OpDef {
  return defineOp<{ axes: readonly number[] }>({
    name: r.name,
    family: 'reduce',
    doc: {
      summary: r.summary,
      formula: r.formula,
      types: `x: T[…] → T[shape without axes], T one of ${r.dtypes.join(', ')}`,
      attrs: { axes: 'axes that disappear; at least one, ascending' },
      ...(r.kinks === undefined ? {} : { kinks: r.kinks }),
      onnx: r.onnx,
      example: r.example,
    },
    arity: 1,
    type([x], { axes }, fail) {
      checkAxes(fail, 'axes', axes, x!.shape.length);
      if (axes.length === 0) fail('axes is empty', 'name at least one axis', 'HDL0003');
      checkDType(fail, x!, r.dtypes);
      return { dtype: x!.dtype, shape: x!.shape.filter((_, i) => !axes.includes(i)) };
    },
    reference([x], { axes }, out) {
      const result = new Float64Array(elementCount(out.shape));
      result.fill(neutral(r.monoid, out.dtype as ScalarType));
      forEachPosition(x!.type.shape, (at, flat) => {
        const to = flatPosition(
          out.shape,
          at.filter((_, i) => !axes.includes(i)),
        );
        result[to] = r.combine(result[to]!, x!.data[flat]!, out.dtype);
      });
      return result;
    },
    gradient: r.gradient,
    lower({ node, at, read, newVar }) {
      const axes = reducedAxes(node.attrs);
      const shape = node.operands[0]!.type.shape;
      const vars = axes.map((a) => newVar(`r${a}`, shape[a]!));
      let next = 0;
      const position: Index[] = shape.map((_, i) =>
        axes.includes(i) ? varIndex(vars[axes.indexOf(i)]!) : at[next++]!,
      );
      return reduce(r.monoid, vars, read(0, position));
    },
    sample(random) {
      const shape = random.shape(1, 4);
      const axes = drawAxes(random, shape.length, random.int(1, shape.length));
      return { operands: [r.draw(random, shape)], attrs: { axes } };
    },
  });
}

export function reducedAxes(attrs: Attrs): readonly number[] {
  return (attrs as { axes: readonly number[] }).axes;
}

/** A reduced value repeated along the axes that disappeared. */
export function restoreAxes(y: Node, shape: Shape, axes: readonly number[]): Node {
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return broadcastInDim(y, shape, kept);
}

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

export const reduceMaxOp: OpDef = defineReduction({
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

export const reduceMinOp: OpDef = defineReduction({
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

export const reduceAnyOp: OpDef = defineReduction({
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

export const reduceAllOp: OpDef = defineReduction({
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

export const extremeOps: readonly OpDef[] = [reduceMaxOp, reduceMinOp, reduceAnyOp, reduceAllOp];

/** Keeps reduced axes with size 1 in the result, so that it broadcasts against the operand. */
export interface ReduceOptions {
  readonly keepDims?: boolean;
}

/** What the public reductions share: axes as users write them, and `keepDims`. */
export function reduceBy(
  op: OpDef,
  name: string,
  x: Node,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
): Node {
  const list = normalizeAxes(name, x, axes);
  if (list.length === 0) return x;
  return keepAxes(makeNode(op, [x], { axes: list }), x.type.shape, list, options.keepDims ?? false);
}

/**
 * Largest element along axes (all by default; negative ones count from the end), NaN if there is one; −∞ of no elements.
 * f32, i32, u32. The gradient goes in equal shares to all elements that attain the maximum. Throws HDL0002, HDL0003.
 *
 *     max(x, -1); // f32[64, 10] → f32[64]
 */
export function max<D extends DType>(
  x: Node<Shape, D>,
  axes?: number | readonly number[],
  options: ReduceOptions = {},
): Node<Shape, D> {
  return reduceBy(reduceMaxOp, 'max', x, axes, options) as Node<Shape, D>;
}

/**
 * Smallest element along axes (all by default), NaN if there is one; +∞ of no elements. f32, i32, u32. The gradient goes in
 * equal shares to all elements that attain the minimum. Throws HDL0002, HDL0003.
 *
 *     min(x, -1); // f32[64, 10] → f32[64]
 */
export function min<D extends DType>(
  x: Node<Shape, D>,
  axes?: number | readonly number[],
  options: ReduceOptions = {},
): Node<Shape, D> {
  return reduceBy(reduceMinOp, 'min', x, axes, options) as Node<Shape, D>;
}

/**
 * Whether any element along axes (all by default) is true. bool. Throws HDL0002, HDL0003.
 *
 *     any(isNaN(x)); // f32[64, 10] → bool[]
 */
export function any(
  x: Node<Shape, 'bool'>,
  axes?: number | readonly number[],
  options: ReduceOptions = {},
): Node<Shape, 'bool'> {
  return reduceBy(reduceAnyOp, 'any', x, axes, options) as Node<Shape, 'bool'>;
}

/**
 * Whether all elements along axes (all by default) are true. bool. Throws HDL0002, HDL0003.
 *
 *     all(ge(x, 0), 1); // f32[64, 10] → bool[64]
 */
export function all(
  x: Node<Shape, 'bool'>,
  axes?: number | readonly number[],
  options: ReduceOptions = {},
): Node<Shape, 'bool'> {
  return reduceBy(reduceAllOp, 'all', x, axes, options) as Node<Shape, 'bool'>;
}
