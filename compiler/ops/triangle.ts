// Lower and upper triangles of matrices. Any dtype.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { add } from './arithmetic.ts';
import { ge, le, where } from './compare.ts';
import { full, iota } from './leaf.ts';

/**
 * The matrix (the last two dimensions) with zeros above a diagonal: the main one, or the k-th above it (negative: below).
 * Throws HDL0001, HDL0003.
 *
 *     tril(scores); // a causal mask: what comes later counts as 0
 */
export function tril<X extends Node>(x: X, k: number = 0): Node<ShapeOf<X>, DTypeOf<X>> {
  return triangle('tril', x, k, le) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * The matrix with zeros below a diagonal. Otherwise as `tril`: `triu(x, 1)` leaves out the main diagonal too.
 *
 * @example triu(x, 1) // zeros on and below the main diagonal
 */
export function triu<X extends Node>(x: X, k: number = 0): Node<ShapeOf<X>, DTypeOf<X>> {
  return triangle('triu', x, k, ge) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/** Keeps the elements whose column compares so with row + k. */
function triangle(fn: string, x: Node, k: number, keeps: (x: Node, y: Node) => Node): Node {
  const fail = (code: 'HDL0001' | 'HDL0003', rule: string, hint: string): never => {
    throw compilerError(code, {
      what: `${fn}(${describeNode(x)}, ${k})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  const { shape, dtype } = x.type;
  if (shape.length < 2) fail('HDL0001', 'a matrix has two dimensions', 'reshape it: reshape(x, [1, -1])');
  if (!Number.isInteger(k)) fail('HDL0003', 'diagonals count in integers', 'k = 0 is the main diagonal');
  return scope(fn, () => {
    const rank = shape.length;
    const isKept = keeps(iota(shape, rank - 1), add(iota(shape, rank - 2) as Node, k));
    return where(isKept as Node<typeof shape, 'bool'>, x, full(shape, 0, dtype) as Node);
  });
}
