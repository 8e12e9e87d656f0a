// Noise.

import { expectOption, type Transform, type TransformRule } from './transform.ts';

/**
 * Adds normal noise of that standard deviation to each value, as a share of the range from black to white; default 0.05. Throws
 * HDL0003.
 *
 * @example dataset.augment([data.augment.noise({ deviation: 0.1 })])
 */
export function noise({ deviation = 0.05 }: { readonly deviation?: number } = {}): Transform {
  expectOption('noise', 'deviation', deviation, 0);
  return { name: 'noise', options: { deviation } };
}

export const noiseRule: TransformRule = {
  name: 'noise',
  apply: (picture, _shape, draw, options) => {
    const { deviation } = options as { readonly deviation: number };
    for (let i = 0; i < picture.length; i++) picture[i]! += draw.normal(0, deviation);
    return picture;
  },
};
