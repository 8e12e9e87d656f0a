// Shapes in the editor of functions that take a number for each dimension: boxes, borders, copies, pictures of another size.
// The pattern is that of shape-types.ts.

import type { Node } from './ir.ts';
import type { Add, DivideFloor, Multiply, Subtract } from './number-types.ts';
import type { Differ, IsLiteral, IsTuple, ShapeError, ShapeOf } from './shape-types.ts';
import type { OfRank } from './shape-types-axis.ts';
import type { Shape } from './types.ts';

/** Pairs [before, after], one for each dimension. */
export type Widths = readonly (readonly [number, number])[];

/** S with borders. */
export type Bordered<S extends Shape, W extends Widths> =
  IsTuple<S> extends false
    ? Shape
    : number extends W['length']
      ? OfRank<S>
      : {
          readonly [K in keyof S]: K extends keyof W
            ? W[K] extends readonly [infer Lo extends number, infer Hi extends number]
              ? Add<Add<S[K] & number, Lo>, Hi>
              : number
            : number;
        };

/** Check that a list has one entry for each dimension. */
export type Lists<Fn extends string, What extends string, S extends Shape, L extends readonly unknown[]> =
  IsTuple<S> extends false
    ? unknown
    : Differ<L['length'], S['length']> extends true
      ? ShapeError<`${Fn}: ${L['length']} ${What} for ${S['length']} dimensions`>
      : unknown;

/** The shape of a box of S; strides are undefined where they are all 1. */
export type Boxed<S extends Shape, Start extends Shape, Limit extends Shape, Stride> =
  IsTuple<S> extends false
    ? Shape
    : number extends Start['length'] | Limit['length']
      ? OfRank<S>
      : {
          readonly [K in keyof S]: K extends keyof Start & keyof Limit
            ? Stepped<Subtract<Limit[K] & number, Start[K] & number>, K, Stride>
            : number;
        };
type Stepped<N extends number, K, Stride> = [Stride] extends [undefined]
  ? N
  : K extends keyof Stride
    ? Stride[K] extends infer By extends number
      ? DivideFloor<Subtract<Add<N, By>, 1>, By>
      : number
    : number;

/** Check of the limits of a box: as many as there are dimensions, and none beyond its dimension. */
export type Limits<S extends Shape, Limit extends Shape> = [Beyond<S, Limit>] extends [never]
  ? Lists<'slice', 'limits', S, Limit>
  : ShapeError<`slice: ${Beyond<S, Limit>}`>;
type Beyond<S extends Shape, Limit extends Shape> =
  IsTuple<S> extends false
    ? never
    : IsTuple<Limit> extends false
      ? never
      : {
          [K in keyof S]: K extends keyof Limit & string
            ? IsLiteral<Limit[K] & number> extends false
              ? never
              : IsLiteral<S[K] & number> extends false
                ? never
                : IsLiteral<Subtract<S[K] & number, Limit[K] & number>> extends true
                  ? never
                  : `limit ${Limit[K] & number} is beyond dimension ${K}, which has ${S[K] & number}`
            : never;
        }[number];

/** S repeated along each dimension; more repeats than dimensions make new ones in front. */
export type Tiled<S extends Shape, R extends Shape, Done extends Shape = readonly []> =
  IsTuple<S> extends false
    ? Shape
    : IsTuple<R> extends false
      ? Shape
      : S extends readonly [...infer Head extends Shape, infer N extends number]
        ? R extends readonly [...infer Times extends Shape, infer By extends number]
          ? Tiled<Head, Times, readonly [Multiply<N, By>, ...Done]>
          : readonly [...S, ...Done]
        : readonly [...R, ...Done];

/** [N, C, sizes…] of pictures. */
export type Resized<X extends Shape, Size extends Shape> =
  IsTuple<X> extends false
    ? Shape
    : IsTuple<Size> extends false
      ? OfRank<X>
      : X extends readonly [infer N extends number, infer C extends number, ...Shape]
        ? readonly [N, C, ...Size]
        : Shape;

/** Blocks of pixels from channels. */
export type Spread<X extends Shape, B extends number> = X extends readonly [
  infer N extends number,
  infer C extends number,
  infer H extends number,
  infer W extends number,
]
  ? readonly [N, DivideFloor<DivideFloor<C, B>, B>, Multiply<H, B>, Multiply<W, B>]
  : readonly [number, number, number, number];

/** Channels from blocks of pixels. */
export type Stacked<X extends Shape, B extends number> = X extends readonly [
  infer N extends number,
  infer C extends number,
  infer H extends number,
  infer W extends number,
]
  ? readonly [N, Multiply<Multiply<C, B>, B>, DivideFloor<H, B>, DivideFloor<W, B>]
  : readonly [number, number, number, number];

/** The lengths of vectors. */
export type LengthsOf<T extends readonly Node[]> = {
  readonly [K in keyof T]: ShapeOf<T[K]> extends readonly [infer N extends number] ? N : number;
};

/** The lengths of vectors, in the order of the axes of their grid. */
export type Grid<Lengths extends Shape, Indexing> =
  IsTuple<Lengths> extends false
    ? Shape
    : Indexing extends 'ij'
      ? Lengths
      : Lengths extends readonly [infer A extends number, infer B extends number, ...infer Rest extends Shape]
        ? readonly [B, A, ...Rest]
        : Lengths;
