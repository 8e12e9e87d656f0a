// Elementwise ops as ONNX has them. Where it has no counterpart, a formula that keeps the precision near 0.

import type { DType } from '../../../../compiler/graph/types.ts';
import { type ExportCall, type ExportRule, elementIds, type Name } from '../call.ts';

const unary =
  (opType: string): ExportRule =>
  (c) =>
    c.result(opType, [c.x(0)]);

/** ONNX broadcasts operands by itself, as long as one of them has the shape of the result. */
function operands(c: ExportCall): Name[] {
  return [c.thin(0), c.thin(1)];
}

const binary =
  (opType: string): ExportRule =>
  (c) =>
    c.result(opType, operands(c));

/** One operator for bools, another for the bits of integers. */
const logical =
  (bool: string, bits: string): ExportRule =>
  (c) =>
    c.result(c.dtype === 'bool' ? bool : bits, c.node.operands.length === 1 ? [c.x(0)] : operands(c));

/** `near` where |x| < 1, else `far`. */
function nearOrFar(c: ExportCall, x: Name, near: Name, far: Name): Name {
  const isNear = c.emit('Less', [c.emit('Abs', [x]), c.scalar(1)]);
  return c.result('Where', [isNear, near, far]);
}

const shift =
  (direction: 'LEFT' | 'RIGHT'): ExportRule =>
  (c) => {
    if (c.dtype === 'i32' && direction === 'RIGHT') c.refuse('ONNX shifts unsigned integers only');
    const [x, y] = [0, 1].map((i) => (c.dtype === 'u32' ? c.x(i) : c.cast(c.x(i), 'u32')));
    const count = c.emit('BitwiseAnd', [y!, c.scalar(31, 'u32')]);
    if (c.dtype === 'u32') return c.result('BitShift', [x!, count], { direction });
    return c.result('Cast', [c.emit('BitShift', [x!, count], { direction })], { to: elementIds.i32 });
  };

export const elementwiseRules: Readonly<Record<string, ExportRule>> = {
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Mul'),
  div: binary('Div'),
  neg: unary('Neg'),
  abs: unary('Abs'),
  sign: unary('Sign'),
  floor: unary('Floor'),
  ceil: unary('Ceil'),
  round: unary('Round'),
  trunc: (c) => {
    const x = c.x(0);
    return c.result('Mul', [c.emit('Sign', [x]), c.emit('Floor', [c.emit('Abs', [x])])]);
  },
  sqrt: unary('Sqrt'),
  exp: unary('Exp'),
  // 2t / (1 − t) with t = tanh(x / 2) loses nothing near 0, where e^x − 1 does.
  expm1: (c) => {
    const x = c.x(0);
    const t = c.emit('Tanh', [c.emit('Mul', [x, c.scalar(0.5)])]);
    const near = c.emit('Div', [c.emit('Add', [t, t]), c.emit('Sub', [c.scalar(1), t])]);
    return nearOrFar(c, x, near, c.emit('Sub', [c.emit('Exp', [x]), c.scalar(1)]));
  },
  log: unary('Log'),
  // With u = 1 + x as it is rounded, x log(u) / (u − 1) makes good for the rounding (W. Kahan); where u is 1 it is x.
  log1p: (c) => {
    const x = c.x(0);
    const u = c.emit('Add', [x, c.scalar(1)]);
    const log = c.emit('Log', [u]);
    const isOne = c.emit('Equal', [u, c.scalar(1)]);
    const rest = c.emit('Where', [isOne, c.scalar(1), c.emit('Sub', [u, c.scalar(1)])]);
    const near = c.emit('Where', [isOne, x, c.emit('Div', [c.emit('Mul', [x, log]), rest])]);
    return nearOrFar(c, x, near, log);
  },
  sin: unary('Sin'),
  cos: unary('Cos'),
  tanh: unary('Tanh'),
  erf: unary('Erf'),
  atan: unary('Atan'),
  // ONNX has no erfc: exact to the precision of 1, not of itself, where x is large.
  erfc: (c) => c.result('Sub', [c.scalar(1), c.emit('Erf', [c.x(0)])]),
  sigmoid: unary('Sigmoid'),
  pow: binary('Pow'),
  minimum: binary('Min'),
  maximum: binary('Max'),
  mod: (c) => c.result('Mod', operands(c), { fmod: 1 }),
  and: logical('And', 'BitwiseAnd'),
  or: logical('Or', 'BitwiseOr'),
  xor: logical('Xor', 'BitwiseXor'),
  not: logical('Not', 'BitwiseNot'),
  shl: shift('LEFT'),
  shr: shift('RIGHT'),
  eq: binary('Equal'),
  ne: (c) => c.result('Not', [c.emit('Equal', operands(c))]),
  lt: binary('Less'),
  le: binary('LessOrEqual'),
  gt: binary('Greater'),
  ge: binary('GreaterOrEqual'),
  select: (c) => c.result('Where', [c.x(0), c.x(1), c.x(2)]),
  convert: (c) => c.result('Cast', [c.x(0)], { to: elementIds[c.dtype as DType] }),
  stopGradient: unary('Identity'),
  // Checks are of this runtime; the value is what they let through.
  checkIndex: unary('Identity'),
  checkFinite: unary('Identity'),
  barrier: unary('Identity'),
};
