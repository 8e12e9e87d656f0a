// Broadcast and sum: each is the other's gradient, so they stand together, below all arithmetic. Files of ops import in
// one direction only:
//
//   leaf → broadcast → shape → elementwise (unary, binary, …) → slice → reduce → contract, window → composite
//
// Nothing here needs arithmetic: `mean` and the other reductions are above, in composite.ts and reduce.ts.

import { makeNode } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Inserted } from '../graph/shape-types-axis.ts';
import type { Axes, Reduced, Reshaped } from '../graph/shape-types-view.ts';
import { type DType, formatShape, roundTo, type Shape, sameShape } from '../graph/types.ts';
import { constIndex, type Index, varIndex } from '../kernel/affine.ts';
import { reduce } from '../kernel/expr.ts';
import { checkAxes, checkDType, checkIntegers, normalizeAxes, normalizeAxis, numeric } from './attrs.ts';
import { defineOp } from './define.ts';
import { allDTypes, drawAxes, drawTensor } from './draw.ts';
import { flatPosition, forEachPosition, generate, reader } from './loops.ts';

export const broadcastInDimOp: OpDef = defineOp<{ shape: readonly number[]; dims: readonly number[] }>({
  name: 'broadcastInDim',
  family: 'shape',
  doc: {
    summary: 'Repeats a value along new dimensions and along dimensions of size 1.',
    formula: 'y[i] = x[j], where j[k] = i[dims[k]], or 0 if dimension k of x has size 1',
    types: 'x: T[…] with x.shape[k] = 1 or shape[dims[k]] → T[shape]',
    attrs: {
      shape: 'shape of the result',
      dims: 'for each dimension of x, its dimension in the result; ascending',
    },
    onnx: 'Expand',
    example: 'broadcastTo(bias, [64, 10])',
  },
  arity: 1,
  type([x], { shape, dims }, fail) {
    const from = x!.shape;
    checkIntegers(fail, 'shape', shape, Array.isArray(shape) ? shape.length : 0, 0);
    checkAxes(fail, 'dims', dims, shape.length);
    if (dims.length !== from.length) {
      fail(
        `dims names ${dims.length} dimensions for an operand with ${from.length}`,
        'write one result dimension for each dimension of the operand',
        'HDL0003',
      );
    }
    from.forEach((d, k) => {
      const to = shape[dims[k]!]!;
      if (d !== 1 && d !== to) {
        fail(
          `dimension ${k} of the operand is ${d} and cannot become ${to}`,
          'only a dimension of size 1 repeats',
        );
      }
    });
    return { dtype: x!.dtype, shape: [...shape] };
  },
  reference([x], { dims }, out) {
    const read = reader(x!);
    return generate(out.shape, (at) => read(x!.type.shape.map((d, k) => (d === 1 ? 0 : at[dims[k]!]!))));
  },
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    const { dims } = node.attrs as { dims: readonly number[] };
    const from = operands[0]!.type.shape;
    const kept = from.flatMap((d, k) => (d === 1 && node.type.shape[dims[k]!] !== 1 ? [] : [k]));
    const repeated = node.type.shape.map((_, i) => i).filter((i) => !kept.some((k) => dims[k] === i));
    return [broadcastInDim(reduceSum(cotangent, repeated), from, kept)];
  },
  lower({ node, at, read }) {
    const { dims } = node.attrs as { dims: readonly number[] };
    const from = node.operands[0]!.type.shape;
    return read(
      0,
      from.map((d, k) => (d === 1 ? constIndex(0) : at[dims[k]!]!)),
    );
  },
  sample(random) {
    const shape = random.shape(0, 4);
    const dims = drawAxes(random, shape.length, random.int(0, shape.length));
    const from = dims.map((i) => (random.bool(0.4) ? 1 : shape[i]!));
    return { operands: [drawTensor(random, random.pick(allDTypes), from)], attrs: { shape, dims } };
  },
});

export const reduceSumOp: OpDef = defineOp<{ axes: readonly number[] }>({
  name: 'reduceSum',
  family: 'reduce',
  doc: {
    summary: 'Sums elements along axes; the axes disappear.',
    formula: 'y[i] = Σ x[i with j at axes]',
    types: 'x: T[…] → T[shape without axes], T one of f32, i32, u32; integers wrap',
    attrs: { axes: 'axes that disappear; at least one, ascending' },
    onnx: 'ReduceSum',
    example: 'sum(x, 0)',
  },
  arity: 1,
  type([x], { axes }, fail) {
    checkAxes(fail, 'axes', axes, x!.shape.length);
    if (axes.length === 0) fail('axes is empty', 'name at least one axis', 'HDL0003');
    checkDType(fail, x!, numeric);
    return { dtype: x!.dtype, shape: x!.shape.filter((_, i) => !axes.includes(i)) };
  },
  reference([x], { axes }, out) {
    const sums = generate(out.shape, () => 0);
    forEachPosition(x!.type.shape, (at, flat) => {
      const to = flatPosition(
        out.shape,
        at.filter((_, i) => !axes.includes(i)),
      );
      sums[to]! += x!.data[flat]!;
    });
    return out.dtype === 'f32' ? sums : sums.map((s) => roundTo(out.dtype, s));
  },
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    const { axes } = node.attrs as { axes: readonly number[] };
    const shape = operands[0]!.type.shape;
    const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
    return [broadcastInDim(cotangent, shape, kept)];
  },
  lower({ node, at, read, newVar }) {
    const { axes } = node.attrs as { axes: readonly number[] };
    const shape = node.operands[0]!.type.shape;
    const vars = axes.map((a) => newVar(`r${a}`, shape[a]!));
    let next = 0;
    const position: Index[] = shape.map((_, i) =>
      axes.includes(i) ? varIndex(vars[axes.indexOf(i)]!) : at[next++]!,
    );
    return reduce('sum', vars, read(0, position));
  },
  sample(random) {
    const shape = random.shape(1, 4);
    const axes = drawAxes(random, shape.length, random.int(1, shape.length));
    return { operands: [drawTensor(random, random.pick(numeric), shape)], attrs: { axes } };
  },
});

