// The two-dimensional transposed convolution layer: upsampling with learned filters.

import { add, convTranspose2d as convTransposeOp, reshape } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount, type Pair, pair } from './check.ts';
import { expectRank, type Layer, type LayerOptions, layer, refuse } from './layer.ts';

export interface ConvTranspose2dOptions extends LayerOptions {
  /** Default 1. */
  readonly stride?: Pair;
  /** Cut off each side: a number, [rows, columns], or `same`, which gives size · stride; default 0. */
  readonly padding?: Pair | 'same';
  /** Added at the lower right; default 0. */
  readonly outputPadding?: Pair;
  /** Default 1. */
  readonly dilation?: Pair;
  /** Channels are split into this many groups; default 1. */
  readonly groups?: number;
  /** Adds a bias; default true. */
  readonly bias?: boolean;
  /** First weight; default Glorot uniform. */
  readonly init?: Initializer;
  readonly biasInit?: Initializer;
}

/**
 * Puts `filters` kernels, times each pixel, at every stride. f32[N, C, H, W] → f32[N, filters, H′, W′] with
 * H′ = (H − 1) · stride − 2 · padding + dilation · (kernel − 1) + 1 + outputPadding; variables `w`
 * [C, filters / groups, kernel, kernel] and `b` [filters].
 * Throws HDL0003 (options), HDL0015 (input is not f32[N, C, H, W], or channels do not split into groups).
 *
 * @example nn.convTranspose2d(16, 2, { stride: 2 })
 */
export function convTranspose2d(filters: number, kernel: Pair, options: ConvTranspose2dOptions = {}): Layer {
  const { groups = 1, bias = true, init = glorotUniform(), biasInit = zeros() } = options;
  const [rows, columns] = pair(kernel);
  const strides = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const outputPadding = pair(options.outputPadding ?? 0);
  const padding = options.padding === 'same' ? 'same' : pair(options.padding ?? 0);
  for (const [name, value] of [
    ['filters', filters],
    ['kernel', rows],
    ['kernel', columns],
    ['stride', strides[0]],
    ['stride', strides[1]],
    ['dilation', dilation[0]],
    ['dilation', dilation[1]],
    ['groups', groups],
  ] as const) {
    checkCount('convTranspose2d', name, value);
  }
  const say = `convTranspose2d(${filters}, ${rows === columns ? rows : `[${rows}, ${columns}]`})`;

  return layer(
    'convT',
    (x, ctx) => {
      expectRank(say, x, 4, '[batch, channels, height, width]');
      const channels = x.type.shape[1]!;
      if (channels % groups !== 0 || filters % groups !== 0) {
        refuse(
          say,
          x,
          `${channels} channels and ${filters} filters must each split into ${groups} groups`,
          `choose a number of groups that divides both`,
        );
      }
      const w = ctx.variable('w', [channels, filters / groups, rows, columns], init);
      const y = convTransposeOp(x, w, { strides, padding, outputPadding, dilation, groups });
      if (!bias) return y;
      return add(y, reshape(ctx.variable('b', [filters], biasInit), [1, filters, 1, 1])) as Floats;
    },
    options,
  );
}
