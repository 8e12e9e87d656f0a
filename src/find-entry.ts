// Which entry or variable of a program is meant: checks with the words that help.

import { compilerError } from '../compiler/graph/errors.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { nearestName } from '../compiler/graph/nearest.ts';
import { type HeddleError, runtimeError } from '../runtime/errors.ts';
import type { AnyEntry } from './entry.ts';
import type { Entries } from './program-types.ts';

/** The entry of that name. Throws HDL0014. */
export function findEntry(entries: Entries, name: string): AnyEntry {
  const found = Object.hasOwn(entries, name) ? entries[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(entries);
  const near = nearestName(name, known);
  throw compilerError('HDL0014', {
    what: `the program has no entry '${name}'`,
    rule: `its entries are ${known.map((n) => `'${n}'`).join(', ') || 'none'}`,
    hint: near === null ? 'use one of these' : `did you mean '${near}'?`,
    loc: callerLocation(),
  });
}

export function unknownVariable(name: string, known: readonly string[]): HeddleError {
  return runtimeError('HDL1008', {
    what: `the program has no variable '${name}'`,
    rule: 'variables are those of the entries compiled so far, named by scope path',
    hint: known.length === 0 ? 'compile or run an entry first' : nearestHint(name, known),
  });
}

/** The name that was probably meant, or those that there are. */
export function nearestHint(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === null ? `there are ${known.slice(0, 12).join(', ')}` : `did you mean '${near}'?`;
}
