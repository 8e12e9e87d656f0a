// Matrices and their diagonals, as NumPy has them. Matrices are the last two dimensions; what stands before is a batch. A
// diagonal is a view: every (columns + 1)th element of a square, so its gradient is a padding.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, CommonDType, DTypeOf, SameDType, ShapeOf } from '../graph/shape-types.ts';
import type { Diagonal, Diagonals, Outer, Traces } from '../graph/shape-types-matrix.ts';
import type { DType, Shape } from '../graph/types.ts';
import { add, mul } from './arithmetic.ts';
import { broadcastInDim, sum } from './broadcast.ts';
import { eq, where } from './compare.ts';
import { full, iota } from './leaf.ts';
import { refuse } from './refuse.ts';
import { reshape } from './shape.ts';
import { padBy, slice } from './slice.ts';

export interface EyeOptions<M extends number = number, D extends DType = DType> {
  /** Number of columns (default: as many as rows). */
  readonly columns?: M;
  /** Which diagonal has the ones: the main one (default 0), the k-th above it, or below for negative k. */
  readonly k?: number;
  /** Default `f32`. */
  readonly dtype?: D;
}

/**
 * The identity: ones on a diagonal, zeros elsewhere. Any dtype. Throws HDL0003 for sizes that are no sizes.
 *
 * @formula y[i, j] = 1 if j = i + k, else 0
 * @example eye(3) // f32[3, 3]
 */
export function eye<const N extends number, const M extends number = N, D extends DType = 'f32'>(
  rows: N,
  options: EyeOptions<M, D> = {},
): Node<readonly [N, M], D> {
  const { columns = rows, k = 0, dtype = 'f32' } = options;
  if (![rows, columns].every((n) => Number.isInteger(n) && n >= 0) || !Number.isInteger(k)) {
    const what = `eye(${rows}, { columns: ${columns}, k: ${k} })`;
    refuse(
      'HDL0003',
      what,
      'sizes are integers of at least 0, and k is an integer',
      'write eye(3) for f32[3, 3]',
    );
  }
  const shape = [rows, columns];
  const y = scope('eye', () =>
    where(onDiagonal(shape, k), full(shape, 1, dtype) as Node, full(shape, 0, dtype) as Node),
  );
  return y as Node as Node<readonly [N, M], D>;
}

/**
 * Of a vector the matrix that has it on a diagonal, and zeros elsewhere; of a matrix its diagonal. `k` counts diagonals
 * above the main one (negative: below). Any dtype. Throws HDL0001 for other ranks, HDL0003 for k.
 *
 * @formula of a vector: y[i, i + k] = x[i]; of a matrix: y[i] = x[i, i + k]
 * @example diag(v) // f32[3] → f32[3, 3]
 */
export function diag<X extends Node, const K extends number = 0>(
  x: X,
  k?: K,
): Node<Diagonal<ShapeOf<X>, K>, DTypeOf<X>> {
  return diagOf(x, k ?? 0) as Node<Diagonal<ShapeOf<X>, K>, DTypeOf<X>>;
}

function diagOf(x: Node, k: number): Node {
  const { shape, dtype } = x.type;
  if (shape.length === 2) return diagonal(x, k);
  const what = `diag(${describeNode(x)}, ${k})`;
  if (shape.length !== 1) {
    refuse(
      'HDL0001',
      what,
      `it takes a vector or a matrix, not ${shape.length} dimensions`,
      'diagonals of a batch of matrices: diagonal(x)',
    );
  }
  checkK(what, k);
  return scope('diag', (): Node => {
    const [before, after] = [Math.max(-k, 0), Math.max(k, 0)];
    // One above the main diagonal stands in the first rows, one below in the first columns.
    const padded = padBy(x as Node, { lo: [before], hi: [after] });
    const n = shape[0]! + Math.abs(k);
    return where(onDiagonal([n, n], k), broadcastInDim(padded, [n, n], [0]), full([n, n], 0, dtype) as Node);
  });
}

