// What figures are given: numbers, as many as belong together. Everything else is refused before anything is drawn.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';

/** HDL0016: what a function of `plot` was given, the rule, what to try. */
export function refuse(what: string, rule: string, hint: string): never {
  throw compilerError('HDL0016', { what: `plot.${what}`, rule, hint, loc: callerLocation() });
}

/** A list of numbers that is not empty, or HDL0016 is thrown. */
export function expectNumbers(what: string, values: unknown): asserts values is ArrayLike<number> {
  if (values instanceof Promise) {
    refuse(
      `${what} is a promise`,
      'what is drawn is there when the figure is made',
      'await it: await model.fit(…)',
    );
  }
  const list = values as ArrayLike<unknown> | null | undefined;
  if (typeof values !== 'object' || typeof list?.length !== 'number') {
    refuse(
      `${what} is ${describe(values)}`,
      'it is a list of numbers',
      'pass an array, or the data of a tensor: result.data',
    );
  }
  if (list.length === 0)
    refuse(`${what} is empty`, 'there is at least one number', 'check where it comes from');
  for (let i = 0; i < list.length; i++) {
    if (typeof list[i] !== 'number')
      refuse(
        `${what} has ${describe(list[i])} at position ${i}`,
        'it is a list of numbers',
        'flatten it, or convert it',
      );
  }
}

/** Numbers for each of `count` things, or HDL0016 is thrown. */
export function expectCount(what: string, values: ArrayLike<number>, wanted: number, of: string): void {
  if (values.length === wanted) return;
  refuse(
    `${what} has ${values.length} numbers`,
    `it has ${wanted}: ${of}`,
    'check that both are of the same examples',
  );
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' ? `'${value}'` : String(value);
  return `a ${value.constructor?.name ?? 'object'}`;
}
