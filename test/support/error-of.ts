// The parts of an error that tests hold, as one text.

import { HeddleError } from '../../runtime/errors.ts';

/** `code: what: rule (hint)` of the HeddleError that `f` throws; 'no error' when it throws none. */
export function errorOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (!(e instanceof HeddleError)) throw e;
    return `${e.code}: ${e.parts.what}: ${e.parts.rule} (${e.parts.hint})`;
  }
  return 'no error';
}
