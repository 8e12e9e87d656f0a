// Checks of what layers are made with.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** A count is an integer of at least 1. Throws HDL0003. */
export function checkCount(fn: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw compilerError('HDL0003', {
    what: `${fn} with ${name} ${value}`,
    rule: `${name} is an integer of at least 1`,
    loc: callerLocation(),
  });
}

/** A number in [lo, hi). Throws HDL0003. */
export function checkRange(fn: string, name: string, value: number, lo: number, hi: number): void {
  if (value >= lo && value < hi) return;
  throw compilerError('HDL0003', {
    what: `${fn} with ${name} ${value}`,
    rule: `${name} is a number in [${lo}, ${hi})`,
    loc: callerLocation(),
  });
}

/** One number for both spatial dimensions, or [rows, columns]. */
export type Pair = number | readonly [number, number];

export function pair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}
