// Checks of numbers among the options of losses.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** The option lies in [0, 1], or HDL0003 is thrown. */
export function checkFraction(fn: string, name: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw refused(fn, name, value, 'a number in [0, 1]', `choose ${name} in [0, 1]`);
}

/** The option is a positive number, or HDL0003 is thrown. */
export function checkPositive(fn: string, name: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw refused(fn, name, value, 'a number above 0', `choose ${name} above 0`);
}

/** The option is a number of at least 0, or HDL0003 is thrown. */
export function checkNotNegative(fn: string, name: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw refused(fn, name, value, 'a number of at least 0', `choose ${name} of at least 0`);
}

/** HDL0003: the option is not what it must be. */
export function refused(fn: string, name: string, value: unknown, must: string, hint: string): Error {
  return compilerError('HDL0003', {
    what: `${fn} with ${name}: ${String(value)}`,
    rule: `${name} is ${must}`,
    hint,
    loc: callerLocation(),
  });
}
