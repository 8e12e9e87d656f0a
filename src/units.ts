// The weights of each unit: of a dense weight [in, out] the columns, of a convolution's [out, in, ...kernel] what lies under
// the first dimension. A vector is one number for each unit.

import type { Tensor } from '../compiler/graph/ir.ts';
import { elementCount } from '../compiler/graph/types.ts';
import { reshape, transpose } from '../compiler/ops/index.ts';

/** The axes along which the weights of one unit lie. */
export function unitAxes(value: Tensor): readonly number[] {
  const rank = value.type.shape.length;
  return rank === 2 ? [0] : Array.from({ length: Math.max(0, rank - 1) }, (_, i) => i + 1);
}

/** A matrix with the weights of one unit in each row, for values of at least two dimensions. */
export function unitRows(value: Tensor): Tensor {
  const { shape } = value.type;
  if (shape.length === 2) return transpose(value);
  return reshape(value, [shape[0]!, elementCount(shape.slice(1))]);
}
