// Limits on gradients.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, clip, div, minimum, mul, sqrt, square, sum } from '../../compiler/ops/index.ts';

/** Which limits an optimizer sets, applied in this order; default: none. */
export interface ClipOptions {
  /** Each element of a gradient lies in ±clipValue. */
  readonly clipValue?: number | undefined;
  /** Each gradient is scaled down to this norm, by itself. */
  readonly clipEachNorm?: number | undefined;
  /** All gradients together are scaled down to this norm. */
  readonly clipNorm?: number | undefined;
}

/** The square root of the sum of all squares. f32 values of any shapes → f32[]. */
export function globalNorm(values: readonly Tensor[]): Tensor<readonly [], 'f32'> {
  return scope('globalNorm', () => {
    const squares: Tensor[] = values.map((v) => sum(square(v)));
    return sqrt(squares.reduce((a, b) => add(a, b))) as Tensor as Tensor<readonly [], 'f32'>;
  });
}

/**
 * Each element limited to ±limit.
 *
 * @formula min(max(g, −c), c)
 * @source Mikolov, 2012
 * @example const gradients = optimizers.clipByValue(grad(loss, parameters), 0.5);
 */
export function clipByValue(values: readonly Tensor[], limit: number): Tensor[] {
  return scope('clip', () => values.map((v): Tensor => clip(v, -limit, limit)));
}

/**
 * Each value scaled so that its own norm is at most the limit.
 *
 * @formula g · min(1, c / (‖g‖ + 1e-6))
 * @source Pascanu et al., 2013
 * @example const gradients = optimizers.clipByNorm(grad(loss, parameters), 1);
 */
export function clipByNorm(values: readonly Tensor[], limit: number): Tensor[] {
  return values.flatMap((v) => clipByGlobalNorm([v], limit));
}

/**
 * All values scaled alike: their direction stays.
 *
 * @formula g · min(1, c / (‖all g‖ + 1e-6))
 * @source Pascanu et al., 2013
 * @example const gradients = optimizers.clipByGlobalNorm(grad(loss, parameters), 1);
 */
export function clipByGlobalNorm(values: readonly Tensor[], limit: number): Tensor[] {
  return scope('clip', () => {
    const factor: Tensor = minimum(div(limit, add(globalNorm(values), 1e-6)), 1);
    return values.map((v): Tensor => mul(v, factor));
  });
}

/** Gradients after the limits that are set. */
export function clipGradients(given: readonly Tensor[], options: ClipOptions): readonly Tensor[] {
  const { clipValue, clipEachNorm, clipNorm } = options;
  let values = given;
  if (clipValue !== undefined) values = clipByValue(values, clipValue);
  if (clipEachNorm !== undefined) values = clipByNorm(values, clipEachNorm);
  if (clipNorm !== undefined) values = clipByGlobalNorm(values, clipNorm);
  return values;
}
