// Floor division and remainder by constants, for indices. Numbers that cannot be negative take unsigned instructions;
// others are lifted by a multiple of the divisor first, since WebAssembly rounds towards zero.

import { type Atom, indexRange } from '../../kernel/affine.ts';
import type { Code } from './encoder.ts';

/** Replaces the number on the stack by its quotient or remainder. */
export function divisionOf(code: Code, atom: Extract<Atom, { kind: 'div' | 'mod' }>): void {
  const { by } = atom;
  const shift = Math.log2(by);
  const isPower = Number.isInteger(shift);
  if (atom.kind === 'mod' && isPower) {
    code.i32(by - 1);
    code.op('i32.and');
    return;
  }
  const { min } = indexRange(atom.x);
  if (isPower) {
    code.i32(shift);
    code.op(min < 0 ? 'i32.shr_s' : 'i32.shr_u');
    return;
  }
  const lift = min < 0 ? Math.ceil(-min / by) : 0;
  if (lift > 0) {
    code.i32(lift * by);
    code.op('i32.add');
  }
  code.i32(by);
  code.op(atom.kind === 'div' ? 'i32.div_u' : 'i32.rem_u');
  if (lift > 0 && atom.kind === 'div') {
    code.i32(lift);
    code.op('i32.sub');
  }
}
