// Limits on gradients.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, div, minimum, mul, sqrt, square, sum } from '../../compiler/ops/index.ts';

/** The square root of the sum of all squares. f32 values of any shapes → f32[]. */
export function globalNorm(values: readonly Tensor[]): Tensor<readonly [], 'f32'> {
  return scope('globalNorm', () => {
    const squares: Tensor[] = values.map((v) => sum(square(v)));
    return sqrt(squares.reduce((a, b) => add(a, b))) as Tensor as Tensor<readonly [], 'f32'>;
  });
}

/**
 * All values scaled by min(1, limit / (global norm + 1e-6)): their direction stays.
 *
 * @example const gradients = optimizers.clipByGlobalNorm(grad(loss, parameters), 1);
 */
export function clipByGlobalNorm(values: readonly Tensor[], limit: number): Tensor[] {
  return scope('clip', () => {
    const factor: Tensor = minimum(div(limit, add(globalNorm(values), 1e-6)), 1);
    return values.map((v): Tensor => mul(v, factor));
  });
}
