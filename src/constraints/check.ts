// The check that limits share.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** A limit is a number above 0. Throws HDL0003. */
export function checkLimit(fn: string, limit: number): void {
  if (limit > 0 && Number.isFinite(limit)) return;
  throw compilerError('HDL0003', {
    what: `${fn}(${limit})`,
    rule: 'its limit is a number above 0',
    hint: `common limits lie between 1 and 4: ${fn}(3)`,
    loc: callerLocation(),
  });
}
