// The position of the largest element along an axis. There is no op for the smallest: argmin reverses the order first.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Reduced } from '../graph/shape-types-view.ts';
import type { DType } from '../graph/types.ts';
import { varIndex } from '../kernel/affine.ts';
import { sub } from './arithmetic.ts';
import { checkDType, checkInteger, normalizeAxis, numeric } from './attrs.ts';
import { keepAxes } from './broadcast.ts';
import { defineOp } from './define.ts';
import { drawDistinct } from './draw.ts';
import { full } from './leaf.ts';
import { generate, reader } from './loops.ts';
import type { ReduceOptions } from './reduction.ts';

export const argMaxOp: OpDef = defineOp<{ axis: number }>({
  name: 'argMax',
  family: 'reduce',
  doc: {
    summary: 'Position of the first largest element along an axis; NaN counts as largest.',
    formula: 'y[i] = min { j : x[i with j at axis] = max over the axis }',
    types: 'x: T[…] → i32[shape without axis], T one of f32, i32, u32',
    attrs: { axis: 'axis that disappears; of at least one element' },
    onnx: 'ArgMax',
    example: 'argmax(logits, 1)',
  },
  arity: 1,
  type([x], { axis }, fail) {
    if (x!.shape.length === 0) fail('a scalar has no axis to search', 'give it an axis: reshape(x, [1])');
    checkInteger(fail, 'axis', axis, 0, x!.shape.length - 1);
    checkDType(fail, x!, numeric);
    if (x!.shape[axis] === 0) fail(`axis ${axis} has no elements to choose from`, 'search a non-empty axis');
    return { dtype: 'i32', shape: x!.shape.filter((_, i) => i !== axis) };
  },
  reference([x], { axis }, out) {
    const read = reader(x!);
    return generate(out.shape, (at) => {
      const element = (j: number): number => read([...at.slice(0, axis), j, ...at.slice(axis)]);
      let best = 0;
      for (let j = 1; j < x!.type.shape[axis]!; j++) if (isLarger(element(j), element(best))) best = j;
      return best;
    });
  },
  gradient: { none: 'its values are positions' },
  lower({ node, at, read, newVar }) {
    const { axis } = node.attrs as { axis: number };
    const v = newVar('r', node.operands[0]!.type.shape[axis]!);
    const body = read(0, [...at.slice(0, axis), varIndex(v), ...at.slice(axis)]);
    return { kind: 'argmax', type: 'i32', vars: [v], body };
  },
  sample(random) {
    const shape = random.shape(1, 4);
    const operand = drawDistinct(random, shape, random.pick(['f32', 'f32', 'i32']));
    return { operands: [operand], attrs: { axis: random.int(0, shape.length - 1) } };
  },
});

/** Whether b comes before a in the search for the largest: NaN is larger than all numbers, and equals itself. */
export function isLarger(b: number, a: number): boolean {
  return b > a || (Number.isNaN(b) && !Number.isNaN(a));
}

/**
 * Position (i32) of the first largest element along an axis (the last by default); NaN counts as largest. f32, i32, u32.
 * It has no gradient. Throws HDL0001 for an axis without elements, HDL0002, HDL0003.
 *
 *     argmax(logits, 1); // f32[64, 10] → i32[64]
 */
export function argmax<X extends Node, const A extends number = -1, K extends boolean = false>(
  x: X & Accepts<'argmax', X, 'f32' | 'i32' | 'u32'>,
  axis?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'i32'> {
  return positionOfLargest('argmax', x, x, axis ?? -1, options) as Node<Reduced<ShapeOf<X>, A, K>, 'i32'>;
}

/**
 * Position (i32) of the first smallest element along an axis (the last by default); NaN counts as smallest. Otherwise as
 * `argmax`.
 *
 *     argmin(distances); // f32[64, 10] → i32[64]
 */
export function argmin<X extends Node, const A extends number = -1, K extends boolean = false>(
  x: X & Accepts<'argmin', X, 'f32' | 'i32' | 'u32'>,
  axis?: A,
  options: ReduceOptions<K> = {},
): Node<Reduced<ShapeOf<X>, A, K>, 'i32'> {
  const y = scope('argmin', () => positionOfLargest('argmin', x, reversedOrder(x), axis ?? -1, options));
  return y as Node<Reduced<ShapeOf<X>, A, K>, 'i32'>;
}

/** Positions along an axis of `x`, as the user calls it, in `y`. */
function positionOfLargest(fn: string, x: Node, y: Node, axis: number, options: ReduceOptions): Node {
  const a = normalizeAxis(fn, x, axis);
  return keepAxes(makeNode(argMaxOp, [y], { axis: a }), x.type.shape, [a], options.keepDims ?? false);
}

/** A value whose elements compare the other way round: −x, and for integers −1 − x, which cannot overflow. */
function reversedOrder(x: Node): Node {
  const { dtype, shape } = x.type;
  const top: Readonly<Partial<Record<DType, number>>> = { f32: 0, i32: -1, u32: 4294967295 };
  return sub(full(shape, top[dtype] ?? 0, dtype), x);
}
