// The other ops of two operands: minimum and maximum, remainder, bits and truth values, shifts. Sums and
// products stand in arithmetic.ts, comparisons in compare.ts, below this file.

import { inOneCall, makeNode } from '../graph/build.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
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
import { binary, constant, type Expr, unary } from '../kernel/expr.ts';
import { mul } from './arithmetic.ts';
import { numeric } from './attrs.ts';
import { eq, gt, lt, where } from './compare.ts';
import { defineOp } from './define.ts';
import {
  broadcastOperands,
  describeOperands,
  drawElements,
  lowerElements,
  mapElements,
  sameTypeRule,
} from './elementwise.ts';
import { bits, integerOp, integers, lowerAs, modOp } from './integer-op.ts';
import { zerosLike } from './leaf.ts';

type Doc = Omit<OpDef['doc'], 'types' | 'example'>;

/** minimum and maximum: the operand that wins gets the gradient, and each gets half of it at a tie. */
function extremeOp(fn: 'min' | 'max', doc: Doc): OpDef {
  const name = `${fn}imum`;
  const wins = fn === 'max' ? gt : lt;
  return defineOp({
    name,
    family: 'binary',
    doc: {
      ...doc,
      types: 'T[S], T[S] → T[S] for T = f32, i32, u32',
      kinks: 'where x = y, half of the gradient goes to each; where either is NaN, none',
      example: `${name}(input('x', [2, 3]), input('y', [3]))`,
    },
    arity: 2,
    type: sameTypeRule(numeric),
    reference: (operands, _attrs, out) => mapElements(out, operands, fn === 'max' ? Math.max : Math.min),
    gradient: ({ operands: [x, y], cotangent: g, needs }) => {
      const share = (own: Node, other: Node): Node =>
        where(wins(own, other), g, where(eq(own, other), mul(g, 0.5), zerosLike(g)));
      return [needs[0] ? share(x!, y!) : null, needs[1] ? share(y!, x!) : null];
    },
    lower: lowerElements((x, y) => binary(fn, x!, y!)),
    sample: (random) => {
      const dtype = random.pick(numeric);
      const shape = random.shape(0, 3, 4);
      const x = drawElements(random, dtype, shape);
      if (dtype !== 'f32') return { operands: [x, drawElements(random, dtype, shape)], attrs: {} };
      // No ties: the second operand is off the first by more than any finite-difference step.
      const data = x.data.map((v) => Math.fround(v + (random.bool() ? 1 : -1) * random.uniform(0.1, 2)));
      return { operands: [x, { type: x.type, data }], attrs: {} };
    },
  });
}

const minimumOp: OpDef = extremeOp('min', {
  summary: 'The smaller of two elements; NaN when either is NaN, and -0 is below 0.',
  formula: 'z[i] = min(x[i], y[i])',
  onnx: 'Min',
});

const maximumOp: OpDef = extremeOp('max', {
  summary: 'The larger of two elements; NaN when either is NaN, and 0 is above -0.',
  formula: 'z[i] = max(x[i], y[i])',
  onnx: 'Max',
});

const andOp: OpDef = integerOp(
  'and',
  bits,
  {
    summary: 'Bits that are set in both; for bool, whether both hold.',
    formula: 'z[i] = x[i] & y[i]',
    onnx: 'And, BitwiseAnd',
    example: "logicalAnd(gt(input('x', [3]), 0), lt(input('y', [3]), 1))",
  },
  (x, y) => x & y,
  lowerAs('and'),
);

const orOp: OpDef = integerOp(
  'or',
  bits,
  {
    summary: 'Bits that are set in either; for bool, whether one holds.',
    formula: 'z[i] = x[i] | y[i]',
    onnx: 'Or, BitwiseOr',
    example: "bitwiseOr(iota([8], 0, 'u32'), 8)",
  },
  (x, y) => x | y,
  lowerAs('or'),
);

const xorOp: OpDef = integerOp(
  'xor',
  bits,
  {
    summary: 'Bits that differ; for bool, whether exactly one holds.',
    formula: 'z[i] = x[i] ^ y[i]',
    onnx: 'Xor, BitwiseXor',
    example: "bitwiseXor(iota([8], 0, 'u32'), 5)",
  },
  (x, y) => x ^ y,
  lowerAs('xor'),
);

/** Shift counts are taken modulo 32, as every machine has it. */
const count = (y: Expr): Expr => binary('and', y, constant(y.type, 31));

