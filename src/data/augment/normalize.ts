// Centring: values around 0, as nets like them.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { expectOption, type Transform, type TransformRule } from './transform.ts';

export interface NormalizeOptions {
  /** One number, or one for each channel; as fractions of 255 for bytes. Default 0. */
  readonly mean?: number | readonly number[];
  /** Default 1. */
  readonly deviation?: number | readonly number[];
}

/**
 * (x − mean) / deviation, with what `data.statistics` returns, or with numbers for each channel. Comes last: what is random before it sees
 * values from 0 to 1. Throws HDL0003 (a deviation that is not above 0), and, when pictures come, HDL0016 (another number of
 * channels).
 *
 * @example dataset.augment([data.augment.flip(), data.augment.normalize(data.statistics(train.images))])
 */
export function normalize({ mean = 0, deviation = 1 }: NormalizeOptions = {}): Transform {
  const means = [mean].flat();
  const deviations = [deviation].flat();
  for (const d of deviations) expectOption('normalize', 'deviation', d, Number.MIN_VALUE);
  for (const m of means) expectOption('normalize', 'mean', m, Number.NEGATIVE_INFINITY);
  return { name: 'normalize', options: { means, deviations } };
}

export const normalizeRule: TransformRule = {
  name: 'normalize',
  apply: (picture, [channels, height, width], _draw, options) => {
    const { means, deviations } = options as {
      readonly means: readonly number[];
      readonly deviations: readonly number[];
    };
    const odd = [means, deviations].find((list) => list.length !== 1 && list.length !== channels);
    if (odd !== undefined) {
      throw compilerError('HDL0016', {
        what: `normalize by ${odd.length} numbers of pictures with ${channels} channels`,
        rule: 'mean and deviation are one number, or one for each channel',
        hint: 'check the order of dimensions: [channels, height, width]',
      });
    }
    const plane = height * width;
    for (let c = 0; c < channels; c++) {
      const mean = means[c % means.length]!;
      const scale = 1 / deviations[c % deviations.length]!;
      for (let i = c * plane; i < (c + 1) * plane; i++) picture[i] = (picture[i]! - mean) * scale;
    }
    return picture;
  },
};
