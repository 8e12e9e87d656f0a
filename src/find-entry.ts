// Which entry of a program is meant, and for which sizes: checks with the words that help.

import { compilerError } from '../compiler/graph/errors.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { nearestName } from '../compiler/graph/nearest.ts';
import type { AnyEntry } from './entry.ts';
import type { Entries } from './program-types.ts';
import { type Dims, dimNames, formatDims } from './spec.ts';

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

/** Sizes for all named dimensions of an entry and no others, in its order. Throws HDL0003. */
export function checkDims(name: string, { inputs }: AnyEntry, dims: Dims): Dims {
  const wanted = dimNames(inputs);
  const ok = (n: string): boolean => Number.isInteger(dims[n]) && dims[n]! >= 1;
  const missing = wanted.filter((n) => !ok(n));
  const extra = Object.keys(dims).filter((n) => !wanted.includes(n));
  if (missing.length === 0 && extra.length === 0) {
    return Object.fromEntries(wanted.map((n) => [n, dims[n]!]));
  }
  throw compilerError('HDL0003', {
    what: `sizes { ${formatDims(dims)} } for entry '${name}'`,
    rule: `its named dimensions are ${wanted.map((n) => `'${n}'`).join(', ') || 'none'}`,
    hint: `pass { ${wanted.map((n) => `${n}: 64`).join(', ')} }`,
    loc: callerLocation(),
  });
}
