// Shapes in the editor of functions along one axis; the pattern is that of shape-types.ts. An axis that counts from the end
// is followed as well as one that counts from the start.

import type { DivideFloor, Multiply, Subtract } from './number-types.ts';
import type { Differ, IsLiteral, IsTuple, ShapeError } from './shape-types.ts';
import type { Shape } from './types.ts';

/** The place of an axis, counted from the start; never when it is not literal or is none of S. */
export type AxisOf<S extends Shape, A extends number> = number extends A
  ? never
  : `${A}` extends `-${infer Back extends number}`
    ? Literal<Subtract<S['length'], Back>>
    : A;
type Literal<N extends number> = number extends N ? never : N;

/** A tuple as long as S of which only the length is known. */
export type OfRank<S extends Shape> = IsTuple<S> extends false ? Shape : { readonly [K in keyof S]: number };

/** The dimension of S at an axis. */
export type DimAt<S extends Shape, A extends number> = [AxisOf<S, A>] extends [never]
  ? number
  : S[AxisOf<S, A>] extends number
    ? S[AxisOf<S, A>]
    : number;

/** S with another dimension at an axis; only the rank is followed when the axis is not literal. */
export type Replaced<S extends Shape, A extends number, N extends number> =
  IsTuple<S> extends false
    ? Shape
    : [AxisOf<S, A>] extends [never]
      ? OfRank<S>
      : { readonly [K in keyof S]: K extends `${AxisOf<S, A>}` ? N : S[K] };

/** The shape of `repeat`. */
export type Repeated<S extends Shape, A extends number, Times extends number> = Replaced<
  S,
  A,
  Multiply<DimAt<S, A>, Times>
>;

/** S with half of a dimension. */
export type Halved<S extends Shape, A extends number> = Replaced<S, A, DivideFloor<DimAt<S, A>, 2>>;

/** Check that a dimension has two halves. */
export type Halves<S extends Shape, A extends number> =
  Differ<Multiply<DivideFloor<DimAt<S, A>, 2>, 2>, DimAt<S, A>> extends true
    ? ShapeError<`glu: a dimension of ${DimAt<S, A>} has no two halves`>
    : unknown;

/** The shape of `diff`, n times. */
export type Differences<S extends Shape, A extends number, N extends number> = Replaced<
  S,
  A,
  Subtract<DimAt<S, A>, N>
>;

/** Check that the k largest are as many as there are. */
export type Takes<S extends Shape, A extends number, K extends number> =
  IsLiteral<DimAt<S, A>> extends false
    ? unknown
    : IsLiteral<K> extends false
      ? unknown
      : IsLiteral<Subtract<DimAt<S, A>, K>> extends true
        ? unknown
        : ShapeError<`topK: the ${K} largest of ${DimAt<S, A>} elements`>;

/** S with two dimensions exchanged. */
export type Swapped<S extends Shape, A extends number, B extends number> =
  IsTuple<S> extends false
    ? Shape
    : [AxisOf<S, A>] extends [never]
      ? OfRank<S>
      : [AxisOf<S, B>] extends [never]
        ? OfRank<S>
        : {
            readonly [K in keyof S]: K extends `${AxisOf<S, A>}`
              ? DimAt<S, B>
              : K extends `${AxisOf<S, B>}`
                ? DimAt<S, A>
                : S[K];
          };

/** S with one dimension moved to another place; only the rank is followed for several. */
export type Moved<S extends Shape, From, To> =
  IsTuple<S> extends false
    ? Shape
    : From extends number
      ? To extends number
        ? [AxisOf<S, From> | AxisOf<S, To>] extends [never]
          ? OfRank<S>
          : InsertedAt<Without<S, AxisOf<S, From>>, AxisOf<S, To>, DimAt<S, From>>
        : OfRank<S>
      : OfRank<S>;

/** S without the dimension at a place that counts from the start. */
export type Without<
  S extends Shape,
  A extends number,
  Head extends Shape = readonly [],
> = S extends readonly [infer D extends number, ...infer Rest extends Shape]
  ? Head['length'] extends A
    ? readonly [...Head, ...Rest]
    : Without<Rest, A, readonly [...Head, D]>
  : Shape;

type InsertedAt<
  S extends Shape,
  A extends number,
  N extends number,
  Head extends Shape = readonly [],
> = Head['length'] extends A
  ? readonly [...Head, N, ...S]
  : S extends readonly [infer D extends number, ...infer Rest extends Shape]
    ? InsertedAt<Rest, A, N, readonly [...Head, D]>
    : Shape;

/** S with a new dimension of N; A is its place in the result. */
export type Inserted<S extends Shape, A, N extends number> =
  IsTuple<S> extends false
    ? Shape
    : A extends number
      ? [AxisOf<readonly [...S, N], A>] extends [never]
        ? readonly [...OfRank<S>, number]
        : InsertedAt<S, AxisOf<readonly [...S, N], A>, N>
      : Shape;

/** S with the dimensions of I in place of an axis. */
export type Gathered<S extends Shape, I extends Shape, A extends number> =
  IsTuple<S> extends false
    ? Shape
    : IsTuple<I> extends false
      ? Shape
      : [AxisOf<S, A>] extends [never]
        ? Shape
        : GatherFrom<S, I, AxisOf<S, A>>;
type GatherFrom<
  S extends Shape,
  I extends Shape,
  A extends number,
  Head extends Shape = readonly [],
> = S extends readonly [infer D extends number, ...infer Rest extends Shape]
  ? Head['length'] extends A
    ? readonly [...Head, ...I, ...Rest]
    : GatherFrom<Rest, I, A, readonly [...Head, D]>
  : Shape;

/** The shapes of the parts of `split`: a list of as many shapes, where their number is known. */
export type PartsOf<S extends Shape, P, A extends number> = P extends number
  ? IsLiteral<P> extends true
    ? Times<Replaced<S, A, DivideFloor<DimAt<S, A>, P>>, P>
    : Replaced<S, A, number>[]
  : P extends Shape
    ? IsTuple<P> extends true
      ? { -readonly [K in keyof P]: Replaced<S, A, P[K] & number> }
      : Replaced<S, A, number>[]
    : never;
type Times<T, N extends number, Done extends T[] = []> = Done['length'] extends N
  ? Done
  : Done['length'] extends 64
    ? T[]
    : Times<T, N, [T, ...Done]>;

/** Check that a dimension divides into so many equal parts. */
export type Splits<S extends Shape, P, A extends number> = P extends number
  ? Differ<Multiply<DivideFloor<DimAt<S, A>, P>, P>, DimAt<S, A>> extends true
    ? ShapeError<`split: a dimension of ${DimAt<S, A>} does not divide into ${P} equal parts`>
    : unknown
  : unknown;