const shlOp: OpDef = integerOp(
  'shl',
  integers,
  {
    summary: 'Bits shifted to the left; the count is taken modulo 32.',
    formula: 'z[i] = x[i] << (y[i] mod 32)',
    onnx: 'BitShift',
    example: "shl(iota([8], 0, 'u32'), 2)",
  },
  (x, y) => x << y,
  (x, y) => binary('shl', x, count(y)),
  (random, dtype, shape) => drawElements(random, dtype, shape, (r) => r.int(0, 40)),
);

const shrOp: OpDef = integerOp(
  'shr',
  integers,
  {
    summary: 'Bits shifted to the right; i32 keeps its sign, u32 fills with 0. The count is taken modulo 32.',
    formula: 'z[i] = x[i] >> (y[i] mod 32)',
    onnx: 'BitShift',
    example: "shr(iota([8], 0, 'u32'), 1)",
  },
  (x, y, dtype) => (dtype === 'u32' ? x >>> y : x >> y),
  (x, y) => binary('shr', x, count(y)),
  (random, dtype, shape) => drawElements(random, dtype, shape, (r) => r.int(0, 40)),
);

const notOp: OpDef = defineOp({
  name: 'not',
  family: 'binary',
  doc: {
    summary: 'All bits turned over; for bool, the opposite.',
    formula: 'y[i] = ~x[i]',
    types: 'T[S] → T[S] for T = i32, u32, bool',
    onnx: 'Not, BitwiseNot',
    example: "logicalNot(gt(input('x', [3]), 0))",
  },
  arity: 1,
  type: sameTypeRule(bits),
  reference: (operands, _attrs, out) =>
    mapElements(out, operands, (x) => (out.dtype === 'bool' ? 1 - x : ~x)),
  gradient: { none: 'its operand is an integer or a truth value' },
  lower: lowerElements((x) => unary('not', x!)),
  sample: (random) => ({
    operands: [drawElements(random, random.pick(bits), random.shape(0, 3, 4))],
    attrs: {},
  }),
});

const binaryOps: readonly OpDef[] = [minimumOp, maximumOp, modOp, andOp, orOp, xorOp, notOp, shlOp, shrOp];
export default binaryOps;

function apply(op: OpDef, x: Operand, y: Operand): Node {
  return inOneCall(() => makeNode(op, broadcastOperands(op.name, [x, y])));
}

/** `and` and its kin serve bits and truth values; their public functions keep the two apart, since 2 & 1 is 0. */
function applyTo(fn: string, allowed: readonly DType[], op: OpDef, operands: readonly Operand[]): Node {
  for (const o of operands) {
    if (typeof o === 'number' || allowed.includes(o.type.dtype)) continue;
    throw compilerError('HDL0002', {
      what: describeOperands(fn, operands),
      rule: `dtype ${o.type.dtype} is not accepted, only ${allowed.join(', ')}`,
      hint: allowed === integers ? 'logicalAnd and its kin take bool' : 'compare first: ne(x, 0)',
      loc: callerLocation(),
    });
  }
  return inOneCall(() => makeNode(op, broadcastOperands(fn, operands)));
}

/**
 * The smaller of two elements. f32 (NaN when either is NaN), i32, u32; shapes broadcast. Throws HDL0001 when shapes do not
 * broadcast, HDL0002 when dtypes differ.
 *
 *     minimum(x, 6);
 */
