// Operations on vectors, by the name and type of the Kernel IR function: one instruction where WebAssembly has one,
// short sequences otherwise. Operands are on the stack; the result replaces them.

import type { BinaryFunction, CompareFunction, ScalarType, UnaryFunction } from '../../kernel/expr.ts';
import type { PlainOp } from './opcodes.ts';

/** Unary functions that are one instruction. The others are expanded before (math.ts) or built from several. */
export const unaryOps: Readonly<Record<ScalarType, Partial<Record<UnaryFunction, PlainOp>>>> = {
  f32: {
    neg: 'f32x4.neg',
    abs: 'f32x4.abs',
    floor: 'f32x4.floor',
    ceil: 'f32x4.ceil',
    trunc: 'f32x4.trunc',
    round: 'f32x4.nearest',
    sqrt: 'f32x4.sqrt',
  },
  i32: { neg: 'i32x4.neg', abs: 'i32x4.abs', not: 'v128.not' },
  u32: { not: 'v128.not' },
  bool: { not: 'v128.not' },
};

const bitwise = { and: 'v128.and', or: 'v128.or', xor: 'v128.xor' } as const;

/** Binary functions that are one instruction. */
export const binaryOps: Readonly<Record<ScalarType, Partial<Record<BinaryFunction, PlainOp>>>> = {
  f32: { add: 'f32x4.add', sub: 'f32x4.sub', mul: 'f32x4.mul', div: 'f32x4.div' },
  i32: {
    add: 'i32x4.add',
    sub: 'i32x4.sub',
    mul: 'i32x4.mul',
    min: 'i32x4.min_s',
    max: 'i32x4.max_s',
    ...bitwise,
  },
  u32: {
    add: 'i32x4.add',
    sub: 'i32x4.sub',
    mul: 'i32x4.mul',
    min: 'i32x4.min_u',
    max: 'i32x4.max_u',
    ...bitwise,
  },
  bool: bitwise,
};

const signed = {
  eq: 'i32x4.eq',
  ne: 'i32x4.ne',
  lt: 'i32x4.lt_s',
  le: 'i32x4.le_s',
  gt: 'i32x4.gt_s',
  ge: 'i32x4.ge_s',
} as const;

/** Comparisons. Masks order the other way round as numbers: true is −1, false is 0. */
export const compareOps: Readonly<Record<ScalarType, Record<CompareFunction, PlainOp>>> = {
  f32: {
    eq: 'f32x4.eq',
    ne: 'f32x4.ne',
    lt: 'f32x4.lt',
    le: 'f32x4.le',
    gt: 'f32x4.gt',
    ge: 'f32x4.ge',
  },
  i32: signed,
  u32: {
    eq: 'i32x4.eq',
    ne: 'i32x4.ne',
    lt: 'i32x4.lt_u',
    le: 'i32x4.le_u',
    gt: 'i32x4.gt_u',
    ge: 'i32x4.ge_u',
  },
  bool: { ...signed, lt: 'i32x4.gt_s', le: 'i32x4.ge_s', gt: 'i32x4.lt_s', ge: 'i32x4.le_s' },
};

/** Integer functions that work lane by lane, on two numbers in locals. */
export const lanewiseFunctions: ReadonlySet<BinaryFunction> = new Set(['div', 'mod', 'shl', 'shr']);

const word = new DataView(new ArrayBuffer(4));

/** The 32 bits of a constant of a type. */
export function constantBits(type: ScalarType, value: number): number {
  if (type === 'f32') {
    word.setFloat32(0, value);
    return word.getUint32(0);
  }
  if (type === 'bool') return value !== 0 ? 0xffffffff : 0;
  return value >>> 0;
}
