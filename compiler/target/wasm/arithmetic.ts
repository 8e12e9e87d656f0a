// Arithmetic on vectors that takes more than one instruction, or a choice between several.

import { combiner, type Expr, type Monoid, type ScalarType } from '../../kernel/expr.ts';
import type { Of, ValueEmitter } from './emitter.ts';
import { emitIntegerLane } from './integer.ts';
import { binaryOps, constantBits, lanewiseFunctions } from './ops.ts';

/** Byte order that moves each lane's neighbour (by `distance` lanes, exclusive or) into its place. */
const swapLanes = (distance: number): number[] =>
  Array.from({ length: 16 }, (_, i) => (((i >> 2) ^ distance) << 2) | (i & 3));
const splatFirst = Array.from({ length: 16 }, (_, i) => i & 3);

/** A function of two values. Throws HDL0017 for one that the target does not know. */
export function emitBinary(to: ValueEmitter, e: Of<'binary'>): void {
  const { code } = to;
  if (to.relaxed && e.type === 'f32' && emitFused(to, e)) return;
  const op = binaryOps[e.type][e.fn];
  if (op !== undefined) {
    to.emit(e.x);
    to.emit(e.y);
    code.op(op);
    return;
  }
  if (e.type === 'f32' && (e.fn === 'min' || e.fn === 'max')) {
    emitExtreme(to, e, e.fn);
    return;
  }
  if (e.type === 'f32' || e.type === 'bool' || !lanewiseFunctions.has(e.fn))
    throw to.unknown(`${e.fn} of ${e.type}`);
  if ((e.fn === 'shl' || e.fn === 'shr') && e.y.kind === 'const') {
    to.emit(e.x);
    code.i32(e.y.value & 31);
    code.op(e.fn === 'shl' ? 'i32x4.shl' : e.type === 'i32' ? 'i32x4.shr_s' : 'i32x4.shr_u');
    return;
  }
  if (e.type === 'u32' && e.y.kind === 'const' && Number.isInteger(Math.log2(e.y.value))) {
    to.emit(e.x);
    if (e.fn === 'mod') {
      code.get(to.splat(e.y.value - 1));
      code.op('v128.and');
    } else {
      code.i32(Math.log2(e.y.value));
      code.op('i32x4.shr_u');
    }
    return;
  }
  const x = to.toLocal(e.x);
  const y = to.toLocal(e.y);
  const a = to.temporary('i32', 'a');
  const b = to.temporary('i32', 'b');
  code.get(x);
  for (let lane = 0; lane < to.lanes; lane++) {
    code.get(x);
    code.lane('i32x4.extract_lane', lane);
    code.set(a);
    code.get(y);
    code.lane('i32x4.extract_lane', lane);
    code.set(b);
    emitIntegerLane(code, e.fn, e.type, a, b);
    code.lane('i32x4.replace_lane', lane);
  }
}

/** a · b + c (or c − a · b) in one instruction; false when the expression has another form. */
function emitFused(to: ValueEmitter, e: Of<'binary'>): boolean {
  if (e.fn !== 'add' && e.fn !== 'sub') return false;
  const isProduct = (p: Expr): p is Of<'binary'> => p.kind === 'binary' && p.fn === 'mul' && to.uses(p) < 2;
  const product = isProduct(e.y) ? e.y : e.fn === 'add' && isProduct(e.x) ? e.x : null;
  if (product === null) return false;
  to.emit(product.x);
  to.emit(product.y);
  to.emit(product === e.y ? e.x : e.y);
  to.code.op(e.fn === 'add' ? 'f32x4.relaxed_madd' : 'f32x4.relaxed_nmadd');
  return true;
}

/** NaN when either is NaN; x when they are equal. pmax(x, y) is x where x < y fails, so it keeps a NaN of x only. */
function emitExtreme(to: ValueEmitter, e: Of<'binary'>, fn: 'min' | 'max'): void {
  const { code } = to;
  const op = fn === 'min' ? 'f32x4.pmin' : 'f32x4.pmax';
  if (isNumber(e.y)) {
    to.emit(e.x);
    to.emit(e.y);
    code.op(op);
    return;
  }
  const x = to.toLocal(e.x);
  const y = to.toLocal(e.y);
  code.get(x);
  code.get(y);
  code.op(op);
  keepNaN(to, y);
}

/** Whether a value is never NaN, as can be seen at a glance. */
function isNumber(e: Expr): boolean {
  if (e.kind === 'const') return !Number.isNaN(e.value);
  return e.kind === 'select' ? isNumber(e.x) && isNumber(e.y) : e.kind === 'convert';
}

/** Replaces lanes of the vector on the stack by NaN where `y` is NaN: a mask of ones is one. */
function keepNaN(to: ValueEmitter, y: number): void {
  const { code } = to;
  code.get(y);
  code.get(y);
  code.op('f32x4.ne');
  code.op('v128.or');
}

/** The value on the stack in another type. */
export function emitConvert(to: ValueEmitter, from: ScalarType, type: ScalarType): void {
  const { code } = to;
  if (from === type) return;
  if (type === 'bool') {
    code.get(to.splat(0));
    code.op(from === 'f32' ? 'f32x4.ne' : 'i32x4.ne');
  } else if (from === 'bool') {
    code.get(to.splat(constantBits(type, 1)));
    code.op('v128.and');
  } else if (from === 'f32') {
    code.op(type === 'i32' ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f32x4_u');
  } else if (type === 'f32') {
    code.op(from === 'i32' ? 'f32x4.convert_i32x4_s' : 'f32x4.convert_i32x4_u');
  }
}

/** All lanes of a value combined in the order ((0,1),(2,3)), in every lane. */
export function emitHorizontal(to: ValueEmitter, e: Of<'horizontal'>): void {
  const { code } = to;
  const isExtreme = e.type === 'f32' && (e.monoid === 'max' || e.monoid === 'min');
  let x = to.toLocal(e.x);
  for (const distance of [1, 2]) {
    const other = to.temporary('v128', 'v');
    code.get(x);
    code.get(x);
    code.shuffle(swapLanes(distance));
    code.set(other);
    combine(to, e.monoid, e.type, x, other);
    const sum = to.temporary('v128', 'v');
    code.set(sum);
    x = sum;
  }
  code.get(x);
  // Of +0 and −0 the left operand wins, so that lanes may differ.
  if (isExtreme) {
    code.get(x);
    code.shuffle(splatFirst);
  }
}

function combine(to: ValueEmitter, monoid: Monoid, type: ScalarType, x: number, y: number): void {
  const { code } = to;
  const fn = combiner(monoid);
  code.get(x);
  code.get(y);
  const op = binaryOps[type][fn];
  if (op !== undefined) code.op(op);
  else if (type === 'f32' && (fn === 'max' || fn === 'min')) {
    code.op(fn === 'max' ? 'f32x4.pmax' : 'f32x4.pmin');
    keepNaN(to, y);
  } else throw to.unknown(`${fn} of ${type}`);
}