const broadcastOps: readonly OpDef[] = [broadcastInDimOp, reduceSumOp];
export default broadcastOps;

/** The node of `broadcastInDim`, or `x` itself when nothing changes. */
export function broadcastInDim(x: Node, shape: Shape, dims: readonly number[]): Node {
  if (sameShape(x.type.shape, shape) && dims.every((d, i) => d === i)) return x;
  return makeNode(broadcastInDimOp, [x], { shape: [...shape], dims: [...dims] });
}

/** The node of `reduceSum`, or `x` itself for no axes. */
export function reduceSum(x: Node, axes: readonly number[]): Node {
  return axes.length === 0 ? x : makeNode(reduceSumOp, [x], { axes: [...axes] });
}

/**
 * `x` in another shape by NumPy's rule: dimensions are aligned at the right, and missing dimensions and those of size 1
 * repeat. Any dtype. Throws HDL0001 when another dimension differs.
 *
 * @example broadcastTo(bias, [64, 10]) // f32[10] → f32[64, 10]
 */
export function broadcastTo<const S extends Shape, D extends DType>(x: Node<Shape, D>, shape: S): Node<S, D> {
  const from = x.type.shape;
  const skip = shape.length - from.length;
  const clash = from.findIndex((d, k) => d !== 1 && d !== shape[k + skip]);
  if (skip < 0 || clash >= 0) {
    throw compilerError('HDL0001', {
      what: `broadcastTo(${describeNode(x)}, ${formatShape(shape)})`,
      rule:
        skip < 0
          ? `a value with ${from.length} dimensions does not fit into ${shape.length}`
          : `dimension ${clash} is ${from[clash]} and cannot become ${shape[clash + skip]}`,
      hint: 'dimensions are aligned at the right, and only a dimension of size 1 repeats',
      loc: callerLocation(),
    });
  }
  const dims = from.map((_, k) => k + skip);
  return broadcastInDim(x, shape, dims) as Node<S, D>;
}

/**
 * `broadcastTo` under PyTorch's name: there a size of -1 leaves a dimension as it is. Any dtype. Throws HDL0001 as
 * `broadcastTo`, HDL0003 for a size of -1 where `x` has no dimension.
 *
 * @example expand(bias, [64, -1]) // f32[1, 10] → f32[64, 10]
 */
export function expand<const S extends Shape, D extends DType>(
  x: Node<Shape, D>,
  shape: S,
): Node<Reshaped<S>, D> {
  const skip = shape.length - x.type.shape.length;
  const full = shape.map((n, i) => {
    if (n !== -1) return n;
    const own = x.type.shape[i - skip];
    if (own !== undefined) return own;
    throw compilerError('HDL0003', {
      what: `expand(${describeNode(x)}, ${formatShape(shape)})`,
      rule: `a size of -1 keeps a dimension, and x has none that becomes dimension ${i}`,
      hint: 'dimensions are aligned at the right: write the size of a new one out',
      loc: callerLocation(),
    });
  });
  return broadcastTo(x, full) as Node as Node<Reshaped<S>, D>;
}

/**
 * `x` with a new dimension of size 1 at each of the given places of the result. Any dtype.
 *
 * @example expandDims(x, 0) // f32[3] → f32[1, 3]
 */
export function expandDims<X extends Node, const A extends number | readonly number[]>(
  x: X,
  axes: A,
): Node<Inserted<ShapeOf<X>, A, 1>, DTypeOf<X>> {
  const list: readonly number[] = typeof axes === 'number' ? [axes] : axes;
  const rank = x.type.shape.length + list.length;
  const added = list.map((a) => normalizeAxis('expandDims', x, a, rank));
  const dims = Array.from({ length: rank }, (_, i) => i).filter((i) => !added.includes(i));
  const shape = Array.from({ length: rank }, (_, i) =>
    added.includes(i) ? 1 : x.type.shape[dims.indexOf(i)]!,
  );
  return broadcastInDim(x, shape, dims) as Node as Node<Inserted<ShapeOf<X>, A, 1>, DTypeOf<X>>;
}

/**
 * Sum over axes (all by default; negative ones count from the end). f32, i32 (wraps), u32 (wraps). The axes disappear,
 * or stay with size 1 with `keepDims`. An empty sum is 0. Throws HDL0002, HDL0003.
 *
 * @example sum(x, 0) // f32[64, 10] → f32[10]
 */
export function sum<X extends Node, const A extends Axes | undefined = undefined, K extends boolean = false>(
  x: X & Accepts<'sum', X, 'f32' | 'i32' | 'u32'>,
  axes?: A,
  options: { readonly keepDims?: K } = {},
): Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>> {
  const reduced = normalizeAxes('sum', x, axes);
  const y = keepAxes(reduceSum(x, reduced), x.type.shape, reduced, options.keepDims ?? false);
  return y as Node as Node<Reduced<ShapeOf<X>, A, K>, DTypeOf<X>>;
}

/** Puts reduced axes back with size 1 when `keepDims`. */
export function keepAxes(y: Node, shape: Shape, axes: readonly number[], keepDims: boolean): Node {
  if (!keepDims || axes.length === 0) return y;
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return broadcastInDim(
    y,
    shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    kept,
  );
}
