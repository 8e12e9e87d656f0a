// Shapes in the editor for views, concatenation and reductions; the pattern is that of shape-types.ts. Types named after a
// participle (`Reduced`) are shapes of results, types named after a verb (`Reshapes`) are checks.

import type { Node } from './ir.ts';
import type { Add, Product } from './number-types.ts';
import type { Differ, FormatShape, IsTuple, ShapeError, ShapeOf } from './shape-types.ts';
import type { AxisOf } from './shape-types-axis.ts';
import type { DType, Shape } from './types.ts';

/** One axis or several, as users write them; negative ones count from the end. */
export type Axes = number | readonly number[];

/** The shape left of S without the axes (all of them for undefined), or with 1 in their places when Keep. */
export type Reduced<S extends Shape, A, Keep extends boolean> = boolean extends Keep
  ? Shape
  : IsTuple<S> extends false
    ? [A] extends [undefined]
      ? Keep extends true
        ? Shape
        : readonly []
      : Shape
    : AxisNames<A> extends infer Names
      ? [Names] extends [never]
        ? Shape
        : ReduceFrom<S, Names, Keep>
      : never;

/** Axes as strings: `'all'` for undefined, never when they are not literal. */
type AxisNames<A> = [A] extends [undefined]
  ? 'all'
  : A extends number
    ? number extends A
      ? never
      : `${A}`
    : A extends readonly number[]
      ? number extends A['length']
        ? never
        : number extends A[number]
          ? never
          : `${A[number]}` | 'none'
      : never;

type ReduceFrom<
  S extends Shape,
  Names,
  Keep extends boolean,
  Before extends 0[] = [],
  Done extends Shape = readonly [],
> = S extends readonly [infer D extends number, ...infer Rest extends Shape]
  ? ReduceFrom<
      Rest,
      Names,
      Keep,
      [...Before, 0],
      [AxisName<Before, Rest> & Names] extends [never]
        ? readonly [...Done, D]
        : Keep extends true
          ? readonly [...Done, 1]
          : Done
    >
  : Done;

/** What an axis is called that has so many before it, and others behind it: `'0'` or `'-2'`; or `'all'`. */
type AxisName<Before extends 0[], Rest extends Shape> = `${Before['length']}` | `-${Behind<Rest>}` | 'all';
type Behind<Rest extends Shape> = (readonly [...Rest, 0])['length'] & number;

/** The shape that a reshape gives: T, where a -1 is a dimension that the editor does not compute. */
export type Reshaped<T extends Shape> = number extends T['length']
  ? Shape
  : { readonly [K in keyof T]: `${T[K]}` extends '-1' ? number : T[K] };

/** Check that a reshape keeps the number of elements; passes when one of them is not known. */
export type Reshapes<S extends Shape, T extends Shape> =
  Differ<Product<S>, Product<T>> extends true
    ? ShapeError<`reshape: ${FormatShape<S>} has ${Product<S>} elements, ${FormatShape<T>} has ${Product<T>}`>
    : unknown;

/** Dimensions from an axis on joined into one. */
export type Flattened<S extends Shape, From extends number> =
  IsTuple<S> extends false
    ? Shape
    : [AxisOf<S, From>] extends [never]
      ? Shape
      : FlattenFrom<S, AxisOf<S, From>>;
type FlattenFrom<
  S extends Shape,
  From extends number,
  Head extends Shape = readonly [],
> = Head['length'] extends From
  ? readonly [...Head, Product<S>]
  : S extends readonly [infer D extends number, ...infer Rest extends Shape]
    ? FlattenFrom<Rest, From, readonly [...Head, D]>
    : Shape;

/** The dimensions of S in the order P; reversed for undefined. */
export type Transposed<S extends Shape, P> =
  IsTuple<S> extends false
    ? Shape
    : [P] extends [undefined]
      ? Reversed<S>
      : P extends readonly number[]
        ? number extends P['length']
          ? Shape
          : { readonly [K in keyof P]: P[K] extends keyof S ? S[P[K]] & number : number }
        : Shape;
type Reversed<S extends Shape> = S extends readonly [infer D extends number, ...infer Rest extends Shape]
  ? readonly [...Reversed<Rest>, D]
  : readonly [];

