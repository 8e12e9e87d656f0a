// Public functions that read and write at indices: gather, scatter, one-hot codes. In: i32 indices that count from 0.
// Every index is checked at run time: one that is out of range fails the run with HDL1004, which names the function and the
// index, before anything is committed.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Gathered, Inserted } from '../graph/shape-types-axis.ts';
import { type DType, formatShape, type Shape, sameShape } from '../graph/types.ts';
import { add } from './arithmetic.ts';
import { normalizeAxis } from './attrs.ts';
import { expandDims } from './broadcast.ts';
import { checkIndex } from './check.ts';
import { eq, ge, where } from './compare.ts';
import { cast } from './convert.ts';
import { gatherAt, scatterSum } from './gather.ts';
import { backFromLast, lastAxis } from './last-axis.ts';
import { iota } from './leaf.ts';
import { max } from './reduce.ts';
import { reshape } from './shape.ts';
import { padBy, slice } from './slice.ts';

/** The indices with their check. Throws HDL0002 in the function's name unless they are i32. */
function checked(fn: string, indices: Node, size: number): Node {
  if (indices.type.dtype !== 'i32') {
    throw compilerError('HDL0002', {
      what: `${fn} with indices ${describeNode(indices)}`,
      rule: `indices are i32, not ${indices.type.dtype}`,
      hint: "convert them: cast(indices, 'i32')",
      loc: callerLocation(),
    });
  }
  return checkIndex(indices as Node<Shape, 'i32'>, { size, label: `${fn} indices` });
}

/**
 * Elements at `indices` along an axis (0 by default; negative ones count from the end): the dimensions of the indices stand
 * in place of the axis. Rows of a table, as in embeddings, are the case of axis 0. x of any dtype, indices i32 in
 * [0, size of the axis). The gradient adds up by index. Throws HDL0001, HDL0002, HDL0003; the run fails with HDL1004
 * at an index out of range.
 *
 *     gather(table, tokens); // f32[1000, 64], i32[8, 16] → f32[8, 16, 64]
 */
export function gather<X extends Node, I extends Node, const A extends number = 0>(
  x: X,
  indices: I & Accepts<'gather', I, 'i32'>,
  axis?: A,
): Node<Gathered<ShapeOf<X>, ShapeOf<I>, A>, DTypeOf<X>> {
  const a = normalizeAxis('gather', x, axis ?? 0);
  const y = gatherAt(x, checked('gather', indices, x.type.shape[a]!), { axis: a, batch: 0 });
  return y as Node as Node<Gathered<ShapeOf<X>, ShapeOf<I>, A>, DTypeOf<X>>;
}

/**
 * For each index an element of its own row: y[…, j, …] = x[…, indices[…, j, …], …] along an axis (the last by default).
 * x of any dtype, indices i32 with as many dimensions as x, none larger except along the axis; the result has their shape.
 * Otherwise as `gather`.
 *
 *     gatherElements(logProbabilities, expandDims(labels, 1)); // f32[64, 10], i32[64, 1] → f32[64, 1]
 */
export function gatherElements<D extends DType, I extends Node>(
  x: Node<Shape, D>,
  indices: I & Accepts<'gatherElements', I, 'i32'>,
  axis: number = -1,
): Node<ShapeOf<I>, D> {
  const a = normalizeAxis('gatherElements', x, axis);
  const at = checked('gatherElements', indices, x.type.shape[a]!);
  const y = scope('gatherElements', () => {
    const rows = lastAxis(cropTo('gatherElements', x, indices, a), a);
    const batch = x.type.shape.length - 1;
    return backFromLast(gatherAt(rows, lastAxis(at, a), { axis: batch, batch }), a);
  });
  return y as Node as Node<ShapeOf<I>, D>;
}

