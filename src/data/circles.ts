// Two circles, one inside of the other: two classes that no line separates.

import { type Draws, drawsOf } from './draws.ts';
import type { LabelledPoints } from './spiral.ts';

export interface CirclesOptions {
  /** The draws follow from it; or a stream to draw from. Default 0. */
  readonly seed?: number | Draws | undefined;
  /** Deviation of the normal noise that each coordinate gets; default 0.04. */
  readonly noise?: number | undefined;
  /** Radius of the inner circle; default 0.8. The outer one has 1. */
  readonly factor?: number | undefined;
}

/**
 * ⌊n/2⌋ points evenly around a circle of radius 1 (label 0), then the others around one of radius `factor` (label 1), from angle 0
 * on, against the clock. x f32[n, 2], y i32[n].
 *
 * @example const { x, y } = data.circles(1000, { seed: 1, noise: 0.05, factor: 0.5 });
 */
export function circles(n: number, options: CirclesOptions = {}): LabelledPoints {
  const { seed = 0, noise = 0.04, factor = 0.8 } = options;
  const draw = drawsOf(seed, 'circles');
  const outer = Math.floor(n / 2);
  const x = new Float32Array(2 * n);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const isInner = i >= outer;
    const angle = (2 * Math.PI * (isInner ? i - outer : i)) / (isInner ? n - outer : outer);
    const radius = isInner ? factor : 1;
    x[2 * i] = radius * Math.cos(angle) + draw.normal(0, noise);
    x[2 * i + 1] = radius * Math.sin(angle) + draw.normal(0, noise);
    y[i] = Number(isInner);
  }
  return { x, y };
}
