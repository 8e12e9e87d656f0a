// A linear relation, with noise: what linear regression has to find again.

import { type Draws, drawsOf } from './draws.ts';

export interface LinearOptions {
  /** The draws follow from it; or a stream to draw from. Default 0. */
  readonly seed?: number | Draws | undefined;
  /** Coordinates of a point; default 10. */
  readonly features?: number | undefined;
  /** Deviation of the normal noise that each value gets; default 0. */
  readonly noise?: number | undefined;
}

export interface LinearPoints {
  /** [n, features], row-major. */
  readonly x: Float32Array;
  /** [n, 1] */
  readonly y: Float32Array;
  /** What y was made with: [features]. */
  readonly weights: Float32Array;
  readonly bias: number;
}

/**
 * y = x · w + b, and noise. x, w and b are drawn in this order, from the standard normal distribution, and rounded to f32; noise is
 * drawn last. y is computed of the rounded numbers in float64, then rounded.
 *
 * @example const { x, y, weights, bias } = data.linear(100, { seed: 1, noise: 0.01 });
 */
export function linear(n: number, options: LinearOptions = {}): LinearPoints {
  const { seed = 0, features = 10, noise = 0 } = options;
  const draw = drawsOf(seed, 'linear');
  const normals = (count: number): Float32Array => Float32Array.from({ length: count }, () => draw.normal());
  const x = normals(n * features);
  const weights = normals(features);
  const bias = Math.fround(draw.normal());
  const y = Float32Array.from({ length: n }, (_, i) => {
    let sum = bias;
    for (let f = 0; f < features; f++) sum += x[i * features + f]! * weights[f]!;
    return noise === 0 ? sum : sum + draw.normal(0, noise);
  });
  return { x, y, weights, bias };
}
