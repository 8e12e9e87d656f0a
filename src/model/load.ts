// Values of variables from a saved model.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { nearestName } from '../../compiler/graph/nearest.ts';
import { formatType } from '../../compiler/graph/types.ts';
import { loadPlans } from '../../runtime/file.ts';
import type { Program } from '../program.ts';

/**
 * Sets the variables of `program` to the values of the file. Those of its net must all be there, with their types; state of an
 * optimizer is set where both have it. Throws HDL1006, HDL0015 before anything is set.
 */
export function loadVariables(program: Program, bytes: Uint8Array, entry: string, batch: number): void {
  // Only values are taken: nothing of the file's code is run.
  const { variables: saved } = loadPlans(bytes, { trust: 'js' });
  const isOptimizers = (name: string): boolean => name.startsWith('optimizer/');
  // Building an entry makes its variables known.
  program.layers(entry, { batch });
  const known = program.variables();
  const fail = (what: string, rule: string, hint: string): never => {
    throw compilerError('HDL0015', { what, rule, hint, loc: callerLocation() });
  };
  const hint = 'load what a model of the same layers has saved';
  for (const { name, dtype, shape } of known) {
    const value = saved.get(name);
    if (value === undefined) {
      if (isOptimizers(name) || name.startsWith('random/')) continue;
      const near = nearestName(name, [...saved.keys()]);
      fail(
        `load of a file without '${name}'`,
        'the file has a value for each variable of the net',
        near === null ? hint : `the file has '${near}'; ${hint}`,
      );
    } else if (value.dtype !== dtype || value.shape.join() !== shape.join()) {
      fail(
        `load of '${name}' as ${formatType({ dtype: value.dtype, shape: value.shape })}`,
        `in this model it is ${formatType({ dtype, shape })}`,
        hint,
      );
    }
  }
  const names = new Set(known.map(({ name }) => name));
  const extra = [...saved.keys()].find(
    (name) => !names.has(name) && !isOptimizers(name) && !name.startsWith('random/'),
  );
  if (extra !== undefined) {
    fail(`load of a file with '${extra}'`, 'this model has no such variable', hint);
  }
  for (const { name } of known) {
    const value = saved.get(name);
    if (value !== undefined) program.set(name, value.data);
  }
}
