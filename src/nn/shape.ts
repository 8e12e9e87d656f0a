// Layers without variables that change the shape. The batch, dimension 0, stays where it is.

import type { Add, Multiply } from '../../compiler/graph/number-types.ts';
import type { Resized } from '../../compiler/graph/shape-types-box.ts';
import type {
  Flattened,
  Permutes,
  Reshaped,
  Reshapes,
  Transposed,
} from '../../compiler/graph/shape-types-view.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  broadcastTo,
  expandDims,
  flatten as flattenOp,
  type PadMode,
  pad as padOp,
  type ResizeOptions,
  reshape as reshapeOp,
  resize as resizeOp,
  transpose,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkCount } from './check.ts';
import { type Layer, type LayerOptions, layer, refuse } from './layer.ts';
import type { CheckOf, InputShape, OutputOf, ShapeRule } from './shape-rule.ts';

export interface FlattenRule extends ShapeRule {
  readonly output: Flattened<InputShape<this>, 1>;
  readonly dtype: 'f32';
}

/**
 * All dimensions but the first in one: [N, C, H, W] → [N, C·H·W].
 *
 * @example nn.flatten()
 */
export function flatten(options: LayerOptions = {}): Layer<FlattenRule> {
  return layer('flatten', (x) => flattenOp(x), options);
}

/** [N, …] → [N, T…]. */
export interface ReshapeRule<T extends Shape> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [infer N extends number, ...Shape]
    ? Reshaped<readonly [N, ...T]>
    : Shape;
  readonly check: -1 extends T[number]
    ? unknown
    : InputShape<this> extends readonly [infer N extends number, ...Shape]
      ? Reshapes<InputShape<this>, readonly [N, ...T]>
      : unknown;
  readonly dtype: 'f32';
}

/**
 * The elements of each example under another shape; one dimension may be −1. f32[N, …] → f32[N, shape…]. Throws HDL0001 when
 * the numbers of elements differ.
 *
 * @example nn.reshape([16, 7, 7])
 */
export function reshape<const T extends Shape>(shape: T, options: LayerOptions = {}): Layer<ReshapeRule<T>> {
  return layer('reshape', (x) => reshapeOp(x, [x.type.shape[0] ?? 1, ...shape]) as Floats, options);
}

export interface PermuteRule<P extends Shape> extends ShapeRule {
  readonly output: Transposed<InputShape<this>, P>;
  readonly check: Permutes<InputShape<this>, P>;
  readonly dtype: 'f32';
}

/**
 * The dimensions in another order: dimension `perm[k]` becomes dimension k, as in `transpose`. `perm` begins with 0, the
 * batch. Throws HDL0003, HDL0015 for another first dimension.
 *
 * @example nn.permute([0, 2, 1]) // [batch, steps, features] → [batch, features, steps]
 */
export function permute<const P extends Shape>(perm: P, options: LayerOptions = {}): Layer<PermuteRule<P>> {
  return layer(
    'permute',
    (x) => {
      if (perm[0] !== 0) {
        const hint = 'write the order of all dimensions: nn.permute([0, 2, 1])';
        refuse('permute', x, 'the batch, dimension 0, stays first', hint);
      }
      return transpose(x, perm as Shape) as Floats;
    },
    options,
  );
}

/** [N, features] → [N, C, features]. */
export interface RepeatRule<C extends number> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [infer N extends number, infer F extends number]
    ? readonly [N, C, F]
    : readonly [number, C, number];
  readonly dtype: 'f32';
}

/**
 * Each example `count` times, as steps of a sequence. f32[N, features] → f32[N, count, features]. Throws HDL0003, HDL0015.
 *
 * @example nn.repeatVector(5)
 */
export function repeatVector<const C extends number>(
  count: C,
  options: LayerOptions = {},
): Layer<RepeatRule<C>> {
  checkCount('repeatVector', 'count', count);
  return layer(
    'repeat',
    (x) => {
      const [n, features] = x.type.shape;
      if (x.type.shape.length !== 2) {
        refuse('repeatVector', x, 'its input is [batch, features]', 'put flatten() before it');
      }
      return broadcastTo(expandDims(x, 1) as Floats, [n!, count as number, features!]);
    },
    options,
  );
}

export interface PadOptions extends LayerOptions {
  /** Elements of the input instead of a number: `reflect`, `edge` or `wrap`. */
  readonly mode?: PadMode;
  /** Default 0. */
  readonly value?: number;
}

/** One number for all sides, or for each spatial dimension one or [before, after]. */
export type LayerWidths = number | readonly (number | readonly [number, number])[];

export interface PadRule<W extends LayerWidths> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [
    infer N extends number,
    infer C extends number,
    ...infer Sizes extends Shape,
  ]
    ? readonly [N, C, ...Widened<Sizes, W>]
    : Shape;
  readonly dtype: 'f32';
}
type Widened<Sizes extends Shape, W> = {
  readonly [K in keyof Sizes]: W extends number
    ? Add<Sizes[K], Multiply<2, W>>
    : K extends keyof W
      ? W[K] extends readonly [infer Lo extends number, infer Hi extends number]
        ? Add<Add<Sizes[K], Lo>, Hi>
        : W[K] extends number
          ? Add<Sizes[K], Multiply<2, W[K]>>
          : number
      : number;
};

