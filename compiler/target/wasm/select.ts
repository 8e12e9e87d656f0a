// Selects. Masks are ones or zeros in all bits of a lane, so that a zero on one side is one instruction, and a number that
// is only negated is an exclusive or. Otherwise three, or one with relaxed SIMD (whose result is the same for such masks).

import type { Expr } from '../../kernel/expr.ts';
import type { Of, ValueEmitter } from './emitter.ts';
import { constantBits } from './ops.ts';

/** x in the lanes of the condition, else y. */
export function emitSelect(to: ValueEmitter, e: Of<'select'>): void {
  const { code } = to;
  if (e.rare) emitRare(to, e);
  else if (isZero(e.y)) {
    to.emit(e.x);
    to.emit(e.cond);
    code.op('v128.and');
  } else if (isZero(e.x)) {
    to.emit(e.y);
    to.emit(e.cond);
    code.op('v128.andnot');
  } else if (isMinus(e.x, e.y)) {
    to.emit(e.y);
    to.emit(e.cond);
    code.get(to.splat(signBit));
    code.op('v128.and');
    code.op('v128.xor');
  } else if (isMinus(e.y, e.x)) {
    to.emit(e.x);
    code.get(to.splat(signBit));
    to.emit(e.cond);
    code.op('v128.andnot');
    code.op('v128.xor');
  } else {
    to.emit(e.x);
    to.emit(e.y);
    to.emit(e.cond);
    choose(to);
  }
}

/** Of the vectors x, y and the mask on the stack. */
function choose(to: ValueEmitter): void {
  to.code.op(to.relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect');
}

/** Computes y, and x only when a lane needs it. */
function emitRare(to: ValueEmitter, e: Of<'select'>): void {
  const { code } = to;
  if (to.tests !== null) {
    to.tests.add(to, e.cond);
    to.emit(e.y);
    return;
  }
  const value = to.temporary('v128', 'v');
  to.emit(e.y);
  code.set(value);
  const cond = to.toLocal(e.cond);
  code.get(cond);
  // Lanes that do not count may ask for x too: that costs time only. `bitmask` is one instruction and a test on most machines,
  // where v128.any_true is four and a test.
  if (to.lanes > 1) code.op('i32x4.bitmask');
  else code.lane('i32x4.extract_lane', 0);
  code.if();
  to.side(e.x);
  code.get(value);
  code.get(cond);
  choose(to);
  code.set(value);
  code.end();
  code.get(value);
}

const signBit = 0x80000000;

function isZero(e: Expr): boolean {
  return e.kind === 'const' && constantBits(e.type, e.value) === 0;
}

/** Whether x is −y, in f32. */
function isMinus(x: Expr, y: Expr): boolean {
  return x.kind === 'unary' && x.fn === 'neg' && x.type === 'f32' && x.x === y;
}
