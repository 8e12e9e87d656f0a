// The shape of an einsum, read from its equation as the editor sees it; the pattern is that of shape-types.ts. Followed is
// what most equations are: letters with a result, `bqd,bkd->bqk`. With `...`, spaces, or without a result nothing is known.

import type { Node } from './ir.ts';
import type { BroadcastDim, ShapeError, ShapeOf } from './shape-types.ts';
import type { Shape } from './types.ts';

/** The shape of the result. */
export type Summed<E extends string, T extends readonly Node[]> =
  Terms<E, T> extends infer L extends readonly Letter[]
    ? E extends `${string}->${infer Result}`
      ? DimsOf<Result, L[number]>
      : Shape
    : Shape;

/** Check that a letter has one size in all terms, or 1. */
export type Sums<E extends string, T extends readonly Node[]> =
  Terms<E, T> extends infer L extends readonly Letter[]
    ? [Clash<L>] extends [never]
      ? unknown
      : ShapeError<Clash<L>>
    : unknown;

/** A letter and its dimension, of one term. */
type Letter = readonly [name: string, size: number];

/** The letters of all terms, in their order; null where the equation is not followed. */
type Terms<E extends string, T extends readonly Node[]> = string extends E
  ? null
  : number extends T['length']
    ? null
    : E extends `${string}.${string}` | `${string} ${string}`
      ? null
      : E extends `${infer Left}->${string}`
        ? LettersOf<Left, T>
        : null;

type LettersOf<
  Left extends string,
  T extends readonly Node[],
  Done extends readonly Letter[] = readonly [],
> = T extends readonly [infer X, ...infer Xs extends readonly Node[]]
  ? Left extends `${infer Term},${infer Rest}`
    ? LettersOf<Rest, Xs, readonly [...Done, ...Named<Term, ShapeOf<X>>]>
    : readonly [...Done, ...Named<Left, ShapeOf<X>>]
  : Done;

type Named<
  Term extends string,
  S extends Shape,
  Done extends readonly Letter[] = readonly [],
> = Term extends `${infer L}${infer Rest}`
  ? S extends readonly [infer D extends number, ...infer Ds extends Shape]
    ? Named<Rest, Ds, readonly [...Done, readonly [L, D]]>
    : Named<Rest, S, readonly [...Done, readonly [L, number]]>
  : Done;

/** All sizes of a letter. */
type SizesAt<L extends string, Letters> = Letters extends readonly [L, infer D extends number] ? D : never;

/** The size of a letter in the result: the one that is not 1, if there is one. */
type SizeAt<L extends string, Letters> = [SizesAt<L, Letters>] extends [never]
  ? number
  : [Exclude<SizesAt<L, Letters>, 1>] extends [never]
    ? 1
    : Exclude<SizesAt<L, Letters>, 1>;

type DimsOf<
  Result extends string,
  Letters,
  Done extends Shape = readonly [],
> = Result extends `${infer L}${infer Rest}`
  ? DimsOf<Rest, Letters, readonly [...Done, SizeAt<L, Letters>]>
  : Done;

/** The sentence about the first letter that has two sizes; never when none has. */
type Clash<L extends readonly Letter[], Seen = never> = L extends readonly [
  readonly [infer Name extends string, infer D extends number],
  ...infer Rest extends readonly Letter[],
]
  ? [SizesAt<Name, Seen>] extends [never]
    ? Clash<Rest, Seen | readonly [Name, D]>
    : [BroadcastDim<SizeAt<Name, Seen>, D>] extends [never]
      ? `einsum: '${Name}' is ${SizeAt<Name, Seen>} and ${D}`
      : Clash<Rest, Seen | readonly [Name, D]>
  : never;
