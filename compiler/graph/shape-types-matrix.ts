// Shapes in the editor of functions on matrices and vectors; the pattern is that of shape-types.ts.

import type { Add } from './number-types.ts';
import type { Broadcast, Differ, IsTuple, LastOf, ShapeError, ShapeOf } from './shape-types.ts';
import type { Shape } from './types.ts';

/** The shape of the diagonals of the matrices in S. */
export type Diagonals<S extends Shape> =
  IsTuple<S> extends false
    ? Shape
    : S extends readonly [...infer Head extends Shape, infer N extends number, infer M extends number]
      ? readonly [...Head, [N] extends [M] ? N : number]
      : Shape;

/** The shape of the traces of the matrices in S. */
export type Traces<S extends Shape> =
  IsTuple<S> extends false
    ? Shape
    : S extends readonly [...infer Head extends Shape, number, number]
      ? readonly [...Head]
      : Shape;

/** S with a dimension of N appended: `[…, N]`. */
export type Appended<S extends Shape, N extends number> =
  IsTuple<S> extends false ? Shape : readonly [...S, N];

/** [N, M] of two vectors. */
export type Outer<A extends Shape, B extends Shape> = A extends readonly [infer N extends number]
  ? B extends readonly [infer M extends number]
    ? readonly [N, M]
    : readonly [number, number]
  : readonly [number, number];

/** Of a vector the matrix with it on diagonal K, of a matrix its diagonal. */
export type Diagonal<S extends Shape, K extends number> = S extends readonly [infer N extends number]
  ? readonly [Add<N, Magnitude<K>>, Add<N, Magnitude<K>>]
  : S extends readonly [infer N extends number, infer M extends number]
    ? readonly [[K] extends [0] ? ([N] extends [M] ? N : number) : number]
    : Shape;
type Magnitude<K extends number> = number extends K
  ? number
  : `${K}` extends `-${infer N extends number}`
    ? N
    : K;

/** [..., N, M] of rows [..., N, D] and [..., M, D]. */
export type Distances<A extends Shape, B extends Shape> = A extends readonly [
  ...infer ABatch extends Shape,
  infer N extends number,
  number,
]
  ? B extends readonly [...infer BBatch extends Shape, infer M extends number, number]
    ? IsTuple<A> extends true
      ? Broadcast<ABatch, BBatch> extends infer Batch extends Shape
        ? readonly [...Batch, N, M]
        : Shape
      : Shape
    : Shape
  : Shape;

/** Check that rows have as many elements as others. */
export type Compares<Fn extends string, A, B> =
  Differ<LastOf<ShapeOf<A>>, LastOf<ShapeOf<B>>> extends true
    ? ShapeError<`${Fn}: vectors have ${LastOf<ShapeOf<A>>} and ${LastOf<ShapeOf<B>>} elements`>
    : unknown;
