// Masks that say who may look at whom: bool, true where one may, as `attention` takes them.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { ShapeOf } from '../graph/shape-types.ts';
import type { Appended } from '../graph/shape-types-matrix.ts';
import type { Shape } from '../graph/types.ts';
import { add } from './arithmetic.ts';
import { expandDims } from './broadcast.ts';
import { ge, lt } from './compare.ts';
import { iota } from './leaf.ts';
import { refuse } from './refuse.ts';

/**
 * Where a query may look when it sees its own position and earlier ones: bool[queries, keys], with the last query at the
 * last key. Throws HDL0003.
 *
 * @formula y[i, j] = j ≤ i + keys − queries
 * @example attention(q, k, v, { mask: causalMask(16) })
 */
export function causalMask<const N extends number, const M extends number = N>(
  queries: N,
  keys?: M,
): Node<readonly [N, M], 'bool'> {
  const count = keys ?? queries;
  checkSize('causalMask', queries);
  checkSize('causalMask', count);
  const shape = [queries, count];
  const y = scope('causalMask', () =>
    ge(add(iota(shape, 0), count - queries) as Node<Shape, 'i32'>, iota(shape, 1)),
  );
  return y as Node as Node<readonly [N, M], 'bool'>;
}

/**
 * Which positions of sequences hold something, from their lengths: i32[…] → bool[…, size]. Throws HDL0002, HDL0003.
 *
 * @formula y[…, j] = j < lengths[…]
 * @example sequenceMask(lengths, 16) // i32[64] → bool[64, 16]
 */
export function sequenceMask<X extends Node, const N extends number>(
  lengths: X,
  size: N,
): Node<Appended<ShapeOf<X>, N>, 'bool'> {
  const { dtype, shape } = lengths.type;
  if (dtype !== 'i32') {
    const what = `sequenceMask(${describeNode(lengths)}, ${size})`;
    refuse('HDL0002', what, `lengths are i32, not ${dtype}`, "convert them: cast(lengths, 'i32')");
  }
  checkSize('sequenceMask', size);
  const full = [...shape, size];
  const y = scope('sequenceMask', () =>
    lt(iota(full, shape.length), expandDims(lengths as Node, -1) as Node<Shape, 'i32'>),
  );
  return y as Node as Node<Appended<ShapeOf<X>, N>, 'bool'>;
}

function checkSize(fn: string, size: number): void {
  if (Number.isInteger(size) && size >= 0) return;
  refuse(
    'HDL0003',
    `${fn} with size ${size}`,
    'a size is an integer of at least 0',
    'take it from x.type.shape',
  );
}
