// How functions of several ops refuse their arguments: what was attempted, the rule, what to try, at the line of the call.

import { compilerError } from '../graph/errors.ts';
import { callerLocation } from '../graph/location.ts';

export function refuse(
  code: 'HDL0001' | 'HDL0002' | 'HDL0003',
  what: string,
  rule: string,
  hint: string,
): never {
  throw compilerError(code, { what, rule, hint, loc: callerLocation() });
}
