// Addition, subtraction, multiplication, division and negation: closed under their own gradients, so this file needs
// nothing but broadcasting, and every other gradient may use it.

import { inOneCall, makeNode } from '../graph/build.ts';
import type { GradientRule, Node, OpDef } from '../graph/ir.ts';
import type {
  Accepts,
  Broadcast,
  Broadcasts,
  CommonDType,
  DTypeOf,
  Operand,
  ShapeOf,
} from '../graph/shape-types.ts';
import type { DType } from '../graph/types.ts';
import { type BinaryFunction, binary, unary } from '../kernel/expr.ts';
import { numeric } from './attrs.ts';
import { defineOp } from './define.ts';
import {
  anyElement,
  awayFromZero,
  broadcastOperands,
  type Draw,
  drawElements,
  lowerElements,
  mapElements,
  sameTypeRule,
} from './elementwise.ts';

interface Row {
  readonly name: string;
  readonly fn: BinaryFunction;
  readonly summary: string;
  readonly formula: string;
  readonly onnx: string;
  readonly float: (x: number, y: number) => number;
  /** Integers; the result is wrapped to the dtype. */
  readonly integer: (x: number, y: number) => number;
  readonly gradient: GradientRule;
  /** The second operand of a sample, when f32. */
  readonly drawSecond?: Draw;
}

function arithmeticOp(row: Row): OpDef {
  return defineOp({
    name: row.name,
    family: 'arithmetic',
    doc: {
      summary: row.summary,
      formula: row.formula,
      types: 'T[S], T[S] → T[S] for T = f32, i32, u32',
      onnx: row.onnx,
      example: `${row.name}(input('x', [2, 3]), input('y', [3]))`,
    },
    arity: 2,
    type: sameTypeRule(numeric),
    reference: (operands, _attrs, out) =>
      mapElements(out, operands, out.dtype === 'f32' ? row.float : row.integer),
    gradient: row.gradient,
    lower: lowerElements((x, y) => binary(row.fn, x!, y!)),
    sample: (random) => {
      const dtype = random.pick(numeric);
      const shape = random.shape(0, 3, 4);
      const second = dtype === 'f32' ? (row.drawSecond ?? anyElement(dtype)) : anyElement(dtype);
      return {
        operands: [drawElements(random, dtype, shape), drawElements(random, dtype, shape, second)],
        attrs: {},
      };
    },
  });
}

const addOp: OpDef = arithmeticOp({
  name: 'add',
  fn: 'add',
  summary: 'Sum; integers wrap.',
  formula: 'z[i] = x[i] + y[i]',
  onnx: 'Add',
  float: (x, y) => x + y,
  integer: (x, y) => x + y,
  gradient: ({ cotangent: g, needs }) => [needs[0] ? g : null, needs[1] ? g : null],
});

const subOp: OpDef = arithmeticOp({
  name: 'sub',
  fn: 'sub',
  summary: 'Difference; integers wrap.',
  formula: 'z[i] = x[i] - y[i]',
  onnx: 'Sub',
  float: (x, y) => x - y,
  integer: (x, y) => x - y,
  gradient: ({ cotangent: g, needs }) => [needs[0] ? g : null, needs[1] ? neg(g) : null],
});

const mulOp: OpDef = arithmeticOp({
  name: 'mul',
  fn: 'mul',
  summary: 'Product of elements; integers wrap.',
  formula: 'z[i] = x[i] * y[i]',
  onnx: 'Mul',
  float: (x, y) => x * y,
  integer: Math.imul,
  gradient: ({ operands: [x, y], cotangent: g, needs }) => [
    needs[0] ? mul(g, y!) : null,
    needs[1] ? mul(g, x!) : null,
  ],
});

const divOp: OpDef = arithmeticOp({
  name: 'div',
  fn: 'div',
  summary: 'Quotient; integers divide towards zero, and an integer divided by 0 is 0.',
  formula: 'z[i] = x[i] / y[i]',
  onnx: 'Div',
  float: (x, y) => x / y,
  integer: (x, y) => (y === 0 ? 0 : Math.trunc(x / y)),
  gradient: ({ operands: [, y], out, cotangent: g, needs }) => {
    if (!needs[1]) return [needs[0] ? div(g, y!) : null, null];
    // d(x/y)/dy = -(x/y)/y: g/y serves both, and no y² can overflow.
    const dx = div(g, y!);
    return [needs[0] ? dx : null, neg(mul(dx, out))];
  },
  drawSecond: awayFromZero(0.5, 3),
});

const signed: readonly DType[] = ['f32', 'i32'];

const negOp: OpDef = defineOp({
  name: 'neg',
  family: 'arithmetic',
  doc: {
    summary: 'Opposite number; the smallest i32 is its own.',
    formula: 'y[i] = -x[i]',
    types: 'T[S] → T[S] for T = f32, i32',
    onnx: 'Neg',
    example: "neg(input('x', [2, 3]))",
  },
  arity: 1,
  type: sameTypeRule(signed),
  reference: (operands, _attrs, out) => mapElements(out, operands, (x) => -x),
  gradient: ({ cotangent }) => [neg(cotangent)],
  lower: lowerElements((x) => unary('neg', x!)),
  sample: (random) => ({
    operands: [drawElements(random, random.pick(signed), random.shape(0, 3, 4))],
    attrs: {},
  }),
});

const arithmeticOps: readonly OpDef[] = [addOp, subOp, mulOp, divOp, negOp];
export default arithmeticOps;

function apply(op: OpDef, x: Operand, y: Operand): Node {
  return inOneCall(() => makeNode(op, broadcastOperands(op.name, [x, y])));
}

/**
 * Sum. f32, i32, u32; shapes broadcast; a number takes the dtype of the other operand. Integers wrap.
 * Throws HDL0001 when shapes do not broadcast, HDL0002 when dtypes differ.
 *
 *     add(input('x', [64, 10]), input('bias', [10])); // f32[64, 10]
 */
export function add<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'add', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(addOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Difference, as `add`: f32, i32, u32; shapes broadcast. Throws as it does.
 *
 * @formula z = x − y
 * @example sub(x, 1)
 */
export function sub<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'sub', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(subOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Product of elements, as `add`: f32, i32, u32; shapes broadcast. Throws as it does.
 *
 * @formula z = x y
 * @example mul(x, mask)
 */
export function mul<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'mul', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(mulOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Quotient, as `add`: `div(x, 2)`. Integers divide towards zero; an integer divided by 0 is 0.
 *
 * @example div(x, 2)
 */
export function div<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'div', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(divOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Opposite number. f32, i32. Throws HDL0002.
 *
 * @formula y = −x
 * @example neg(x)
 */
export function neg<X extends Node>(x: X & Accepts<'neg', X, 'f32' | 'i32'>): Node<ShapeOf<X>, DTypeOf<X>> {
  return makeNode(negOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
