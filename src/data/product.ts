// The product of two numbers: the smallest relation that no linear model can learn.

import { type Draws, drawsOf } from './draws.ts';

export interface ProductOptions {
  /** The draws follow from it; or a stream to draw from. Default 0. */
  readonly seed?: number | Draws | undefined;
}

/**
 * y = x₁ · x₂ for normally distributed x. x f32[n, 2], y f32[n, 1].
 *
 * @example const { x, y } = data.product(1000, { seed: 1 });
 */
export function product(
  n: number,
  options: ProductOptions = {},
): { readonly x: Float32Array; readonly y: Float32Array } {
  const draw = drawsOf(options.seed ?? 0, 'product');
  const x = Float32Array.from({ length: 2 * n }, () => draw.normal());
  return { x, y: Float32Array.from({ length: n }, (_, i) => x[2 * i]! * x[2 * i + 1]!) };
}
