// Reading and adding at positions that are known at run time only. Two primitives, each the other's gradient:
//
//   gather      y[b, a, j, c] = x[b, a, indices[b, j], c]
//   scatterAdd  z[b, a, i, c] = Σ over j with indices[b, j] = i of updates[b, a, j, c]
//
// b stands for `batch` leading dimensions that data and indices share, a and c for the dimensions before and after
// `axis`, j for the other dimensions of the indices. The public functions, in indexing.ts, have indices checked before
// they come here; a primitive that meets another index reads the nearest element (gather) or adds nothing (scatterAdd).
//
// scatterAdd is a sum over j of what meets i, so that elements of the result are independent: any number of workers gives
// the same bits, at the cost of a comparison for each pair (i, j).

import { makeNode } from '../graph/build.ts';
import type { Fail, HostTensor, Node, OpDef, SampleSource } from '../graph/ir.ts';
import { elementCount, roundTo, type Shape, sameShape, type TensorType } from '../graph/types.ts';
import { atomIndex, varIndex } from '../kernel/affine.ts';
import { binary, compare, constant, type Expr, indexValue, reduce, select } from '../kernel/expr.ts';
import { checkDType, checkInteger, numeric } from './attrs.ts';
import { checkIndexOp } from './check.ts';
import { defineOp } from './define.ts';
import { allDTypes, drawTensor } from './draw.ts';
import { flatPosition, forEachPosition, generate, reader } from './loops.ts';

export type GatherAttrs = { readonly axis: number; readonly batch: number };
export type ScatterAttrs = GatherAttrs & { readonly size: number };

export const gatherOp: OpDef = defineOp<GatherAttrs>({
  name: 'gather',
  family: 'indexing',
  doc: {
    summary: 'Elements at positions along an axis that are given by another value.',
    formula: 'y[b, a, j, c] = x[b, a, indices[b, j], c], where axis is the dimension after (b, a)',
    types: 'x: T[b…, a…, n, c…], indices: i32[b…, j…] → T[b…, a…, j…, c…]; indices in [0, n)',
    attrs: {
      axis: 'axis of x in which indices count',
      batch: 'number of leading dimensions that x and indices share; at most axis',
    },
    onnx: 'Gather',
    example: 'gather(table, tokens)',
  },
  arity: 2,
  type([x, indices], { axis, batch }, fail) {
    if (x!.shape.length === 0) fail('a scalar has no axis to read along', 'give it an axis: reshape(x, [1])');
    checkInteger(fail, 'axis', axis, 0, x!.shape.length - 1);
    checkIndices(fail, indices!, x!.shape, axis, batch);
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape.slice(batch), ...x!.shape.slice(axis + 1)];
    if (x!.shape[axis] === 0 && elementCount(shape) > 0) {
      fail(`axis ${axis} has no elements to read`, 'read along a non-empty axis');
    }
    return { dtype: x!.dtype, shape };
  },
  reference([x, indices], { axis, batch }, out) {
    const read = reader(x!);
    const index = reader(indices!);
    const rank = indices!.type.shape.length - batch;
    const last = x!.type.shape[axis]! - 1;
    return generate(out.shape, (at) => {
      const i = index([...at.slice(0, batch), ...at.slice(axis, axis + rank)]);
      return read([...at.slice(0, axis), Math.min(Math.max(i, 0), last), ...at.slice(axis + rank)]);
    });
  },
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null, null];
    const { axis, batch } = node.attrs as GatherAttrs;
    const size = operands[0]!.type.shape[axis]!;
    return [scatterSum(operands[1]!, cotangent, { axis, batch, size }), null];
  },
  lower({ node, at, read, newVar }) {
    const { axis, batch } = node.attrs as GatherAttrs;
    const [x, indices] = node.operands as readonly [Node, Node];
    const rank = indices.type.shape.length - batch;
    const size = x.type.shape[axis]!;
    const index = read(1, [...at.slice(0, batch), ...at.slice(axis, axis + rank)]);
    const position = atomIndex({
      kind: 'value',
      expr: isChecked(indices, size) ? index : clamped(index, size),
      extent: size,
      id: newVar('index', 1).id,
    });
    return read(0, [...at.slice(0, axis), position, ...at.slice(axis + rank)]);
  },
  sample(random) {
    const { batch, before, after, indices } = drawDims(random);
    const size = random.int(1, 5);
    const x = drawTensor(random, random.pick(allDTypes), [...batch, ...before, size, ...after]);
    return {
      operands: [x, drawIndices(random, [...batch, ...indices], size)],
      attrs: { axis: batch.length + before.length, batch: batch.length },
    };
  },
});

