// From a checkpoint's variables to those of a program: all of them, or none.

import { nearestName } from '../../compiler/graph/nearest.ts';
import { runtimeError } from '../../runtime/errors.ts';
import { formatTensor, type RunTensor } from '../../runtime/tensor.ts';

/** Every known variable has a value of its type, and every value is for one of them, or HDL1020 is thrown. */
export function expectFits(
  known: readonly Pick<RunTensor & { readonly name: string }, 'name' | 'dtype' | 'shape'>[],
  values: ReadonlyMap<string, Pick<RunTensor, 'dtype' | 'shape'>>,
): void {
  const fail = (what: string, rule: string, hint: string): Error =>
    runtimeError('HDL1020', { what: `checkpoint cannot be restored: ${what}`, rule, hint });
  const names = new Set(known.map(({ name }) => name));
  for (const { name, dtype, shape } of known) {
    const value = values.get(name);
    if (value === undefined) {
      const near = nearestName(
        name,
        [...values.keys()].filter((other) => !names.has(other)),
      );
      throw fail(
        `it has no '${name}'`,
        'it has a value for each variable',
        near === null
          ? 'use a checkpoint of the same net and optimizer; model.load takes the weights alone'
          : `it has '${near}': use a checkpoint of the same net and optimizer`,
      );
    }
    if (value.dtype !== dtype || value.shape.join() !== shape.join()) {
      throw fail(
        `'${name}' is ${formatTensor(value)}`,
        `here it is ${formatTensor({ dtype, shape })}`,
        'use a checkpoint of the same net and optimizer',
      );
    }
  }
  const extra = [...values.keys()].find((name) => !names.has(name));
  if (extra === undefined) return;
  throw fail(
    `it has '${extra}'`,
    `the program has no such variable${names.size === 0 ? ' yet' : ''}`,
    'compile the entries that use it first: await program.compile(…); or use a checkpoint of the same net and optimizer',
  );
}