/**
 * Elements around each spatial dimension: one number for all sides, or for each dimension one or [before, after]; negative
 * ones remove elements. f32[N, C, …]. Throws HDL0003, HDL0015.
 *
 * @example nn.pad([[0, 1], [0, 1]], { mode: 'edge' })
 */
export function pad<const W extends LayerWidths>(widths: W, options: PadOptions = {}): Layer<PadRule<W>> {
  return layer(
    'pad',
    (x) => {
      const rank = x.type.shape.length - 2;
      const given: LayerWidths = widths;
      const list = typeof given === 'number' ? new Array<number>(Math.max(rank, 0)).fill(given) : given;
      if (rank < 1 || list.length !== rank) {
        const rule = 'its input is [batch, channels, …], with a width for each spatial dimension';
        refuse('pad', x, rule, 'write one number for all of them: nn.pad(1)');
      }
      const spatial = list.map((w): readonly [number, number] => (typeof w === 'number' ? [w, w] : w));
      return padOp(x, [[0, 0], [0, 0], ...spatial], options.mode ?? options.value ?? 0);
    },
    options,
  );
}

/** [N, C, sizes…] → [N, C, F · sizes…]. */
export interface UpsampleRule<F extends number> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [
    infer N extends number,
    infer C extends number,
    ...infer Sizes extends Shape,
  ]
    ? readonly [N, C, ...{ readonly [K in keyof Sizes]: Multiply<Sizes[K], F> }]
    : Shape;
  readonly dtype: 'f32';
}

/**
 * Pictures of `factor` times the size, nearest neighbours or linear between pixels. f32[N, C, …] → f32[N, C, factor · …].
 * Throws HDL0003, HDL0015.
 *
 * @example nn.upsample(2, { mode: 'linear' })
 */
export function upsample<const F extends number>(
  factor: F,
  options: ResizeOptions & LayerOptions = {},
): Layer<UpsampleRule<F>> {
  checkCount('upsample', 'factor', factor);
  return resized('upsample', (size) => size.map((n) => n * factor), options);
}

/** [N, C, …] → [N, C, Z…]. */
export interface ResizeRule<Z extends Shape> extends ShapeRule {
  readonly output: Resized<InputShape<this>, Z>;
  readonly dtype: 'f32';
}

/**
 * Pictures of another size: one number for each spatial dimension. f32[N, C, …] → f32[N, C, size…]. Throws HDL0003, HDL0015.
 *
 * @example nn.resize([32, 32])
 */
export function resize<const Z extends Shape>(
  size: Z,
  options: ResizeOptions & LayerOptions = {},
): Layer<ResizeRule<Z>> {
  return resized('resize', () => size, options);
}

function resized<R extends ShapeRule>(
  fn: string,
  sizeOf: (size: readonly number[]) => readonly number[],
  options: ResizeOptions & LayerOptions,
): Layer<R> {
  return layer(
    fn,
    (x) => {
      if (x.type.shape.length < 3) {
        refuse(fn, x, 'its input is [batch, channels, …] with spatial dimensions', 'put it before flatten()');
      }
      return resizeOp(x, sizeOf(x.type.shape.slice(2)), options) as Floats;
    },
    options,
  );
}

/** What R does to [N · T, …], of [N, T, …]. */
export interface StepsRule<R extends ShapeRule> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [
    infer N extends number,
    infer T extends number,
    ...infer Rest extends Shape,
  ]
    ? OutputOf<R, readonly [Multiply<N, T>, ...Rest]> extends readonly [number, ...infer Out extends Shape]
      ? readonly [N, T, ...Out]
      : Shape
    : Shape;
  readonly check: InputShape<this> extends readonly [
    infer N extends number,
    infer T extends number,
    ...infer Rest extends Shape,
  ]
    ? CheckOf<R, readonly [Multiply<N, T>, ...Rest]>
    : unknown;
  readonly dtype: 'f32';
}

/**
 * Applies a layer to each step of a sequence by itself, with the same variables: f32[N, T, …] → f32[N, T, …]. Not needed for
 * `nn.dense`, which does so. Throws HDL0015 for an input without steps.
 *
 * @example nn.timeDistributed(nn.conv2d(8, 3)) // [batch, steps, channels, height, width]
 */
export function timeDistributed<R extends ShapeRule>(
  inner: Layer<R>,
  options: LayerOptions = {},
): Layer<StepsRule<R>> {
  return layer(
    'steps',
    (x, ctx) => {
      const [n, steps, ...rest] = x.type.shape;
      if (n === undefined || steps === undefined) {
        refuse(
          'timeDistributed',
          x,
          'its input is [batch, steps, …]',
          'a batch of one has a first dimension of 1',
        );
      }
      const y = (inner as Layer).apply(reshapeOp(x, [n * steps, ...rest]), ctx);
      return reshapeOp(y, [n, steps, ...y.type.shape.slice(1)]) as Floats;
    },
    options,
  );
}
