// Rows of tables that hold the editor to the run: a name, a result, and its shape, which must be just what the types say, or the
// file does not compile.

import type { Node } from '../../compiler/graph/ir.ts';
import type { FormatShape, ShapeError, ShapeOf } from '../../compiler/graph/shape-types.ts';
import type { Shape } from '../../compiler/graph/types.ts';

export type Row = readonly [name: string, node: Node, shape: Shape];

/** `unknown` when the editor knows just this shape. */
type Exactly<A extends Shape, B extends Shape> = [A] extends [B]
  ? [B] extends [A]
    ? unknown
    : ShapeError<`the editor knows ${FormatShape<A>}`>
  : ShapeError<`the editor knows ${FormatShape<A>}`>;

/** Makes rows for the names of a module. */
export function rowsFor<Name>() {
  return <N extends Node, const S extends Shape>(
    name: Name & string,
    node: N,
    shape: S & Exactly<ShapeOf<N>, S>,
  ): Row => [name, node, shape];
}
