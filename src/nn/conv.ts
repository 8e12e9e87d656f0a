// Convolution layers of one, two and three spatial dimensions, and transposed ones, which upsample with learned filters. The
// ranks differ in nothing but how many numbers an option has.

import {
  add,
  conv1d as conv1dOp,
  conv2d as conv2dOp,
  conv3d as conv3dOp,
  convTranspose1d as convTranspose1dOp,
  convTranspose2d as convTranspose2dOp,
  convTranspose3d as convTranspose3dOp,
  reshape,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount, type PerAxis, perAxis, type Rank } from './check.ts';
import { sequential } from './container.ts';
import type { ConvRule, ConvTransposeRule, DepthwiseRule } from './image-rules.ts';
import { expectRank, type Layer, type LayerOptions, layer, layouts, refuse } from './layer.ts';
import type { ShapeRule } from './shape-rule.ts';

export interface ConvOptions<
  R extends Rank = Rank,
  S extends PerAxis<R> = PerAxis<R>,
  P extends PerAxis<R> | 'same' = PerAxis<R> | 'same',
  D extends PerAxis<R> = PerAxis<R>,
> extends LayerOptions {
  /** Default 1. */
  readonly stride?: S;
  /** Zeros on each side: one number, one for each spatial dimension, or `same`, as many as give ⌈size / stride⌉; default 0. */
  readonly padding?: P;
  /** Default 1. */
  readonly dilation?: D;
  /** Channels are split into this many groups; default 1. */
  readonly groups?: number;
  /** Adds a bias; default true. Leave it out before batch norm, which has its own. */
  readonly bias?: boolean;
  /** First weight; default Glorot uniform. */
  readonly init?: Initializer;
  readonly biasInit?: Initializer;
}

export interface ConvTransposeOptions<
  R extends Rank = Rank,
  S extends PerAxis<R> = PerAxis<R>,
  P extends PerAxis<R> | 'same' = PerAxis<R> | 'same',
  D extends PerAxis<R> = PerAxis<R>,
  E extends PerAxis<R> = PerAxis<R>,
> extends ConvOptions<R, S, P, D> {
  /** Cut off each side: one number, one for each spatial dimension, or `same`, which gives size · stride; default 0. */
  readonly padding?: P;
  /** Added after each spatial dimension; default 0. */
  readonly outputPadding?: E;
}

export type Conv1dOptions = ConvOptions<1>;
export type Conv2dOptions = ConvOptions<2>;
export type Conv3dOptions = ConvOptions<3>;
export type ConvTranspose1dOptions = ConvTransposeOptions<1>;
export type ConvTranspose2dOptions = ConvTransposeOptions<2>;
export type ConvTranspose3dOptions = ConvTransposeOptions<3>;

/**
 * Cross-correlation of pictures with `filters` kernels. f32[N, C, H, W] → f32[N, filters, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1; variables `w` [filters, C / groups, kernel, kernel] and
 * `b` [filters].
 * Throws HDL0003 (options), HDL0015 (input is not f32[N, C, H, W], or channels do not split into groups).
 *
 * @example nn.conv2d(16, 3, { padding: 1, stride: 2, bias: false })
 */
export function conv2d<
  const F extends number,
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = 1,
  const P extends PerAxis<2> | 'same' = 0,
  const D extends PerAxis<2> = 1,
>(filters: F, kernel: K, options: ConvOptions<2, S, P, D> = {}): Layer<ConvRule<'conv2d', 2, F, K, S, P, D>> {
  return convolution('conv2d', 2, false, filters, kernel, options);
}

/**
 * `conv2d` of sequences: f32[N, C, L] → f32[N, filters, L′]. Throws as it does.
 *
 * @example nn.conv1d(64, 5, { padding: 'same' })
 */
export function conv1d<
  const F extends number,
  const K extends PerAxis<1>,
  const S extends PerAxis<1> = 1,
  const P extends PerAxis<1> | 'same' = 0,
  const D extends PerAxis<1> = 1,
>(filters: F, kernel: K, options: ConvOptions<1, S, P, D> = {}): Layer<ConvRule<'conv1d', 1, F, K, S, P, D>> {
  return convolution('conv1d', 1, false, filters, kernel, options);
}

/**
 * `conv2d` of volumes: f32[N, C, D, H, W] → f32[N, filters, D′, H′, W′]. Throws as it does.
 *
 * @example nn.conv3d(8, 3, { padding: 1 })
 */
