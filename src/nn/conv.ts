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
import { expectRank, type Layer, type LayerOptions, layer, layouts, refuse } from './layer.ts';

export interface ConvOptions<R extends Rank = Rank> extends LayerOptions {
  /** Default 1. */
  readonly stride?: PerAxis<R>;
  /** Zeros on each side: one number, one for each spatial dimension, or `same`, as many as give ⌈size / stride⌉; default 0. */
  readonly padding?: PerAxis<R> | 'same';
  /** Default 1. */
  readonly dilation?: PerAxis<R>;
  /** Channels are split into this many groups; default 1. */
  readonly groups?: number;
  /** Adds a bias; default true. Leave it out before batch norm, which has its own. */
  readonly bias?: boolean;
  /** First weight; default Glorot uniform. */
  readonly init?: Initializer;
  readonly biasInit?: Initializer;
}

export interface ConvTransposeOptions<R extends Rank = Rank> extends ConvOptions<R> {
  /** Cut off each side: one number, one for each spatial dimension, or `same`, which gives size · stride; default 0. */
  readonly padding?: PerAxis<R> | 'same';
  /** Added after each spatial dimension; default 0. */
  readonly outputPadding?: PerAxis<R>;
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
export function conv2d(filters: number, kernel: PerAxis<2>, options: Conv2dOptions = {}): Layer {
  return convolution('conv2d', 2, false, filters, kernel, options);
}

/**
 * `conv2d` of sequences: f32[N, C, L] → f32[N, filters, L′].
 *
 * @example nn.conv1d(64, 5, { padding: 'same' })
 */
export function conv1d(filters: number, kernel: PerAxis<1>, options: Conv1dOptions = {}): Layer {
  return convolution('conv1d', 1, false, filters, kernel, options);
}

/**
 * `conv2d` of volumes: f32[N, C, D, H, W] → f32[N, filters, D′, H′, W′].
 *
 * @example nn.conv3d(8, 3, { padding: 1 })
 */
export function conv3d(filters: number, kernel: PerAxis<3>, options: Conv3dOptions = {}): Layer {
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
export function convTranspose2d(
  filters: number,
  kernel: PerAxis<2>,
  options: ConvTranspose2dOptions = {},
): Layer {
  return convolution('convTranspose2d', 2, true, filters, kernel, options);
}

/**
 * `convTranspose2d` of sequences: f32[N, C, L] → f32[N, filters, L′].
 *
 * @example nn.convTranspose1d(16, 4, { stride: 2, padding: 1 })
 */
export function convTranspose1d(
  filters: number,
  kernel: PerAxis<1>,
  options: ConvTranspose1dOptions = {},
): Layer {
  return convolution('convTranspose1d', 1, true, filters, kernel, options);
}

/**
 * `convTranspose2d` of volumes: f32[N, C, D, H, W] → f32[N, filters, D′, H′, W′].
 *
 * @example nn.convTranspose3d(4, 2, { stride: 2 })
 */
export function convTranspose3d(
  filters: number,
  kernel: PerAxis<3>,
  options: ConvTranspose3dOptions = {},
): Layer {
  return convolution('convTranspose3d', 3, true, filters, kernel, options);
}

export interface DepthwiseOptions extends Omit<Conv2dOptions, 'groups'> {
  /** Filters for each channel; default 1. */
  readonly multiplier?: number;
}

/**
 * `conv2d` in which each channel has filters of its own. f32[N, C, H, W] → f32[N, C · multiplier, H′, W′]; variables `w`
 * [C · multiplier, 1, kernel, kernel] and `b` [C · multiplier]. Throws HDL0003, HDL0015.
 *
 * @example nn.depthwiseConv2d(3, { padding: 'same' })
 */
export function depthwiseConv2d(kernel: PerAxis<2>, options: DepthwiseOptions = {}): Layer {
  const { multiplier = 1 } = options;
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
export function separableConv2d(filters: number, kernel: PerAxis<2>, options: DepthwiseOptions = {}): Layer {
  const { bias, biasInit, name, init, ...depthwise } = options;
  const shared = { ...(init && { init }), trainable: options.trainable };
  const { regularizer, constraint } = options;
  return sequential(
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
}

type Op = (x: Floats, w: Floats, options: object) => Floats;
const ops = {
  plain: { 1: conv1dOp, 2: conv2dOp, 3: conv3dOp },
  transposed: { 1: convTranspose1dOp, 2: convTranspose2dOp, 3: convTranspose3dOp },
} as unknown as Readonly<Record<'plain' | 'transposed', Readonly<Record<Rank, Op>>>>;

/** `filters` are a number, or so many for each channel, which is known when the layer is applied. */
function convolution<R extends Rank>(
  fn: string,
  rank: R,
  isTransposed: boolean,
  filters: number | { readonly multiplier: number },
  kernel: PerAxis<R>,
  options: ConvTransposeOptions<R>,
): Layer {
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
