// Initial values without chance: zeros, ones, a number, given values.

import { compilerError } from '../../compiler/graph/errors.ts';
import { elementCount, formatShape } from '../../compiler/graph/types.ts';
import type { Initializer } from './initializer.ts';

/**
 * Every element is `value`.
 *
 * @formula c
 * @source —
 * @example constant(0.1)
 */
export function constant(value: number): Initializer {
  // Whole arrays at once: element by element a net's zeros took longer than a pass of the compiler, in code run for the first time.
  return (shape) => new Float32Array(elementCount(shape)).fill(value);
}

/**
 * Zeros: what biases start with.
 *
 * @formula 0
 * @source —
 */
export function zeros(): Initializer {
  return constant(0);
}

/**
 * Ones: what the scale of a normalization starts with.
 *
 * @formula 1
 * @source —
 */
export function ones(): Initializer {
  return constant(1);
}

/**
 * Given values, row-major. Throws HDL0009 when their number is not that of the variable's elements.
 *
 * @formula the given values
 * @source —
 * @example fromArray([0.5, -0.5])
 */
export function fromArray(values: ArrayLike<number>): Initializer {
  return (shape) => {
    if (values.length !== elementCount(shape)) {
      throw compilerError('HDL0009', {
        what: `fromArray with ${values.length} values for a variable of shape ${formatShape(shape)}`,
        rule: `shape ${formatShape(shape)} has ${elementCount(shape)} elements`,
        hint: 'pass one value for each element, row-major',
      });
    }
    return new Float32Array(values);
  };
}