export function conv3d<
  const F extends number,
  const K extends PerAxis<3>,
  const S extends PerAxis<3> = 1,
  const P extends PerAxis<3> | 'same' = 0,
  const D extends PerAxis<3> = 1,
>(filters: F, kernel: K, options: ConvOptions<3, S, P, D> = {}): Layer<ConvRule<'conv3d', 3, F, K, S, P, D>> {
  return convolution('conv3d', 3, false, filters, kernel, options);
}

/**
 * Puts `filters` kernels, times each pixel, at every stride. f32[N, C, H, W] → f32[N, filters, H′, W′] with
 * H′ = (H − 1) · stride − 2 · padding + dilation · (kernel − 1) + 1 + outputPadding; variables `w`
 * [C, filters / groups, kernel, kernel] and `b` [filters].
 * Throws HDL0003 (options), HDL0015 (input is not f32[N, C, H, W], or channels do not split into groups).
 *
 * @example nn.convTranspose2d(16, 2, { stride: 2 })
 */
export function convTranspose2d<
  const F extends number,
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = 1,
  const P extends PerAxis<2> | 'same' = 0,
  const D extends PerAxis<2> = 1,
  const E extends PerAxis<2> = 0,
>(
  filters: F,
  kernel: K,
  options: ConvTransposeOptions<2, S, P, D, E> = {},
): Layer<ConvTransposeRule<'convTranspose2d', 2, F, K, S, P, D, E>> {
  return convolution('convTranspose2d', 2, true, filters, kernel, options);
}

/**
 * `convTranspose2d` of sequences: f32[N, C, L] → f32[N, filters, L′]. Throws as it does.
 *
 * @example nn.convTranspose1d(16, 4, { stride: 2, padding: 1 })
 */
export function convTranspose1d<
  const F extends number,
  const K extends PerAxis<1>,
  const S extends PerAxis<1> = 1,
  const P extends PerAxis<1> | 'same' = 0,
  const D extends PerAxis<1> = 1,
  const E extends PerAxis<1> = 0,
>(
  filters: F,
  kernel: K,
  options: ConvTransposeOptions<1, S, P, D, E> = {},
): Layer<ConvTransposeRule<'convTranspose1d', 1, F, K, S, P, D, E>> {
  return convolution('convTranspose1d', 1, true, filters, kernel, options);
}

/**
 * `convTranspose2d` of volumes: f32[N, C, D, H, W] → f32[N, filters, D′, H′, W′]. Throws as it does.
 *
 * @example nn.convTranspose3d(4, 2, { stride: 2 })
 */
export function convTranspose3d<
  const F extends number,
  const K extends PerAxis<3>,
  const S extends PerAxis<3> = 1,
  const P extends PerAxis<3> | 'same' = 0,
  const D extends PerAxis<3> = 1,
  const E extends PerAxis<3> = 0,
>(
  filters: F,
  kernel: K,
  options: ConvTransposeOptions<3, S, P, D, E> = {},
): Layer<ConvTransposeRule<'convTranspose3d', 3, F, K, S, P, D, E>> {
  return convolution('convTranspose3d', 3, true, filters, kernel, options);
}

export interface DepthwiseOptions<
  S extends PerAxis<2> = PerAxis<2>,
  P extends PerAxis<2> | 'same' = PerAxis<2> | 'same',
  D extends PerAxis<2> = PerAxis<2>,
  M extends number = number,
> extends Omit<ConvOptions<2, S, P, D>, 'groups'> {
  /** Filters for each channel; default 1. */
  readonly multiplier?: M;
}

/**
 * `conv2d` in which each channel has filters of its own. f32[N, C, H, W] → f32[N, C · multiplier, H′, W′]; variables `w`
 * [C · multiplier, 1, kernel, kernel] and `b` [C · multiplier]. Throws HDL0003, HDL0015.
 *
 * @example nn.depthwiseConv2d(3, { padding: 'same' })
 */
export function depthwiseConv2d<
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = 1,
  const P extends PerAxis<2> | 'same' = 0,
  const D extends PerAxis<2> = 1,
  const M extends number = 1,
>(kernel: K, options: DepthwiseOptions<S, P, D, M> = {}): Layer<DepthwiseRule<M, K, S, P, D>> {
  const multiplier: number = options.multiplier ?? 1;
  checkCount('depthwiseConv2d', 'multiplier', multiplier);
  return convolution('depthwiseConv2d', 2, false, { multiplier }, kernel, options);
}

