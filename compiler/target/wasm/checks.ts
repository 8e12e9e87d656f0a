// Checks: a value goes through, and when a lane of it is wrong, words of the flags say so (see `checkIndex` in
// kernel/expr.ts). Right values cost a comparison and a branch.

import { constant } from '../../kernel/expr.ts';
import type { Of, ValueEmitter } from './emitter.ts';

/** Leaves 1 on the stack when a lane that counts is false in the mask on the stack. */
function anyFalse(to: ValueEmitter): void {
  const { code } = to;
  if (to.lanes === 4) code.op('i32x4.all_true');
  else {
    const mask = to.temporary('v128', 'v');
    code.tee(mask);
    code.lane('i32x4.extract_lane', 0);
    if (to.lanes === 2) {
      code.get(mask);
      code.lane('i32x4.extract_lane', 1);
      code.op('i32.and');
    }
  }
  code.op('i32.eqz');
}

/** The index, clamped when it is outside; then the flags say so. */
export function emitCheckIndex(to: ValueEmitter, e: Of<'checkIndex'>): void {
  const { code } = to;
  const flags = to.flags();
  const x = to.temporary('v128', 'v');
  const lane = to.temporary('i32', 'a');
  to.emit(e.x);
  code.tee(x);
  code.get(to.splat(e.size));
  code.op('i32x4.lt_u');
  anyFalse(to);
  code.if();
  for (let l = 0; l < to.lanes; l++) {
    code.get(x);
    code.lane('i32x4.extract_lane', l);
    code.tee(lane);
    code.i32(e.size);
    code.op('i32.ge_u');
    code.if();
    code.get(flags);
    code.get(lane);
    code.memory('i32.store', 4 * (e.site + 1));
    code.end();
  }
  code.get(flags);
  code.i32(1);
  code.memory('i32.store', 0);
  to.emit(constant('i32', 0));
  code.get(x);
  code.op('i32x4.max_s');
  to.emit(constant('i32', Math.max(0, e.size - 1)));
  code.op('i32x4.min_s');
  code.set(x);
  code.end();
  code.get(x);
}

/** The number; when it is not finite, the flags say so. */
export function emitCheckFinite(to: ValueEmitter, e: Of<'checkFinite'>): void {
  const { code } = to;
  const flags = to.flags();
  const x = to.toLocal(e.x);
  code.get(x);
  code.op('f32x4.abs');
  to.emit(constant('f32', Number.POSITIVE_INFINITY));
  code.op('f32x4.lt');
  anyFalse(to);
  code.if();
  for (const word of [e.site + 1, 0]) {
    code.get(flags);
    code.i32(1);
    code.memory('i32.store', 4 * word);
  }
  code.end();
  code.get(x);
}
