// Shapes in the editor for matrix products, convolutions and pools; the pattern is that of shape-types.ts. A mismatch
// reads like this, at the wrong argument:
//
//   matmul: inner dimensions 784 and 785 differ

import type { Add, DivideFloor, Multiply, Subtract } from './number-types.ts';
import type { Broadcast, Differ, IsLiteral, IsTuple, LastOf, ShapeError, ShapeOf } from './shape-types.ts';
import type { Shape } from './types.ts';

type Known<A extends Shape, B extends Shape> = IsTuple<A> extends false ? false : IsTuple<B>;

/** The shape of a matrix product by NumPy's rule. */
export type Multiplied<A extends Shape, B extends Shape> =
  Known<A, B> extends false
    ? Shape
    : A extends readonly [number]
      ? WithoutInner<B>
      : B extends readonly [number]
        ? A extends readonly [...infer Head extends Shape, number]
          ? readonly [...Head]
          : Shape
        : A extends readonly [...infer ABatch extends Shape, infer M extends number, number]
          ? B extends readonly [...infer BBatch extends Shape, number, infer N extends number]
            ? [Broadcast<ABatch, BBatch>] extends [infer Batch extends Shape]
              ? readonly [...Batch, M, N]
              : Shape
            : Shape
          : Shape;

/** What a row vector leaves of its right operand: everything but the inner dimension. */
type WithoutInner<B extends Shape> = B extends readonly [number]
  ? readonly []
  : B extends readonly [...infer Batch extends Shape, number, infer N extends number]
    ? readonly [...Batch, N]
    : Shape;

/** The dimension of the right operand of a matrix product that is summed over. */
type InnerOf<B extends Shape> = B extends readonly [infer K extends number]
  ? K
  : B extends readonly [...Shape, infer K extends number, number]
    ? K
    : number;

/** Check of the operands of a matrix product. */
export type Multiplies<A, B> =
  Known<ShapeOf<A>, ShapeOf<B>> extends false
    ? unknown
    : Differ<LastOf<ShapeOf<A>>, InnerOf<ShapeOf<B>>> extends true
      ? ShapeError<`matmul: inner dimensions ${LastOf<ShapeOf<A>>} and ${InnerOf<ShapeOf<B>>} differ`>
      : unknown;

/** Check of the weights of a dense layer. */
export type DenseWeights<X, W> =
  Known<ShapeOf<X>, ShapeOf<W>> extends false
    ? unknown
    : ShapeOf<W> extends readonly [infer Inputs extends number, number]
      ? Differ<LastOf<ShapeOf<X>>, Inputs> extends true
        ? ShapeError<`dense: x has ${LastOf<ShapeOf<X>>} inputs in its last dimension, the weights take ${Inputs}`>
        : unknown
      : ShapeError<`dense: the weights have ${ShapeOf<W>['length']} dimensions, not [inputs, outputs]`>;

/** Check of the bias of a dense layer. */
export type DenseBias<W, B> =
  ShapeOf<B> extends readonly [infer Length extends number]
    ? ShapeOf<W> extends readonly [number, infer Outputs extends number]
      ? Differ<Length, Outputs> extends true
        ? ShapeError<`dense: the bias has length ${Length}, the weights give ${Outputs} outputs`>
        : unknown
      : unknown
    : IsTuple<ShapeOf<B>> extends false
      ? unknown
      : ShapeError<`dense: the bias has ${ShapeOf<B>['length']} dimensions, not [outputs]`>;

/** One number for all spatial dimensions, or one for each. */
export type PerDimension = number | readonly number[];

/**
 * Zeros around the spatial dimensions: one amount for all sides, one for each dimension, a pair [before, after] for each
 * dimension, 'valid' (none), or 'same': as many as make the result ceil(size / stride), the odd one after.
 */
export type SpatialPadding =
  | number
  | readonly number[]
  | readonly (readonly [number, number])[]
  | 'same'
  | 'valid';

/** The number that an option gives to the spatial dimension I. */
export type At<V, I> = V extends number
  ? V
  : I extends keyof V
    ? V[I] extends number
      ? V[I]
      : number
    : number;

/** A dimension with its padding. */
type Padded<N extends number, P, I> = P extends 'valid'
  ? N
  : P extends number
    ? Add<N, Multiply<2, P>>
    : I extends keyof P
      ? P[I] extends readonly [infer Lo extends number, infer Hi extends number]
        ? Add<Add<N, Lo>, Hi>
        : P[I] extends number
          ? Add<N, Multiply<2, P[I]>>
          : number
      : number;

/** Number of places of a window of K elements in a dimension of N. */
type Places<
  N extends number,
  K extends number,
  Stride extends number,
  P,
  Dilation extends number,
  I,
> = P extends 'same'
  ? Stride extends 1
    ? N
    : DivideFloor<Subtract<Add<N, Stride>, 1>, Stride>
  : Add<DivideFloor<Subtract<Padded<N, P, I>, Add<Multiply<Subtract<K, 1>, Dilation>, 1>>, Stride>, 1>;

/** Spatial sizes after a window of sizes K has slid over sizes N. */
export type Slid<N extends Shape, K, Stride, P, Dilation> = {
  readonly [I in keyof N]: Places<N[I] & number, At<K, I>, At<Stride, I>, P, At<Dilation, I>, I>;
};

/** A shape of that rank of which nothing else is known. */
type OfRank<Rank extends number> = Rank extends 3
  ? readonly [number, number, number]
  : Rank extends 4
    ? readonly [number, number, number, number]
    : readonly [number, number, number, number, number];

/** The shape of a convolution: `Rank` counts the dimensions of x, 3 to 5. */
export type Convolved<
  Rank extends number,
  X extends Shape,
  W extends Shape,
  Stride,
  P,
  Dilation,