/**
 * A depthwise convolution, and one of 1 × 1 that mixes its channels (Chollet, 2017). f32[N, C, H, W] →
 * f32[N, filters, H′, W′]; variables `depthwise/w`, `pointwise/w` and `pointwise/b`. `init` makes both weights. Throws HDL0003,
 * HDL0015.
 *
 * @example nn.separableConv2d(64, 3, { padding: 'same', stride: 2 })
 */
export function separableConv2d<
  const F extends number,
  const K extends PerAxis<2>,
  const S extends PerAxis<2> = 1,
  const P extends PerAxis<2> | 'same' = 0,
  const D extends PerAxis<2> = 1,
>(
  filters: F,
  kernel: K,
  options: DepthwiseOptions<S, P, D> = {},
): Layer<ConvRule<'separableConv2d', 2, F, K, S, P, D>> {
  const { bias, biasInit, name, init, ...depthwise }: DepthwiseOptions = options;
  const shared = { ...(init && { init }), trainable: options.trainable };
  const { regularizer, constraint } = options;
  const both: Layer = sequential(
    [
      depthwiseConv2d(kernel, { ...depthwise, ...shared, bias: false, name: 'depthwise' }),
      conv2d(filters, 1, {
        ...shared,
        regularizer,
        constraint,
        name: 'pointwise',
        ...(bias !== undefined && { bias }),
        ...(biasInit && { biasInit }),
      }),
    ],
    { name, activityRegularizer: options.activityRegularizer },
  );
  return both as Layer<ConvRule<'separableConv2d', 2, F, K, S, P, D>>;
}

type Op = (x: Floats, w: Floats, options: object) => Floats;
const ops = {
  plain: { 1: conv1dOp, 2: conv2dOp, 3: conv3dOp },
  transposed: { 1: convTranspose1dOp, 2: convTranspose2dOp, 3: convTranspose3dOp },
} as unknown as Readonly<Record<'plain' | 'transposed', Readonly<Record<Rank, Op>>>>;

/** `filters` are a number, or so many for each channel, which is known when the layer is applied. */
function convolution<R extends Rank, T extends ShapeRule>(
  fn: string,
  rank: R,
  isTransposed: boolean,
  filters: number | { readonly multiplier: number },
  kernel: PerAxis<R>,
  options: ConvTransposeOptions<R>,
): Layer<T> {
  const { bias = true, init = glorotUniform(), biasInit = zeros() } = options;
  const taps = perAxis(fn, 'kernel', kernel, rank);
  const strides = perAxis(fn, 'stride', options.stride ?? 1, rank);
  const dilation = perAxis(fn, 'dilation', options.dilation ?? 1, rank);
  const padding = options.padding === 'same' ? 'same' : perAxis(fn, 'padding', options.padding ?? 0, rank, 0);
  const outputPadding = perAxis(fn, 'outputPadding', options.outputPadding ?? 0, rank, 0);
  if (typeof filters === 'number') checkCount(fn, 'filters', filters);
  checkCount(fn, 'groups', options.groups ?? 1);
  const isEven = taps.every((k) => k === taps[0]);
  const size = isEven ? `${taps[0]}` : `[${taps.join(', ')}]`;
  const say = `${fn}(${typeof filters === 'number' ? `${filters}, ` : ''}${size})`;
  const op = ops[isTransposed ? 'transposed' : 'plain'][rank];

  return layer(
    isTransposed ? 'convT' : 'conv',
    (x, ctx) => {
      expectRank(say, x, rank + 2, layouts[rank]);
      const channels = x.type.shape[1]!;
      const count = typeof filters === 'number' ? filters : channels * filters.multiplier;
      const groups = typeof filters === 'number' ? (options.groups ?? 1) : channels;
      if (channels % groups !== 0 || count % groups !== 0) {
        refuse(
          say,
          x,
          `${channels} channels and ${count} filters must each split into ${groups} groups`,
          `choose a number of groups that divides both`,
        );
      }
      const shape = isTransposed ? [channels, count / groups] : [count, channels / groups];
      const w = ctx.variable('w', [...shape, ...taps], init);
      const y = op(x, w, { strides, padding, dilation, groups, ...(isTransposed && { outputPadding }) });
      if (!bias) return y;
      const b = reshape(ctx.variable('b', [count], biasInit), [1, count, ...taps.map(() => 1)]);
      return add(y, b) as Floats;
    },
    options,
  );
}
