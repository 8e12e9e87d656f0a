// Shifting: a random window of the padded picture, of the picture's size.

import { expectOption, type Transform, type TransformRule } from './transform.ts';

export interface CropOptions {
  /** Pixels that are added on each side before the window is taken; default 4. */
  readonly padding?: number;
  /** What they are filled with; default 0. */
  readonly fill?: number;
}

/**
 * Takes a random window of pictures that were padded on all sides: shifts them by up to `padding` pixels. Throws HDL0003.
 *
 * @example dataset.augment([data.augment.crop({ padding: 4 })])
 */
export function crop({ padding = 4, fill = 0 }: CropOptions = {}): Transform {
  expectOption('crop', 'padding', Number.isInteger(padding) ? padding : Number.NaN, 0);
  return { name: 'crop', options: { padding, fill } };
}

export const cropRule: TransformRule = {
  name: 'crop',
  apply: (picture, [channels, height, width], draw, options) => {
    const { padding, fill } = options as Required<CropOptions>;
    const down = draw.int(2 * padding + 1) - padding;
    const right = draw.int(2 * padding + 1) - padding;
    if (down === 0 && right === 0) return picture;
    const out = new Float32Array(picture.length).fill(fill);
    const [first, last] = [Math.max(0, -right), Math.min(width, width - right)];
    if (first >= last) return out;
    for (let c = 0; c < channels; c++) {
      for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
        const from = (c * height + row + down) * width + right;
        out.set(picture.subarray(from + first, from + last), (c * height + row) * width + first);
      }
    }
    return out;
  },
};