/**
 * x with updates added at `indices` along an axis (0 by default); where indices repeat, all of their updates are added.
 * x and updates have one dtype of f32, i32, u32; updates have the dimensions of the indices in place of the axis. Throws
 * HDL0001, HDL0002, HDL0003; the run fails with HDL1004 at an index out of range.
 *
 *     scatterAdd(counts, labels, ones([64])); // f32[10], i32[64], f32[64] → f32[10]
 */
export function scatterAdd<X extends Node>(
  x: X,
  indices: Node,
  updates: Node,
  axis: number = 0,
): Node<ShapeOf<X>, DTypeOf<X>> {
  const a = normalizeAxis('scatterAdd', x, axis);
  expectUpdates('scatterAdd', x, indices, updates, a);
  const size = x.type.shape[a]!;
  const at = checked('scatterAdd', indices, size);
  const y = scope('scatterAdd', () =>
    add(x as Node, scatterSum(at, updates, { axis: a, batch: 0, size }) as Node),
  );
  return y as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * x with updates in place of its elements at `indices` along an axis (0 by default); where indices repeat, the last of them
 * counts. Any dtype; the gradient goes to what stands in the result. Otherwise as `scatterAdd`.
 *
 *     scatterUpdate(table, rows, values); // f32[1000, 64], i32[8], f32[8, 64] → f32[1000, 64]
 */
export function scatterUpdate<X extends Node>(
  x: X,
  indices: Node,
  updates: Node,
  axis: number = 0,
): Node<ShapeOf<X>, DTypeOf<X>> {
  const a = normalizeAxis('scatterUpdate', x, axis);
  expectUpdates('scatterUpdate', x, indices, updates, a);
  const shape = x.type.shape;
  const size = shape[a]!;
  const at = checked('scatterUpdate', indices, size);
  if (at.type.shape.includes(0) || size === 0) return x as Node as Node<ShapeOf<X>, DTypeOf<X>>;
  const y = scope('scatterUpdate', () => {
    // Updates in one row of n; for each place the number of the last update that is meant for it, or -1.
    const n = at.type.shape.reduce((k, d) => k * d, 1);
    const row = reshape(at, [1, n]);
    const values = reshape(updates, [...shape.slice(0, a), n, ...shape.slice(a + 1)]);
    const meets = eq(iota([size, n], 0), row as Node<Shape, 'i32'>);
    const last = max(where(meets, iota([size, n], 1), -1) as Node<Shape, 'i32'>, 1);
    const isHit: Node = ge(last, 0);
    const taken = gatherAt(values, where(isHit as Node<Shape, 'bool'>, last, 0), { axis: a, batch: 0 });
    const along = [size, ...shape.slice(a + 1).map(() => 1)];
    return where(reshape(isHit, along) as Node<Shape, 'bool'>, taken, x as Node);
  });
  return y as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * x with updates added element by element: updates[…, j, …] goes to x[…, indices[…, j, …], …] along an axis (the last by
 * default). Indices and updates have one shape, with as many dimensions as x, none larger except along the axis. Otherwise
 * as `scatterAdd`; it is the gradient of `gatherElements`.
 *
 *     scatterAddElements(x, indices, updates, 1); // f32[64, 10], i32[64, 2], f32[64, 2] → f32[64, 10]
 */
export function scatterAddElements<X extends Node>(
  x: X,
  indices: Node,
  updates: Node,
  axis: number = -1,
): Node<ShapeOf<X>, DTypeOf<X>> {
  const fn = 'scatterAddElements';
  const a = normalizeAxis(fn, x, axis);
  if (!sameShape(indices.type.shape, updates.type.shape)) {
    throw shapeError(
      `${fn}(${[x, indices, updates].map(describeNode).join(', ')})`,
      'indices and updates have one shape',
      'there is one index for each update',
    );
  }
  const part = cropTo(fn, x, indices, a).type.shape;
  const size = x.type.shape[a]!;
  const at = checked(fn, indices, size);
  const y = scope(fn, () => {
    const batch = part.length - 1;
    const sums = scatterSum(lastAxis(at, a), lastAxis(updates, a), { axis: batch, batch, size });
    const hi = x.type.shape.map((n, d) => n - part[d]!);
    return add(x as Node, padBy(backFromLast(sums, a), { hi }));
  });
  return y as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

export interface OneHotOptions<A extends number = number, D extends DType = DType> {
  /** Where the new axis stands in the result (the last by default; negative ones count from the end). */
  readonly axis?: A;
  /** Dtype of the result (f32 by default). */
  readonly dtype?: D;
}

/**
 * 1 at the position that each label names and 0 elsewhere, along a new axis of size `depth`. Labels i32 in [0, depth): the
 * run fails with HDL1004 at another one. It has no gradient. Throws HDL0002, HDL0003.
 *
 *     oneHot(labels, 10); // i32[64] → f32[64, 10]
 */
export function oneHot<
  L extends Node,
  const N extends number,
  const A extends number = -1,
  D extends DType = 'f32',
>(
  labels: L & Accepts<'oneHot', L, 'i32'>,
  depth: N,
  options: OneHotOptions<A, D> = {},
): Node<Inserted<ShapeOf<L>, A, N>, D> {
  const { axis = -1, dtype = 'f32' } = options as OneHotOptions;
  if (!Number.isInteger(depth) || depth < 0) {
    throw compilerError('HDL0003', {
      what: `oneHot(${describeNode(labels)}, ${depth})`,
      rule: 'the depth is the number of classes: an integer of at least 0',
      hint: 'write how many different labels there are',
      loc: callerLocation(),
    });
  }
  const rank = labels.type.shape.length + 1;
  const a = normalizeAxis('oneHot', labels, axis, rank);
  const at = checked('oneHot', labels, depth);
  const y = scope('oneHot', () => {
    const shape = [...at.type.shape.slice(0, a), depth, ...at.type.shape.slice(a)];
    const isLabel: Node = eq(iota(shape, a) as Node, expandDims(at, a) as Node);
    return cast(isLabel, dtype) as Node;
  });
  return y as Node<Inserted<ShapeOf<L>, A, N>, D>;
}

/** x without what lies beyond the indices, except along the axis. */
function cropTo(fn: string, x: Node, indices: Node, axis: number): Node {
  const [s, n] = [x.type.shape, indices.type.shape];
  if (s.length !== n.length || n.some((d, i) => i !== axis && d > s[i]!)) {
    throw shapeError(
      `${fn}(${describeNode(x)}, ${describeNode(indices)}, axis: ${axis})`,
      'indices have as many dimensions as x, none larger except along the axis',
      'expand the indices first, or use gather to take whole rows',
    );
  }
  return slice(
    x,
    s.map(() => 0),
    n.map((d, i) => (i === axis ? s[i]! : d)),
  );
}

function expectUpdates(fn: string, x: Node, indices: Node, updates: Node, axis: number): void {
  const s = x.type.shape;
  const expected = [...s.slice(0, axis), ...indices.type.shape, ...s.slice(axis + 1)];
  const what = `${fn}(${[x, indices, updates].map(describeNode).join(', ')}, axis: ${axis})`;
  if (!sameShape(updates.type.shape, expected)) {
    throw shapeError(
      what,
      `updates have shape ${formatShape(expected)}, not ${formatShape(updates.type.shape)}`,
      'the dimensions of the indices stand in place of the axis',
    );
  }
  if (updates.type.dtype === x.type.dtype) return;
  throw compilerError('HDL0002', {
    what,
    rule: `dtypes ${x.type.dtype} and ${updates.type.dtype} differ`,
    hint: `convert the updates: cast(updates, '${x.type.dtype}')`,
    loc: callerLocation(),
  });
}

function shapeError(what: string, rule: string, hint: string): Error {
  return compilerError('HDL0001', { what, rule, hint, loc: callerLocation() });
}
