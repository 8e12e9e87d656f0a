// The spiral: arms of points that wind around the origin, one class each. No line separates them.

import { type Draws, drawsOf } from './draws.ts';

export interface LabelledPoints {
  /** [points, 2], row-major, class by class. */
  readonly x: Float32Array;
  readonly y: Int32Array;
}

/**
 * `n` points for each of `classes` arms. Point k of arm c has radius k / (n−1) and angle (c + 1.5 · radius) · 2π/classes plus
 * normal noise. The draws follow from the seed, or come from a stream.
 *
 * @example const { x, y } = data.spiral(100, 3, 1);
 */
export function spiral(n: number, classes = 3, seed: number | Draws = 0, noise = 0.1): LabelledPoints {
  const draw = drawsOf(seed, 'spiral');
  const x = new Float32Array(n * classes * 2);
  const y = new Int32Array(n * classes);
  const arm = (2 * Math.PI) / classes;
  for (let c = 0; c < classes; c++) {
    for (let k = 0; k < n; k++) {
      const radius = n === 1 ? 0 : k / (n - 1);
      const angle = arm * (c + 1.5 * radius) + draw.normal(0, noise);
      const i = c * n + k;
      x[2 * i] = radius * Math.sin(angle);
      x[2 * i + 1] = radius * Math.cos(angle);
      y[i] = c;
    }
  }
  return { x, y };
}
