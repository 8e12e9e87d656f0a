// What several families of operators share. Shapes are literal numbers here: models are built for given sizes.

import type { Tensor } from '../../../compiler/graph/ir.ts';
import { elementCount, type Shape } from '../../../compiler/graph/types.ts';
import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { elementInfo } from '../elements.ts';
import type { Value } from '../value.ts';

export type T = Tensor;
export type F = Tensor<Shape, 'f32'>;
export type I = Tensor<Shape, 'i32'>;
export type B = Tensor<Shape, 'bool'>;

export function shapeOf(x: T): readonly number[] {
  return x.type.shape;
}

export function rankOf(x: T): number {
  return x.type.shape.length;
}

/** 0, 1, … n − 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

export function product(list: readonly number[]): number {
  return elementCount(list);
}

/** A value with the element type of operand i. */
export function like(c: Call, i: number, node: T): Value {
  return { node, elem: c.elem(i) };
}

export function int64(node: T): Value {
  return { node, elem: 'int64' };
}

/** Integers as an i32 constant of one dimension, or of the given shape. */
export function ints(values: readonly number[], shape: readonly number[] = [values.length]): T {
  return h.constant(Int32Array.from(values), [...shape], 'i32') as T;
}

export function floats(values: readonly number[], shape: readonly number[] = [values.length]): T {
  return h.constant([...values], [...shape], 'f32') as T;
}

/** One number of the dtype of x, in all its places. */
export function filled(x: T, value: number): T {
  return h.full([...shapeOf(x)], value, x.type.dtype) as T;
}

/** x as f32, whatever it is. */
export function asFloat(x: T): F {
  return (x.type.dtype === 'f32' ? x : h.cast(x, 'f32')) as F;
}

export function asInt(x: T): I {
  return (x.type.dtype === 'i32' ? x : h.cast(x, 'i32')) as I;
}

/** The one element of x, as a scalar. */
export function scalarOf(x: T): T {
  return h.reshape(x, []) as T;
}

/** The elements [start, stop) of one axis. */
export function part(x: T, axis: number, start: number, stop: number): T {
  const shape = shapeOf(x);
  return h.slice(
    x,
    shape.map((_, d) => (d === axis ? start : 0)),
    shape.map((n, d) => (d === axis ? stop : n)),
  ) as T;
}

/** x at one place of an axis, which disappears. */
export function at(x: T, axis: number, i: number): T {
  return h.squeeze(part(x, axis, i, i + 1), [axis]) as T;
}

/** x with dimensions of 1 after its own, so that it lies along `axis` of a value of that rank. */
export function along(x: T, axis: number, rank: number): T {
  const shape = new Array<number>(rank).fill(1);
  shape[axis] = product(shapeOf(x));
  return h.reshape(x, shape) as T;
}

/** What two shapes broadcast to. The ops themselves refuse what does not. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return range(rank).map((i) => {
    const p = a[i - rank + a.length] ?? 1;
    const q = b[i - rank + b.length] ?? 1;
    return p === 1 ? q : p;
  });
}

/** The axis moved to the end, and back. */
export function toLast(x: T, axis: number): T {
  const order = range(rankOf(x)).filter((d) => d !== axis);
  return h.transpose(x, [...order, axis]) as T;
}

export function fromLast(x: T, axis: number): T {
  const last = rankOf(x) - 1;
  const order = range(last);
  return h.transpose(x, [...order.slice(0, axis), last, ...order.slice(axis)]) as T;
}

/** Indices that may count from the end, as ones that count from the start. Known ones stay constants. */
export function fromStart(c: Call, indices: T, size: number): I {
  const x = asInt(indices);
  if (c.site.known.has(x)) {
    const values = Array.from(c.site.known.elements(x), (v) => (v < 0 ? v + size : v));
    return ints(values, shapeOf(x)) as I;
  }
  return h.where(h.lt(x, 0) as B, h.add(x, size) as T, x as T) as I;
}

/** Whether elements of this operand are integers. */
export function isInteger(c: Call, i: number): boolean {
  const { dtype } = elementInfo(c.elem(i));
  return dtype === 'i32' || dtype === 'u32';
}

/** Axes as the operator has them: attribute first, operand `from` on; undefined when none are named. */
export function axesOf(c: Call, since: number, from = 1): number[] | undefined {
  if (c.opset < since) return c.ints('axes');
  return c.has(from) ? c.numbers(from) : undefined;
}
