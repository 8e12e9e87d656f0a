// Initial values drawn from a distribution with given parameters.

import { compilerError } from '../../compiler/graph/errors.ts';
import { fill, type Initializer } from './initializer.ts';

/**
 * Uniform in [lo, hi).
 *
 * @formula U(lo, hi)
 * @source —
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
 * @formula N(m, s²)
 * @source Box and Muller, 1958
 * @example normal(0, 0.01)
 */
export function normal(mean = 0, deviation = 0.05): Initializer {
  return (shape, random) => fill(shape, () => random.normal(mean, deviation));
}

/**
 * Normal with the given mean and standard deviation, drawn again where it is more than two deviations from the mean. What is
 * left has 0.88 of that deviation.
 *
 * @formula N(m, s²) within m ± 2s
 * @source Robert, 1995
 * @example truncatedNormal(0, 0.02)
 */
export function truncatedNormal(mean = 0, deviation = 0.05): Initializer {
  return (shape, random) =>
    fill(shape, () => {
      let z = random.normal();
      while (Math.abs(z) > 2) z = random.normal();
      return mean + deviation * z;
    });
}
