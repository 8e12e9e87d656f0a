// Shapes in the editor of attention and of recurrent nets; the pattern is that of shape-types.ts.

import type { DivideFloor, Multiply } from './number-types.ts';
import type { Broadcast, Differ, IsTuple, LastOf, ShapeError, ShapeOf } from './shape-types.ts';
import type { Shape } from './types.ts';

type SecondLastOf<S extends Shape> = S extends readonly [...Shape, infer D extends number, number]
  ? D
  : number;
type BatchOf<S extends Shape> =
  IsTuple<S> extends false
    ? Shape
    : S extends readonly [...infer Batch extends Shape, number, number]
      ? readonly [...Batch]
      : Shape;

/** [..., queries, values]. */
export type Attended<Q extends Shape, K extends Shape, V extends Shape> =
  Broadcast<Broadcast<BatchOf<Q>, BatchOf<K>>, BatchOf<V>> extends infer Batch extends Shape
    ? readonly [...Batch, SecondLastOf<Q>, LastOf<V>]
    : Shape;

/** Check that keys have as many features as queries. */
export type Fits<Q, K> =
  Differ<LastOf<ShapeOf<Q>>, LastOf<ShapeOf<K>>> extends true
    ? ShapeError<`attention: queries have ${LastOf<ShapeOf<Q>>} features, keys ${LastOf<ShapeOf<K>>}`>
    : unknown;

/** Check that there is a value for each key. */
export type Values<K, V> =
  Differ<SecondLastOf<ShapeOf<K>>, SecondLastOf<ShapeOf<V>>> extends true
    ? ShapeError<`attention: ${SecondLastOf<ShapeOf<K>>} keys and ${SecondLastOf<ShapeOf<V>>} values`>
    : unknown;

/** [N, heads, T, features / heads] of [N, T, features]. */
export type Headed<X extends Shape, H extends number> = X extends readonly [
  infer N extends number,
  infer T extends number,
  infer F extends number,
]
  ? readonly [N, H, T, DivideFloor<F, H>]
  : readonly [number, H, number, number];

/** Check that heads divide the features. */
export type Heads<Fn extends string, X extends Shape, H extends number> =
  Differ<Multiply<DivideFloor<LastOf<X>, H>, H>, LastOf<X>> extends true
    ? ShapeError<`${Fn}: ${H} heads do not divide ${LastOf<X>} features`>
    : unknown;

/** [N, T, heads · features] of [N, heads, T, features]. */
export type Headless<X extends Shape> = X extends readonly [
  infer N extends number,
  infer H extends number,
  infer T extends number,
  infer F extends number,
]
  ? readonly [N, T, Multiply<H, F>]
  : readonly [number, number, number];

/** [T, N, units] of a sequence [T, N, features] and recurrent weights [units, gates]. */
export type States<X extends Shape, W extends Shape> = X extends readonly [
  infer T extends number,
  infer N extends number,
  number,
]
  ? readonly [T, N, FirstOf<W>]
  : readonly [number, number, FirstOf<W>];

/** [N, units] of the same. */
export type LastState<X extends Shape, W extends Shape> =
  States<X, W> extends readonly [number, infer N extends number, infer U extends number]
    ? readonly [N, U]
    : readonly [number, number];

type FirstOf<S extends Shape> = S extends readonly [infer D extends number, ...Shape] ? D : number;
