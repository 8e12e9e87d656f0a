// Checks of numbers among the options of losses.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** The option lies in [0, 1], or HDL0003 is thrown. */
export function checkFraction(fn: string, name: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw refused(fn, name, value, 'in [0, 1]');
}

/** The option is a positive number, or HDL0003 is thrown. */
export function checkPositive(fn: string, name: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw refused(fn, name, value, 'above 0');
}

function refused(fn: string, name: string, value: number, range: string): Error {
  return compilerError('HDL0003', {
    what: `${fn} with ${name}: ${value}`,
    rule: `${name} is a number ${range}`,
    hint: `choose ${name} ${range}`,
    loc: callerLocation(),
  });
}