/**
 * The diagonals of matrices, the last two dimensions of `x`: the main one, or the k-th above it (negative: below). Any
 * dtype. Throws HDL0001 for less than two dimensions, HDL0003 for k.
 *
 * @formula y[…, i] = x[…, i, i + k]
 * @example diagonal(x) // f32[8, 3, 3] → f32[8, 3]
 */
export function diagonal<X extends Node>(x: X, k: number = 0): Node<Diagonals<ShapeOf<X>>, DTypeOf<X>> {
  const y = scope('diagonal', () => diagonalOf('diagonal', x, k));
  return y as Node<Diagonals<ShapeOf<X>>, DTypeOf<X>>;
}

/**
 * The sum of the main diagonal of each matrix, the last two dimensions of `x`. f32, i32, u32. Throws HDL0001, HDL0002.
 *
 * @formula y[…] = Σᵢ x[…, i, i]
 * @example trace(x) // f32[8, 3, 3] → f32[8]
 */
export function trace<X extends Node>(
  x: X & Accepts<'trace', X, 'f32' | 'i32' | 'u32'>,
): Node<Traces<ShapeOf<X>>, DTypeOf<X>> {
  const y = scope('trace', () => sum(diagonalOf('trace', x, 0), -1));
  return y as Node as Node<Traces<ShapeOf<X>>, DTypeOf<X>>;
}

/**
 * All products of an element of one vector and one of another. f32, i32, u32. Throws HDL0001 for other ranks, HDL0002 when
 * dtypes differ.
 *
 * @formula z[i, j] = x[i] y[j]
 * @example outer(x, y) // f32[3], f32[4] → f32[3, 4]
 */
export function outer<A extends Node, B extends Node>(
  x: A & Accepts<'outer', A, 'f32' | 'i32' | 'u32'>,
  y: B & SameDType<'outer', A, B>,
): Node<Outer<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const [a, b] = [x as Node, y as Node];
  if (a.type.shape.length !== 1 || b.type.shape.length !== 1) {
    refuse(
      'HDL0001',
      `outer(${describeNode(a)}, ${describeNode(b)})`,
      'it takes two vectors',
      'flatten them first: reshape(x, [-1])',
    );
  }
  const z = scope('outer', () => mul(reshape(a, [a.type.shape[0]!, 1]) as Node, b));
  return z as Node as Node<Outer<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/** bool: where the column is the row + k. */
function onDiagonal(shape: Shape, k: number): Node<Shape, 'bool'> {
  return eq(iota(shape, 1), add(iota(shape, 0), k) as Node<Shape, 'i32'>) as Node as Node<Shape, 'bool'>;
}

function diagonalOf(fn: string, x: Node, k: number): Node {
  const { shape } = x.type;
  const what = `${fn}(${describeNode(x)}${k === 0 ? '' : `, ${k}`})`;
  if (shape.length < 2)
    refuse('HDL0001', what, 'a matrix has two dimensions', 'reshape it: reshape(x, [1, -1])');
  checkK(what, k);
  const batch = shape.slice(0, -2);
  const [rows, columns] = shape.slice(-2) as [number, number];
  const [top, left] = [Math.max(-k, 0), Math.max(k, 0)];
  const n = Math.max(0, Math.min(rows - top, columns - left));
  const none = batch.map(() => 0);
  // A diagonal beyond the matrix has no elements, and no place to start from.
  const start = n === 0 ? [0, 0] : [top, left];
  const square = slice(x, [...none, ...start], [...batch, start[0]! + n, start[1]! + n]);
  return slice(
    reshape(square, [...batch, n * n]) as Node,
    [...none, 0],
    [...batch, n * n],
    [...batch.map(() => 1), n + 1],
  );
}

function checkK(what: string, k: number): void {
  if (!Number.isInteger(k))
    refuse('HDL0003', what, 'diagonals count in integers', 'k = 0 is the main diagonal');
}
