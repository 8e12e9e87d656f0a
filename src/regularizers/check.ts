// The check that factors of penalties share.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** A factor is a number of at least 0. Throws HDL0003. */
export function checkFactor(fn: string, factor: number): void {
  if (factor >= 0 && Number.isFinite(factor)) return;
  throw compilerError('HDL0003', {
    what: `${fn}(${factor})`,
    rule: 'its factor is a number of at least 0',
    hint: 'common factors lie between 1e-5 and 1e-2',
    loc: callerLocation(),
  });
}
