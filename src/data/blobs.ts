// Blobs: round clouds of points, one class each.

import { type Draws, drawsOf } from './draws.ts';
import type { LabelledPoints } from './spiral.ts';

export interface BlobsOptions {
  /** The draws follow from it; or a stream to draw from. Default 0. */
  readonly seed?: number | Draws | undefined;
  /** Number of clouds; default 3. */
  readonly classes?: number | undefined;
  /** Coordinates of a point; default 2. */
  readonly features?: number | undefined;
  /** Deviation of a cloud; default 1. */
  readonly deviation?: number | undefined;
  /** Centers are drawn evenly from [−box, box) in each coordinate; default 10. */
  readonly box?: number | undefined;
}

/**
 * `n` points around random centers: class by class, as equal in number as can be, the first classes having one more. Centers
 * are drawn before points. x f32[n, features], y i32[n].
 *
 * @example const { x, y } = data.blobs(300, { seed: 1, classes: 4 });
 */
export function blobs(n: number, options: BlobsOptions = {}): LabelledPoints {
  const { seed = 0, classes = 3, features = 2, deviation = 1, box = 10 } = options;
  const draw = drawsOf(seed, 'blobs');
  const centers = Float64Array.from({ length: classes * features }, () => draw.uniform(-box, box));
  const x = new Float32Array(n * features);
  const y = new Int32Array(n);
  let i = 0;
  for (let c = 0; c < classes; c++) {
    const count = Math.floor(n / classes) + Number(c < n % classes);
    for (let k = 0; k < count; k++, i++) {
      for (let f = 0; f < features; f++)
        x[i * features + f] = draw.normal(centers[c * features + f], deviation);
      y[i] = c;
    }
  }
  return { x, y };
}
