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

/** How many spatial dimensions a layer has. */
export type Rank = 1 | 2 | 3;

/** One number for all spatial dimensions, or one for each: [depth, rows, columns]. */
export type PerAxis<R extends Rank = Rank> =
  | number
  | { 1: readonly [number]; 2: readonly [number, number]; 3: readonly [number, number, number] }[R];

/** One integer of at least `min` for each spatial dimension. Throws HDL0003. */
export function perAxis(fn: string, name: string, value: PerAxis, rank: Rank, min: number = 1): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  const wrong = list.find((n) => !Number.isInteger(n) || n < min);
  if (wrong === undefined && list.length === rank) return list;
  throw compilerError('HDL0003', {
    what: `${fn} with ${name} ${wrong ?? `[${list.join(', ')}]`}`,
    rule:
      wrong === undefined
        ? `${name} is one number, or a list of ${rank}, one for each spatial dimension`
        : `${name} is an integer of at least ${min}`,
    loc: callerLocation(),
  });
}
