// Views: reshape, transpose and reverse only say where an element stands. They move nothing when they lower: the index
// of the result becomes an index of the operand. Gradients are views again, and nothing here needs arithmetic, so
// elementwise ops may build on this file; slices and padding, whose gradients select, are in slice.ts.

import { makeNode } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type {
  Axes,
  Flattened,
  Permutes,
  Reshaped,
  Reshapes,
  Squeezed,
  Transposed,
} from '../graph/shape-types-view.ts';
import { elementCount, formatShape, rowMajorStrides, type Shape, sameShape } from '../graph/types.ts';
import { constIndex, divIndex, type Index, modIndex, offsetIndex, scaleIndex } from '../kernel/affine.ts';
import { checkAxes, checkIntegers, normalizeAxes, normalizeAxis } from './attrs.ts';
import broadcastOps, { expandDims } from './broadcast.ts';
import { defineOp } from './define.ts';
import { allDTypes, drawAxes, drawPermutation, drawTensor } from './draw.ts';
import { flatIndex } from './leaf.ts';
import { generate, reader } from './loops.ts';

export { broadcastTo, expandDims } from './broadcast.ts';

const reshapeOp: OpDef = defineOp<{ shape: readonly number[] }>({
  name: 'reshape',
  family: 'shape',
  doc: {
    summary: 'The same elements in row-major order under another shape.',
    formula: 'flat(y)[k] = flat(x)[k]',
    types: 'x: T[…] → T[shape], as many elements',
    attrs: { shape: 'shape of the result' },
    onnx: 'Reshape',
    example: 'reshape(x, [64, 784])',
  },
  arity: 1,
  type([x], { shape }, fail) {
    checkIntegers(fail, 'shape', shape, Array.isArray(shape) ? shape.length : 0, 0);
    if (elementCount(shape) !== elementCount(x!.shape)) {
      fail(
        `${formatShape(x!.shape)} has ${elementCount(x!.shape)} elements, ${formatShape(shape)} has ${elementCount(shape)}`,
        'the number of elements must stay; one dimension of -1 is computed from the others',
      );
    }
    return { dtype: x!.dtype, shape: [...shape] };
  },
  reference: ([x]) => x!.data.slice(),
  gradient({ operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    return [reshape(cotangent, operands[0]!.type.shape)];
  },
  lower: ({ node, at, read }) =>
    read(0, unflatten(flatIndex(node.type.shape, at), node.operands[0]!.type.shape)),
  sample(random) {
    const from = random.shape(0, 4);
    return {
      operands: [drawTensor(random, random.pick(allDTypes), from)],
      attrs: { shape: regroup(random, from) },
    };
  },
});

/** Position of the element with the row-major number `flat`. */
function unflatten(flat: Index, shape: Shape): Index[] {
  // A shape without elements is never read, but its strides of 0 must not divide.
  if (elementCount(shape) === 0) return shape.map(() => constIndex(0));
  const strides = rowMajorStrides(shape);
  return shape.map((d, k) => {
    if (d === 1) return constIndex(0);
    const block = divIndex(flat, strides[k]!);
    return strides[k]! * d === elementCount(shape) ? block : modIndex(block, d);
  });
}

/** Another shape of as many elements: prime factors dealt out anew, with a dimension of 1 now and then. */
function regroup(random: Parameters<NonNullable<OpDef['sample']>>[0], shape: Shape): number[] {
  const result = Array.from({ length: random.int(1, 3) }, () => 1);
  let rest = elementCount(shape);
  for (let p = 2; rest > 1; p++) {
    for (; rest % p === 0; rest /= p) result[random.int(0, result.length - 1)]! *= p;
  }
  return elementCount(shape) === 1 && random.bool() ? [] : result;
}

const transposeOp: OpDef = defineOp<{ perm: readonly number[] }>({
  name: 'transpose',
  family: 'shape',
  doc: {
    summary: 'Orders the dimensions anew.',
    formula: 'y[i] = x[j], where j[perm[k]] = i[k]',
    types: 'x: T[…] → T[x.shape[perm[0]], x.shape[perm[1]], …]',
    attrs: { perm: 'for each dimension of the result, its dimension in x; each once' },
    onnx: 'Transpose',
    example: 'transpose(x, [1, 0])',
  },
  arity: 1,
  type([x], { perm }, fail) {
    const rank = x!.shape.length;
    checkIntegers(fail, 'perm', perm, rank, 0);
    const missing = x!.shape.findIndex((_, i) => !perm.includes(i));
    if (missing >= 0) {
      fail(
        `perm ${formatShape(perm)} does not name dimension ${missing}`,
        `name each of the dimensions 0 to ${rank - 1} once`,
        'HDL0003',
      );
    }
    return { dtype: x!.dtype, shape: perm.map((p) => x!.shape[p]!) };
  },
  reference([x], { perm }, out) {
    const read = reader(x!);
    return generate(out.shape, (at) => read(perm.map((_, j) => at[perm.indexOf(j)]!)));
  },
  gradient({ node, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    const { perm } = node.attrs as { perm: readonly number[] };
    return [
      transpose(
        cotangent,
        perm.map((_, j) => perm.indexOf(j)),
      ),
    ];
  },
  lower({ node, at, read }) {
    const { perm } = node.attrs as { perm: readonly number[] };
    return read(
      0,
      perm.map((_, j) => at[perm.indexOf(j)]!),
    );
  },
  sample(random) {
    const shape = random.shape(0, 4);
    const perm = drawPermutation(random, shape.length);
    return { operands: [drawTensor(random, random.pick(allDTypes), shape)], attrs: { perm } };
  },
});

const reverseOp: OpDef = defineOp<{ axes: readonly number[] }>({
  name: 'reverse',
  family: 'shape',
  doc: {
    summary: 'Reverses the order of elements along axes.',
    formula: 'y[i] = x[j], where j[a] = x.shape[a] − 1 − i[a] for a in axes',
    types: 'x: T[…] → T of the same shape',
    attrs: { axes: 'axes to reverse, ascending' },
    example: 'reverse(x, [0])',
  },
  arity: 1,
  type([x], { axes }, fail) {
    checkAxes(fail, 'axes', axes, x!.shape.length);
    return x!;
  },
  reference([x], { axes }, out) {
    const read = reader(x!);
    return generate(out.shape, (at) =>
      read(at.map((i, d) => (axes.includes(d) ? out.shape[d]! - 1 - i : i))),
    );
  },
  gradient({ node, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    return [makeNode(reverseOp, [cotangent], node.attrs)];
  },
  lower({ node, at, read }) {
    const { axes } = node.attrs as { axes: readonly number[] };
    return read(
      0,
      at.map((i, d) => (axes.includes(d) ? offsetIndex(scaleIndex(i, -1), node.type.shape[d]! - 1) : i)),
    );
  },
  sample(random) {
    const shape = random.shape(0, 4);
    const axes = drawAxes(random, shape.length, random.int(0, shape.length));
    return { operands: [drawTensor(random, random.pick(allDTypes), shape)], attrs: { axes } };
  },
});

/** Records whose gradients need no arithmetic: broadcasts, sums and views. */
const shapeOps: readonly OpDef[] = [...broadcastOps, reshapeOp, transposeOp, reverseOp];
export default shapeOps;

/**
 * The same elements, in row-major order, under another shape. One dimension may be -1: it is computed from the others.
 * Any dtype. Throws HDL0001 when the numbers of elements differ.
 *
 *     reshape(images, [64, -1]); // f32[64, 1, 28, 28] → f32[64, 784]
 */
export function reshape<X extends Node, const T extends Shape>(
  x: X,
  shape: T & Reshapes<ShapeOf<X>, T>,
): Node<Reshaped<T>, DTypeOf<X>> {
  return reshapeTo(x, resolveShape(x, shape)) as Node as Node<Reshaped<T>, DTypeOf<X>>;
}

function reshapeTo(x: Node, shape: Shape): Node {
  return sameShape(shape, x.type.shape) ? x : makeNode(reshapeOp, [x], { shape: [...shape] });
}

function resolveShape(x: Node, shape: Shape): number[] {
  const open = shape.indexOf(-1);
  if (open < 0) return [...shape];
  const given = shape.filter((_, i) => i !== open);
  const known = elementCount(given);
  const total = elementCount(x.type.shape);
  const rule = given.includes(-1)
    ? 'only one dimension can be -1'
    : known === 0
      ? 'a dimension of -1 is not determined beside a dimension of 0'
      : total % known !== 0
        ? `${total} elements do not divide into rows of ${known}`
        : null;
  if (rule !== null) {
    throw compilerError('HDL0001', {
      what: `reshape(${describeNode(x)}, ${formatShape(shape)})`,
      rule,
      hint: 'the number of elements must stay; write the dimensions out',
      loc: callerLocation(),
    });
  }
  return shape.map((d) => (d === -1 ? total / known : d));
}

/**
 * The dimensions in another order: dimension `perm[k]` of `x` becomes dimension k. Without `perm` the order is reversed.
 * Any dtype. Throws HDL0003 when `perm` is not a permutation.
 *
 *     transpose(images, [0, 2, 3, 1]); // f32[64, 3, 28, 28] → f32[64, 28, 28, 3]
 */
export function transpose<X extends Node, const P extends readonly number[] | undefined = undefined>(
  x: X,
  perm?: P & Permutes<ShapeOf<X>, P>,
): Node<Transposed<ShapeOf<X>, P>, DTypeOf<X>> {
  const rank = x.type.shape.length;
  const order = (perm as P) ?? x.type.shape.map((_, i) => rank - 1 - i);
  const isIdentity = order.length === rank && order.every((p, i) => p === i);
  const y: Node = isIdentity ? x : makeNode(transposeOp, [x], { perm: [...order] });
  return y as Node<Transposed<ShapeOf<X>, P>, DTypeOf<X>>;
}

/**
 * The elements in reverse order along the axes (all by default; negative ones count from the end). Any dtype.
 *
 *     reverse(x, -1); // [[1, 2, 3]] → [[3, 2, 1]]
 */
export function reverse<X extends Node>(x: X, axes?: number | readonly number[]): X {
  const list = normalizeAxes('reverse', x, axes).filter((a) => x.type.shape[a] !== 1);
  return list.length === 0 ? x : (makeNode(reverseOp, [x], { axes: list }) as X);
}

/**
 * Another name of `reverse`, as NumPy and PyTorch have it.
 *
 * @example flip(x, -1) // [[1, 2, 3]] → [[3, 2, 1]]
 */
export const flip: typeof reverse = reverse;

/**
 * `x` without the given dimensions, which must have size 1 (all of size 1 by default). Any dtype. Throws HDL0001.
 *
 *     squeeze(x, 1); // f32[64, 1, 28] → f32[64, 28]
 */
export function squeeze<X extends Node, const A extends Axes | undefined = undefined>(
  x: X,
  axes?: A,
): Node<Squeezed<ShapeOf<X>, A>, DTypeOf<X>> {
  const shape = x.type.shape;
  const list =
    axes === undefined ? shape.flatMap((d, i) => (d === 1 ? [i] : [])) : normalizeAxes('squeeze', x, axes);
  const wide = list.find((a) => shape[a] !== 1);
  if (wide !== undefined) {
    throw compilerError('HDL0001', {
      what: `squeeze(${describeNode(x)}, axis: ${wide})`,
      rule: `dimension ${wide} is ${shape[wide]}, not 1`,
      hint: 'only dimensions of size 1 can go; to join dimensions use reshape or flatten',
      loc: callerLocation(),
    });
  }
  const kept = shape.filter((_, i) => !list.includes(i));
  return reshapeTo(x, kept) as Node as Node<Squeezed<ShapeOf<X>, A>, DTypeOf<X>>;
}

/**
 * Another name of `expandDims`, as ONNX and PyTorch have it.
 *
 * @example unsqueeze(x, 0) // f32[3] → f32[1, 3]
 */
export const unsqueeze: typeof expandDims = expandDims;

/**
 * Joins all dimensions from `axis` (1 by default; negative ones count from the end) on: batch first, features in one row. One
 * past the last axis adds a dimension of 1. Any dtype. Throws HDL0003.
 *
 *     flatten(images); // f32[64, 16, 7, 7] → f32[64, 784]
 */
export function flatten<X extends Node, const A extends number = 1>(
  x: X,
  axis?: A,
): Node<Flattened<ShapeOf<X>, A>, DTypeOf<X>> {
  const shape = x.type.shape;
  const a: number = axis ?? 1;
  const from = a === shape.length ? a : normalizeAxis('flatten', x, a);
  const y = reshapeTo(x, [...shape.slice(0, from), elementCount(shape.slice(from))]);
  return y as Node<Flattened<ShapeOf<X>, A>, DTypeOf<X>>;
}