export function minimum<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'minimum', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(minimumOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * The larger of two elements, as `minimum`: f32, i32, u32; shapes broadcast. Throws as it does.
 *
 * @formula z = x if x > y, else y
 * @example maximum(x, y)
 */
export function maximum<A extends Operand, B extends Operand>(
  x: A,
  y: B & Broadcasts<'maximum', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(maximumOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Bits shifted to the left by `y` modulo 32. i32, u32. Throws HDL0001, HDL0002.
 *
 * @formula z = x · 2^(y mod 32), the lowest 32 bits
 * @example shl(x, 3)
 */
export function shl<A extends Operand, B extends Operand>(
  x: A & Accepts<'shl', A, 'i32' | 'u32'>,
  y: B & Broadcasts<'shl', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(shlOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Bits shifted to the right by `y` modulo 32; i32 keeps its sign. i32, u32. Throws HDL0001, HDL0002.
 *
 * @formula z = ⌊x / 2^(y mod 32)⌋
 * @example shr(x, 3)
 */
export function shr<A extends Operand, B extends Operand>(
  x: A & Accepts<'shr', A, 'i32' | 'u32'>,
  y: B & Broadcasts<'shr', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return apply(shrOp, x, y) as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Whether both hold. bool; shapes broadcast. Throws HDL0001, HDL0002.
 *
 * @formula z = x ∧ y
 * @example logicalAnd(gt(x, 0), lt(x, 1))
 */
export function logicalAnd<A extends Operand, B extends Operand>(
  x: A & Accepts<'logicalAnd', A, 'bool'>,
  y: B & Broadcasts<'logicalAnd', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return applyTo('logicalAnd', ['bool'], andOp, [x, y]) as Node as Node<
    Broadcast<ShapeOf<A>, ShapeOf<B>>,
    CommonDType<A, B>
  >;
}

/**
 * Whether one or both hold. bool; shapes broadcast. Throws HDL0001, HDL0002.
 *
 * @formula z = x ∨ y
 * @example logicalOr(gt(x, 0), lt(x, 1))
 */
export function logicalOr<A extends Operand, B extends Operand>(
  x: A & Accepts<'logicalOr', A, 'bool'>,
  y: B & Broadcasts<'logicalOr', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return applyTo('logicalOr', ['bool'], orOp, [x, y]) as Node as Node<
    Broadcast<ShapeOf<A>, ShapeOf<B>>,
    CommonDType<A, B>
  >;
}

/**
 * Whether exactly one holds. bool; shapes broadcast. Throws HDL0001, HDL0002.
 *
 * @formula z = x ≠ y
 * @example logicalXor(gt(x, 0), lt(x, 1))
 */
export function logicalXor<A extends Operand, B extends Operand>(
  x: A & Accepts<'logicalXor', A, 'bool'>,
  y: B & Broadcasts<'logicalXor', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return applyTo('logicalXor', ['bool'], xorOp, [x, y]) as Node as Node<
    Broadcast<ShapeOf<A>, ShapeOf<B>>,
    CommonDType<A, B>
  >;
}

/**
 * Bits set in both. i32, u32; shapes broadcast. Throws HDL0001, HDL0002.
 *
 * @formula zₖ = xₖ ∧ yₖ for each bit k
 * @example bitwiseAnd(x, 255)
 */
export function bitwiseAnd<A extends Operand, B extends Operand>(
  x: A & Accepts<'bitwiseAnd', A, 'i32' | 'u32'>,
  y: B & Broadcasts<'bitwiseAnd', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return applyTo('bitwiseAnd', integers, andOp, [x, y]) as Node as Node<
    Broadcast<ShapeOf<A>, ShapeOf<B>>,
    CommonDType<A, B>
  >;
}

/**
 * Bits set in either. i32, u32; shapes broadcast. Throws HDL0001, HDL0002.
 *
 * @formula zₖ = xₖ ∨ yₖ for each bit k
 * @example bitwiseOr(x, 255)
 */
export function bitwiseOr<A extends Operand, B extends Operand>(
  x: A & Accepts<'bitwiseOr', A, 'i32' | 'u32'>,
  y: B & Broadcasts<'bitwiseOr', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return applyTo('bitwiseOr', integers, orOp, [x, y]) as Node as Node<
    Broadcast<ShapeOf<A>, ShapeOf<B>>,
    CommonDType<A, B>
  >;
}

/**
 * Bits that differ. i32, u32; shapes broadcast. Throws HDL0001, HDL0002.
 *
 * @formula zₖ = xₖ ≠ yₖ for each bit k
 * @example bitwiseXor(x, 255)
 */
export function bitwiseXor<A extends Operand, B extends Operand>(
  x: A & Accepts<'bitwiseXor', A, 'i32' | 'u32'>,
  y: B & Broadcasts<'bitwiseXor', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return applyTo('bitwiseXor', integers, xorOp, [x, y]) as Node as Node<
    Broadcast<ShapeOf<A>, ShapeOf<B>>,
    CommonDType<A, B>
  >;
}

/**
 * The opposite truth value. bool. Throws HDL0002.
 *
 * @formula y = ¬x
 * @example logicalNot(gt(x, 0))
 */
export function logicalNot<X extends Node>(
  x: X & Accepts<'logicalNot', X, 'bool'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return applyTo('logicalNot', ['bool'], notOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * All bits turned over. i32, u32. Throws HDL0002.
 *
 * @formula yₖ = ¬xₖ for each bit k
 * @example bitwiseNot(x)
 */
export function bitwiseNot<X extends Node>(
  x: X & Accepts<'bitwiseNot', X, 'i32' | 'u32'>,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return applyTo('bitwiseNot', integers, notOp, [x]) as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}
