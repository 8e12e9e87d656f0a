// Comparisons, and `select`, which reads their results: the only way in which data decides what is computed.

import { inOneCall, makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type {
  Accepts,
  Broadcast,
  Broadcasts,
  BroadcastsShape,
  CommonDType,
  Operand,
  ShapeOf,
} from '../graph/shape-types.ts';
import type { DType } from '../graph/types.ts';
import { binary, type CompareFunction, compare, select, unary } from '../kernel/expr.ts';
import { checkDType, numeric } from './attrs.ts';
import { broadcastTo } from './broadcast.ts';
import { defineOp } from './define.ts';
import {
  broadcastOperands,
  broadcastShapes,
  drawElements,
  lowerElements,
  mapElements,
  sameDTypeCheck,
  sameShapeCheck,
} from './elementwise.ts';
import { full, zerosLike } from './leaf.ts';

/** The dtypes that registers hold: all but the storage type u8. */
const computed: readonly DType[] = [...numeric, 'bool'];

function compareOp(
  fn: CompareFunction,
  words: string,
  sign: string,
  onnx: string,
  holds: (x: number, y: number) => boolean,
): OpDef {
  const accepted = fn === 'eq' || fn === 'ne' ? computed : numeric;
  return defineOp({
    name: fn,
    family: 'compare',
    doc: {
      summary: `Whether x ${words} y; NaN is ${fn === 'ne' ? 'unequal to' : 'never so with'} everything.`,
      formula: `z[i] = x[i] ${sign} y[i]`,
      types: `T[S], T[S] → bool[S] for T = ${accepted.join(', ')}`,
      onnx,
      example: `${fn}(input('x', [2, 3]), 0)`,
    },
    arity: 2,
    type: (types, _attrs, fail) => {
      for (const t of types) checkDType(fail, t, accepted);
      sameDTypeCheck(types, fail);
      sameShapeCheck(types, fail);
      return { dtype: 'bool', shape: types[0]!.shape };
    },
    reference: (operands, _attrs, out) => mapElements(out, operands, (x, y) => (holds(x, y) ? 1 : 0)),
    gradient: { none: 'the result is a truth value' },
    lower: lowerElements((x, y) => {
      if (x!.type !== 'bool') return compare(fn, x!, y!);
      const differ = binary('xor', x!, y!);
      return fn === 'ne' ? differ : unary('not', differ);
    }),
    sample: (random) => {
      const dtype = random.pick(accepted);
      const shape = random.shape(0, 3, 4);
      const x = drawElements(random, dtype, shape);
      const y = drawElements(random, dtype, shape);
      // Some pairs are equal, as random numbers hardly ever are.
      const data = y.data.map((v, i) => (random.bool(0.3) ? x.data[i]! : v));
      return { operands: [x, { type: y.type, data }], attrs: {} };
    },
  });
}

const eqOp: OpDef = compareOp('eq', 'equals', '=', 'Equal', (x, y) => x === y);
const neOp: OpDef = compareOp('ne', 'differs from', '≠', 'Equal, Not', (x, y) => x !== y);
const ltOp: OpDef = compareOp('lt', 'is less than', '<', 'Less', (x, y) => x < y);
const leOp: OpDef = compareOp('le', 'is at most', '≤', 'LessOrEqual', (x, y) => x <= y);
const gtOp: OpDef = compareOp('gt', 'is greater than', '>', 'Greater', (x, y) => x > y);
const geOp: OpDef = compareOp('ge', 'is at least', '≥', 'GreaterOrEqual', (x, y) => x >= y);

const selectOp: OpDef = defineOp({
  name: 'select',
  family: 'compare',
  doc: {
    summary: 'One of two values, chosen per element; a NaN on the side that is not chosen goes nowhere.',
    formula: 'z[i] = c[i] ? x[i] : y[i]',
    types: 'bool[S], T[S], T[S] → T[S] for T = f32, i32, u32, bool',
    onnx: 'Where',
    example: "where(gt(input('x', [3]), 0), 1, -1)",
  },
  arity: 3,
  type: (types, _attrs, fail) => {
    checkDType(fail, types[0]!, ['bool'], 'the condition');
    for (const t of types.slice(1)) checkDType(fail, t, computed);
    sameDTypeCheck(types.slice(1), fail);
    sameShapeCheck(types, fail);
    return types[1]!;
  },
  reference: (operands, _attrs, out) => mapElements(out, operands, (c, x, y) => (c !== 0 ? x : y)),
  gradient: ({ operands: [c], cotangent: g, needs }) => [
    null,
    needs[1] ? where(c!, g, zerosLike(g)) : null,
    needs[2] ? where(c!, zerosLike(g), g) : null,
  ],
  lower: lowerElements((c, x, y) => select(c!, x!, y!)),
  sample: (random) => {
    const dtype = random.pick(computed);
    const shape = random.shape(0, 3, 4);
    const of = (d: DType) => drawElements(random, d, shape);
    return { operands: [of('bool'), of(dtype), of(dtype)], attrs: {} };
  },
});

const compareOps: readonly OpDef[] = [eqOp, neOp, ltOp, leOp, gtOp, geOp, selectOp];
export default compareOps;

function apply(op: OpDef, x: Operand, y: Operand): Node {
  return inOneCall(() => makeNode(op, broadcastOperands(op.name, [x, y])));
}

/**
 * Whether elements are equal. f32, i32, u32, bool; shapes broadcast; a number takes the dtype of the other operand.
 * Throws HDL0001, HDL0002.
 *
 *     eq(input('labels', [64], 'i32'), 7); // bool[64]
 */
export function eq<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'eq', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  return apply(eqOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/**
 * Whether elements differ; operands as for `eq`.
 *
 * @example ne(x, y)
 */
export function ne<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'ne', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  return apply(neOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/**
 * Whether elements of `x` are less; operands as for `eq`. f32, i32, u32.
 *
 * @example lt(x, 1)
 */
export function lt<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'lt', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  return apply(ltOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/**
 * Whether elements of `x` are less or equal; operands as for `eq`. f32, i32, u32.
 *
 * @example le(x, 1)
 */
export function le<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'le', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  return apply(leOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/**
 * Whether elements of `x` are greater; operands as for `eq`. f32, i32, u32.
 *
 * @example gt(x, 0)
 */
export function gt<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'gt', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  return apply(gtOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/**
 * Whether elements of `x` are greater or equal; operands as for `eq`. f32, i32, u32.
 *
 * @example ge(x, 0)
 */
export function ge<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'ge', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'> {
  return apply(geOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, 'bool'>;
}

/**
 * `x` where the condition holds, else `y`. All three broadcast; `x` and `y` share a dtype (f32, i32, u32, bool), and a
 * number takes that of the other. Throws HDL0001, HDL0002.
 *
 *     where(gt(x, 0), x, 0);
 */
export function where<C extends Node, A extends Operand, B extends Operand>(
  condition: C & Accepts<'where', C, 'bool'>,
  x: A & BroadcastsShape<'where', C, A>,
  y: B & Broadcasts<'where', A, B> & BroadcastsShape<'where', C, B>,
): Node<Broadcast<ShapeOf<C>, Broadcast<ShapeOf<A>, ShapeOf<B>>>, CommonDType<A, B>> {
  const shape = broadcastShapes('where', [condition, x, y]);
  const dtype = [x, y].find((v): v is Node & typeof v => typeof v !== 'number')?.type.dtype ?? 'f32';
  const fit = (v: Operand): Node => (typeof v === 'number' ? full(shape, v, dtype) : broadcastTo(v, shape));
  const node: Node = makeNode(selectOp, [fit(condition), fit(x), fit(y)]);
  return node as Node<Broadcast<ShapeOf<C>, Broadcast<ShapeOf<A>, ShapeOf<B>>>, CommonDType<A, B>>;
}