/** Check that a permutation has as many entries as there are dimensions. */
export type Permutes<S extends Shape, P> =
  IsTuple<S> extends false
    ? unknown
    : P extends readonly number[]
      ? Differ<S['length'], P['length']> extends true
        ? ShapeError<`transpose: ${P['length']} numbers for ${S['length']} dimensions`>
        : unknown
      : unknown;

/** The shape of operands one after the other along an axis. */
export type Concatenated<T extends readonly Node[], Axis extends number> = number extends T['length']
  ? Shape
  : number extends Axis
    ? Shape
    : T extends readonly [infer First, ...infer Rest extends readonly Node[]]
      ? ConcatFrom<ShapeOf<First>, Rest, Axis>
      : Shape;
type ConcatFrom<S extends Shape, T extends readonly Node[], Axis extends number> = T extends readonly [
  infer Next,
  ...infer Rest extends readonly Node[],
]
  ? ConcatFrom<Join<S, ShapeOf<Next>, Axis>, Rest, Axis>
  : S;
type Join<A extends Shape, B extends Shape, Axis extends number> =
  IsTuple<A> extends false ? Shape : IsTuple<B> extends false ? Shape : JoinFrom<A, B, `${Axis}`>;
type JoinFrom<
  A extends Shape,
  B extends Shape,
  Axis extends string,
  Before extends 0[] = [],
  Done extends Shape = readonly [],
> = A extends readonly [infer P extends number, ...infer As extends Shape]
  ? B extends readonly [infer Q extends number, ...infer Bs extends Shape]
    ? JoinFrom<
        As,
        Bs,
        Axis,
        [...Before, 0],
        readonly [
          ...Done,
          [AxisName<Before, As> & Axis] extends [never] ? (number extends P ? Q : P) : Add<P, Q>,
        ]
      >
    : Done
  : Done;

/** Check that operands of a concatenation agree except along the axis. */
export type Concatenates<T extends readonly Node[], Axis extends number> = number extends T['length']
  ? unknown
  : T extends readonly [infer First, ...infer Rest extends readonly Node[]]
    ? ConcatCheck<ShapeOf<First>, Rest, `${Axis}`>
    : unknown;
type ConcatCheck<S extends Shape, T extends readonly Node[], Axis extends string> = T extends readonly [
  infer Next,
  ...infer Rest extends readonly Node[],
]
  ? [ConcatClash<S, ShapeOf<Next>, Axis>] extends [never]
    ? ConcatCheck<S, Rest, Axis>
    : ShapeError<ConcatClash<S, ShapeOf<Next>, Axis>>
  : unknown;
type ConcatClash<A extends Shape, B extends Shape, Axis extends string, Before extends 0[] = []> =
  IsTuple<A> extends false
    ? never
    : IsTuple<B> extends false
      ? never
      : number extends Axis
        ? never
        : A extends readonly [infer P extends number, ...infer As extends Shape]
          ? B extends readonly [infer Q extends number, ...infer Bs extends Shape]
            ? [AxisName<Before, As> & Axis] extends [never]
              ? Differ<P, Q> extends true
                ? `concat: dimensions ${P} and ${Q} differ, but only axis ${Axis} may`
                : ConcatClash<As, Bs, Axis, [...Before, 0]>
              : ConcatClash<As, Bs, Axis, [...Before, 0]>
            : never
          : never;

/** The dtype of a list of operands. */
export type CommonDTypeOf<T extends readonly Node[]> =
  T[number] extends Node<Shape, infer D extends DType> ? D : DType;

/** S without the axes, or without all dimensions of 1 for undefined: as far as all of them are known. */
export type Squeezed<S extends Shape, A> =
  IsTuple<S> extends false ? Shape : [A] extends [undefined] ? WithoutOnes<S> : Reduced<S, A, false>;
type WithoutOnes<S extends Shape, Done extends Shape = readonly []> = S extends readonly [
  infer D extends number,
  ...infer Rest extends Shape,
]
  ? number extends D
    ? Shape
    : WithoutOnes<Rest, [D] extends [1] ? Done : readonly [...Done, D]>
  : Done;
