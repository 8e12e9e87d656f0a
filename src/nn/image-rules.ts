// What layers of pictures do to shapes, as the editor sees it: convolutions and pools of any rank.

import type { Multiply } from '../../compiler/graph/number-types.ts';
import type {
  At,
  Averaged,
  ImageShape,
  PooledOrCeiled,
  Slid,
  Unslid,
} from '../../compiler/graph/shape-types-contract.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import type { PerAxis, Rank } from './check.ts';
import type { InputShape, ShapeRule } from './shape-rule.ts';

/** [N, C, sizes…] → [N, F, …] by windows of K. */
export interface ConvRule<Fn extends string, R extends Rank, F extends number, K, S, P, D> extends ShapeRule {
  readonly output: Convoluted<InputShape<this>, F, R, K, S, P, D>;
  readonly check: ImageShape<Fn, InputShape<this>, ImageRank[R]>;
  readonly dtype: 'f32';
}
type Convoluted<X extends Shape, F extends number, R extends Rank, K, S, P, D> = X extends readonly [
  infer N extends number,
  number,
  ...infer Sizes extends Shape,
]
  ? readonly [N, F, ...Slid<Sizes, K, S, P, D>]
  : readonly [number, F, ...UnknownSizes[R]];

/** [N, C, sizes…] → [N, C · M, …] by windows of K. */
export interface DepthwiseRule<M extends number, K, S, P, D> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [number, infer C extends number, ...Shape]
    ? Convoluted<InputShape<this>, Multiply<C, M>, 2, K, S, P, D>
    : readonly [number, number, number, number];
  readonly check: ImageShape<'depthwiseConv2d', InputShape<this>, 4>;
  readonly dtype: 'f32';
}

/** [N, C, sizes…] → [N, F, …], where each pixel puts a window of K. */
export interface ConvTransposeRule<Fn extends string, R extends Rank, F extends number, K, S, P, D, E>
  extends ShapeRule {
  readonly output: InputShape<this> extends readonly [
    infer N extends number,
    number,
    ...infer Sizes extends Shape,
  ]
    ? readonly [N, F, ...Unslid<Sizes, K, S, P, D, E>]
    : readonly [number, F, ...UnknownSizes[R]];
  readonly check: ImageShape<Fn, InputShape<this>, ImageRank[R]>;
  readonly dtype: 'f32';
}

/** [N, C, sizes…] → [N, C, …] by windows of K. */
export interface PoolRule<Fn extends string, R extends Rank, K, S, P, D, C> extends ShapeRule {
  readonly output: PooledOrCeiled<ImageRank[R], InputShape<this>, K, S, P, D, C>;
  readonly check: ImageShape<Fn, InputShape<this>, ImageRank[R]>;
  readonly dtype: 'f32';
}

/** [N, C, …] → [N, C]. */
export interface GlobalPoolRule extends ShapeRule {
  readonly output: Averaged<InputShape<this>>;
  readonly dtype: 'f32';
}

/** [N, C, …] → [N, C, Z…]. */
export interface AdaptivePoolRule<Z extends PerAxis> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [
    infer N extends number,
    infer C extends number,
    ...infer Sizes extends Shape,
  ]
    ? readonly [N, C, ...{ readonly [I in keyof Sizes]: At<Z, I> }]
    : Shape;
  readonly dtype: 'f32';
}

/** How many dimensions an image of so many spatial ones has. */
interface ImageRank {
  readonly 1: 3;
  readonly 2: 4;
  readonly 3: 5;
}

/** Spatial sizes of which nothing is known. */
interface UnknownSizes {
  readonly 1: readonly [number];
  readonly 2: readonly [number, number];
  readonly 3: readonly [number, number, number];
}