export const scatterAddOp: OpDef = defineOp<ScatterAttrs>({
  name: 'scatterAdd',
  family: 'indexing',
  doc: {
    summary: 'Sums of updates by the position that each is meant for; zeros where there is none.',
    formula: 'z[b, a, i, c] = Σ updates[b, a, j, c] over j with indices[b, j] = i',
    types:
      'indices: i32[b…, j…], updates: T[b…, a…, j…, c…] → T[b…, a…, size, c…], T one of f32, i32, u32; integers wrap',
    attrs: {
      axis: 'axis of the result in which indices count',
      batch: 'number of leading dimensions that indices and updates share; at most axis',
      size: 'size of the result along axis',
    },
    onnx: 'ScatterElements',
    example: 'scatterAdd(zeros([1000, 64]), tokens, updates)',
  },
  arity: 2,
  type([indices, updates], { axis, batch, size }, fail) {
    checkDType(fail, updates!, numeric, 'updates');
    checkInteger(fail, 'size', size, 0, 2147483647);
    checkInteger(fail, 'axis', axis, 0, updates!.shape.length);
    checkIndices(fail, indices!, updates!.shape, axis, batch);
    const own = indices!.shape.slice(batch);
    const met = updates!.shape.slice(axis, axis + own.length);
    if (!sameShape(own, met)) {
      fail(
        `indices have dimensions [${own}], updates have [${met}] from axis ${axis} on`,
        'updates have the dimensions of the indices in place of the axis',
      );
    }
    return {
      dtype: updates!.dtype,
      shape: [...updates!.shape.slice(0, axis), size, ...updates!.shape.slice(axis + own.length)],
    };
  },
  reference([indices, updates], { axis, batch }, out) {
    const rank = indices!.type.shape.length - batch;
    const index = reader(indices!);
    const sums = generate(out.shape, () => 0);
    forEachPosition(updates!.type.shape, (at, flat) => {
      const i = index([...at.slice(0, batch), ...at.slice(axis, axis + rank)]);
      const to = flatPosition(out.shape, [...at.slice(0, axis), i, ...at.slice(axis + rank)]);
      if (to >= 0) sums[to]! += updates!.data[flat]!;
    });
    return out.dtype === 'f32' ? sums : sums.map((s) => roundTo(out.dtype, s));
  },
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[1] || cotangent.type.dtype !== 'f32') return [null, null];
    const { axis, batch } = node.attrs as ScatterAttrs;
    return [null, gatherAt(cotangent, operands[0]!, { axis, batch })];
  },
  lower({ node, at, read, newVar }) {
    const { axis, batch } = node.attrs as ScatterAttrs;
    const own = node.operands[0]!.type.shape.slice(batch);
    const vars = own.map((n, d) => newVar(`j${d}`, n));
    const inner = vars.map(varIndex);
    const meets = compare('eq', read(0, [...at.slice(0, batch), ...inner]), indexValue(at[axis]!));
    const update = read(1, [...at.slice(0, axis), ...inner, ...at.slice(axis + 1)]);
    const element = select(meets, update, constant(update.type, 0));
    return vars.length === 0 ? element : reduce('sum', vars, element);
  },
  sample(random) {
    const { batch, before, after, indices } = drawDims(random);
    const size = random.int(1, 5);
    const updates = drawTensor(random, random.pick(['f32', 'f32', 'i32', 'u32']), [
      ...batch,
      ...before,
      ...indices,
      ...after,
    ]);
    return {
      operands: [drawIndices(random, [...batch, ...indices], size), updates],
      attrs: { axis: batch.length + before.length, batch: batch.length, size },
    };
  },
});

const gatherOps: readonly OpDef[] = [gatherOp, scatterAddOp];
export default gatherOps;

/** The node of `gather`. */
export function gatherAt(x: Node, indices: Node, attrs: GatherAttrs): Node {
  return makeNode(gatherOp, [x, indices], { axis: attrs.axis, batch: attrs.batch });
}

/** The node of `scatterAdd`: updates added up by position. */
export function scatterSum(indices: Node, updates: Node, attrs: ScatterAttrs): Node {
  return makeNode(scatterAddOp, [indices, updates], {
    axis: attrs.axis,
    batch: attrs.batch,
    size: attrs.size,
  });
}

function checkIndices(fail: Fail, indices: TensorType, shape: Shape, axis: number, batch: number): void {
  checkDType(fail, indices, ['i32'], 'indices');
  checkInteger(fail, 'batch', batch, 0, Math.min(axis, indices.shape.length));
  const d = indices.shape.slice(0, batch).findIndex((n, i) => n !== shape[i]);
  if (d >= 0) {
    fail(
      `dimension ${d} is a batch of ${shape[d]}, and of ${indices.shape[d]} in the indices`,
      'batch dimensions of data and indices are equal',
    );
  }
}

/** Whether an index is known to lie in [0, size) already: a check clamps what it reports. */
function isChecked(indices: Node, size: number): boolean {
  return indices.op === checkIndexOp && indices.attrs['size'] === size;
}

/** The nearest index that exists. */
export function clamped(index: Expr, size: number): Expr {
  return binary('min', binary('max', index, constant('i32', 0)), constant('i32', Math.max(0, size - 1)));
}

interface Dims {
  readonly batch: number[];
  readonly before: number[];
  readonly after: number[];
  readonly indices: number[];
}

function drawDims(random: SampleSource): Dims {
  const dims = (most: number): number[] =>
    Array.from({ length: random.int(0, most) }, () => random.int(1, 4));
  return { batch: dims(1), before: dims(1), after: dims(1), indices: dims(2) };
}

function drawIndices(random: SampleSource, shape: Shape, size: number): HostTensor {
  const data = Float64Array.from({ length: elementCount(shape) }, () => random.int(0, size - 1));
  return { type: { dtype: 'i32', shape }, data };
}
