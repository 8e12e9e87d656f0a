// Shapes in the editor of functions on matrices and on the order of axes; the pattern is that of shape-types.ts.

import type { IsTuple } from './shape-types.ts';
import type { Shape } from './types.ts';

/** A tuple as long as S of which only the length is known. */
type OfRank<S extends Shape> = IsTuple<S> extends false ? Shape : { readonly [K in keyof S]: number };

/** S with two dimensions exchanged; only the rank is followed for axes that count from the end. */
export type Swapped<S extends Shape, A extends number, B extends number> =
  IsTuple<S> extends false
    ? Shape
    : number extends A | B
      ? OfRank<S>
      : `${A}${B}` extends `${string}-${string}`
        ? OfRank<S>
        : {
            readonly [K in keyof S]: K extends `${A}`
              ? S[B & keyof S] & number
              : K extends `${B}`
                ? S[A & keyof S] & number
                : S[K];
          };

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
