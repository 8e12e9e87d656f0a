// Integer functions that WebAssembly has for single numbers only, with the rules of Kernel IR: x / 0 = 0, x mod 0 = 0,
// and the quotient of the least i32 by −1 wraps. The instructions themselves would trap.

import type { BinaryFunction } from '../../kernel/expr.ts';
import type { Code } from './encoder.ts';

/** Leaves fn(a, b) on the stack, for numbers in the locals `a` and `b`. */
export function emitIntegerLane(
  code: Code,
  fn: BinaryFunction,
  type: 'i32' | 'u32',
  a: number,
  b: number,
): void {
  const both = (): void => {
    code.get(a);
    code.get(b);
  };
  if (fn === 'shl' || fn === 'shr') {
    both();
    code.op(fn === 'shl' ? 'i32.shl' : type === 'i32' ? 'i32.shr_s' : 'i32.shr_u');
    return;
  }
  code.get(b);
  if (fn === 'div' && type === 'i32') {
    // For b = 0 and b = −1 the product has the right value: 0, and −a wrapped.
    code.i32(1);
    code.op('i32.add');
    code.i32(1);
    code.op('i32.gt_u');
    code.if('i32');
    both();
    code.op('i32.div_s');
    code.else();
    both();
    code.op('i32.mul');
    code.end();
    return;
  }
  code.if('i32');
  both();
  code.op(fn === 'div' ? 'i32.div_u' : type === 'i32' ? 'i32.rem_s' : 'i32.rem_u');
  code.else();
  code.i32(0);
  code.end();
}
