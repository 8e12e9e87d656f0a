// Initial values drawn from a distribution with given parameters.

import { compilerError } from '../../compiler/graph/errors.ts';
import { fill, type Initializer } from './initializer.ts';

/**
 * Uniform in [lo, hi).
 *
 * @example uniform(-0.1, 0.1)
 */
export function uniform(lo = -0.05, hi = 0.05): Initializer {
  if (!(lo <= hi)) {
    throw compilerError('HDL0003', {
      what: `uniform(${lo}, ${hi})`,
      rule: 'the lower bound is at most the upper bound',
      hint: `swap them: uniform(${hi}, ${lo})`,
    });
  }
  return (shape, random) => fill(shape, () => random.uniform(lo, hi));
}

/**
 * Normal with the given mean and standard deviation.
 *
 * @example normal(0, 0.01)
 */
export function normal(mean = 0, deviation = 0.05): Initializer {
  return (shape, random) => fill(shape, () => random.normal(mean, deviation));
}
