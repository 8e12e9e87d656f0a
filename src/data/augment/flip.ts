// Mirroring.

import { expectOption, type Transform, type TransformRule } from './transform.ts';

export interface FlipOptions {
  /** Probability of left and right changing places; default 0.5. */
  readonly horizontal?: number;
  /** Probability of top and bottom changing places; default 0. */
  readonly vertical?: number;
}

/**
 * Mirrors pictures at random. Throws HDL0003.
 *
 * @example dataset.augment([data.augment.flip()])
 */
export function flip({ horizontal = 0.5, vertical = 0 }: FlipOptions = {}): Transform {
  expectOption('flip', 'horizontal', horizontal, 0, 1);
  expectOption('flip', 'vertical', vertical, 0, 1);
  return { name: 'flip', options: { horizontal, vertical } };
}

export const flipRule: TransformRule = {
  name: 'flip',
  apply: (picture, [channels, height, width], draw, options) => {
    const { horizontal, vertical } = options as Required<FlipOptions>;
    // Both are drawn always, so that one does not depend on the other.
    const isMirrored = draw.uniform() < horizontal;
    const isUpsideDown = draw.uniform() < vertical;
    const rows = channels * height;
    if (isMirrored) {
      for (let row = 0; row < rows; row++) picture.subarray(row * width, (row + 1) * width).reverse();
    }
    if (isUpsideDown) {
      const kept = new Float32Array(width);
      for (let c = 0; c < channels; c++) {
        for (let top = 0, bottom = height - 1; top < bottom; top++, bottom--) {
          const [a, b] = [(c * height + top) * width, (c * height + bottom) * width];
          kept.set(picture.subarray(a, a + width));
          picture.copyWithin(a, b, b + width);
          picture.set(kept, b);
        }
      }
    }
    return picture;
  },
};
