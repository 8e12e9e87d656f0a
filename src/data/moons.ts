// Two half moons that reach into each other: two classes that no line separates.

import { type Draws, drawsOf } from './draws.ts';
import type { LabelledPoints } from './spiral.ts';

export interface MoonsOptions {
  /** The draws follow from it; or a stream to draw from. Default 0. */
  readonly seed?: number | Draws | undefined;
  /** Deviation of the normal noise that each coordinate gets; default 0.04. */
  readonly noise?: number | undefined;
}

/**
 * ⌊n/2⌋ points along (cos φ, sin φ) (label 0), then the others along (1 − cos φ, ½ − sin φ) (label 1), φ from 0 to π.
 * x f32[n, 2], y i32[n].
 *
 * @example const { x, y } = data.moons(1000, { seed: 1 });
 */
export function moons(n: number, options: MoonsOptions = {}): LabelledPoints {
  const { seed = 0, noise = 0.04 } = options;
  const draw = drawsOf(seed, 'moons');
  const upper = Math.floor(n / 2);
  const x = new Float32Array(2 * n);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const isLower = i >= upper;
    const count = isLower ? n - upper : upper;
    const angle = count === 1 ? 0 : (Math.PI * (isLower ? i - upper : i)) / (count - 1);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    x[2 * i] = (isLower ? 1 - cos : cos) + draw.normal(0, noise);
    x[2 * i + 1] = (isLower ? 0.5 - sin : sin) + draw.normal(0, noise);
    y[i] = Number(isLower);
  }
  return { x, y };
}