> = X extends readonly [infer N extends number, number, ...infer Sizes extends Shape]
  ? W extends readonly [infer O extends number, number, ...infer Taps extends Shape]
    ? Known<X, W> extends true
      ? readonly [N, O, ...Slid<Sizes, Taps, Stride, P, Dilation>]
      : OfRank<Rank>
    : OfRank<Rank>
  : OfRank<Rank>;

/** What padding takes off both sides of a dimension together. */
type Cut<P, I> = P extends 'valid'
  ? 0
  : P extends number
    ? Multiply<2, P>
    : I extends keyof P
      ? P[I] extends readonly [infer Lo extends number, infer Hi extends number]
        ? Add<Lo, Hi>
        : P[I] extends number
          ? Multiply<2, P[I]>
          : number
      : number;

/** A dimension of a transposed convolution, of N elements, where a filter reaches over Reach. */
type Turned<N extends number, Reach extends number, Stride extends number, P, I> = P extends 'same'
  ? IsLiteral<Subtract<Reach, Stride>> extends true
    ? Multiply<N, Stride>
    : number
  : Subtract<Add<Multiply<Subtract<N, 1>, Stride>, Reach>, Cut<P, I>>;

/** Spatial sizes of a transposed convolution. */
export type Unslid<N extends Shape, K, Stride, P, Dilation, Extra> = {
  readonly [I in keyof N]: Add<
    Turned<N[I] & number, Add<Multiply<Subtract<At<K, I>, 1>, At<Dilation, I>>, 1>, At<Stride, I>, P, I>,
    At<Extra, I>
  >;
};

/** The shape of a transposed convolution of the rank; filters are [C, O / groups, taps…]. */
export type ConvTransposed<
  Rank extends number,
  X extends Shape,
  W extends Shape,
  Stride,
  P,
  Dilation,
  Extra,
  Groups extends number,
> = X extends readonly [infer N extends number, number, ...infer Sizes extends Shape]
  ? W extends readonly [number, infer O extends number, ...infer Taps extends Shape]
    ? Known<X, W> extends true
      ? readonly [N, Multiply<O, Groups>, ...Unslid<Sizes, Taps, Stride, P, Dilation, Extra>]
      : OfRank<Rank>
    : OfRank<Rank>
  : OfRank<Rank>;

/** Check of the filters of a transposed convolution. */
export type TurnedFilters<Fn extends string, X, W, Rank extends number> =
  Known<ShapeOf<X>, ShapeOf<W>> extends false
    ? unknown
    : Differ<ShapeOf<W>['length'], Rank> extends true
      ? ShapeError<`${Fn}: w has ${ShapeOf<W>['length']} dimensions, ${Fn} takes ${Rank}`>
      : ShapeOf<W> extends readonly [infer C extends number, ...Shape]
        ? Differ<ChannelsOf<ShapeOf<X>>, C> extends true
          ? ShapeError<`${Fn}: x has ${ChannelsOf<ShapeOf<X>>} channels, w takes ${C}`>
          : unknown
        : unknown;

/** Check of an image: [N, C, spatial…] of the rank. */
export type Images<Fn extends string, X, Rank extends number> = ImageShape<Fn, ShapeOf<X>, Rank>;

/** The same, of a shape. */
export type ImageShape<Fn extends string, S extends Shape, Rank extends number> =
  IsTuple<S> extends false
    ? unknown
    : Differ<S['length'], Rank> extends true
      ? ShapeError<`${Fn}: x has ${S['length']} dimensions, ${Fn} takes ${Rank}`>
      : unknown;

/** Check of filters: [O, C / groups, taps…] of the rank, that read as many channels as the images have. */
export type Filters<Fn extends string, X, W, Rank extends number, Groups extends number> =
  Known<ShapeOf<X>, ShapeOf<W>> extends false
    ? unknown
    : Differ<ShapeOf<W>['length'], Rank> extends true
      ? ShapeError<`${Fn}: w has ${ShapeOf<W>['length']} dimensions, ${Fn} takes ${Rank}`>
      : ReadsChannels<Fn, ChannelsOf<ShapeOf<X>>, Multiply<ChannelsOf<ShapeOf<W>>, Groups>>;

type ReadsChannels<Fn extends string, Has extends number, Reads extends number> =
  Differ<Has, Reads> extends true ? ShapeError<`${Fn}: x has ${Has} channels, w reads ${Reads}`> : unknown;

type ChannelsOf<S extends Shape> = S extends readonly [number, infer C extends number, ...Shape] ? C : number;

/** The shape of a pool over images of the rank. */
export type Pooled<Rank extends number, X extends Shape, K, Stride, P, Dilation> = X extends readonly [
  infer N extends number,
  infer C extends number,
  ...infer Sizes extends Shape,
]
  ? IsTuple<X> extends true
    ? readonly [N, C, ...Slid<Sizes, K, Stride, P, Dilation>]
    : OfRank<Rank>
  : OfRank<Rank>;

/** `Pooled`, or only the rank where windows may reach beyond the image. */
export type PooledOrCeiled<Rank extends number, X extends Shape, K, Stride, P, Dilation, Ceil> = [
  Ceil,
] extends [false]
  ? Pooled<Rank, X, K, Stride, P, Dilation>
  : OfRank<Rank>;

/** [N, C] of images. */
export type Averaged<X extends Shape> = X extends readonly [
  infer N extends number,
  infer C extends number,
  ...Shape,
]
  ? readonly [N, C]
  : readonly [number, number];

/** [C] of images. */
export type Channels<X extends Shape> = readonly [ChannelsOf<X>];
