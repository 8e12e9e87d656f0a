// The length of each unit's weights, spread over them.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { sqrt, square, sum } from '../../compiler/ops/index.ts';
import { unitAxes } from '../units.ts';

/** Added to a length that something is divided by. */
export const least = 1e-7;

/** √Σ w² over the weights of each unit; `axes` where they lie otherwise. */
export function unitNorms(value: Tensor, axes: readonly number[] = unitAxes(value)): Tensor {
  return sqrt(sum(square(value), axes, { keepDims: true }));
}
