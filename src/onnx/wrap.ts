// Integers narrower than i32, held in an i32: after arithmetic their bits are cut off again.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { bitwiseAnd, shl, shr } from '../../compiler/ops/index.ts';
import { type Elem, elementInfo } from './elements.ts';

/** The value modulo 2^bits, signed or not; other element types stay as they are. */
export function wrapTo(x: Tensor, elem: Elem): Tensor {
  const { narrow, bits, dtype } = elementInfo(elem);
  if (narrow === undefined || x.type.dtype !== dtype) return x;
  if (narrow === 'unsigned') return bitwiseAnd(x, 2 ** bits - 1) as Tensor;
  return shr(shl(x, 32 - bits) as Tensor, 32 - bits) as Tensor;
}
