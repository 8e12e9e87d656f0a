// The two-dimensional convolution layer.

import { add, conv2d as conv2dOp, reshape } from '../../compiler/ops/index.ts';
import { zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount, type Pair, pair } from './check.ts';
import { expectRank, type Layer, type LayerOptions, layer, refuse } from './layer.ts';

export interface Conv2dOptions extends LayerOptions {
  /** Default 1. */
  readonly stride?: Pair;
  /** Zeros on each side: a number, [rows, columns], or `same`, as many as give ⌈size / stride⌉; default 0. */
  readonly padding?: Pair | 'same';
  /** Default 1. */
  readonly dilation?: Pair;
  /** Channels are split into this many groups; default 1. */
  readonly groups?: number;
  /** Adds a bias; default true. Leave it out before batch norm, which has its own. */
  readonly bias?: boolean;
  /** First weight; default Glorot uniform. */
  readonly init?: Initializer;
  readonly biasInit?: Initializer;
}

/**
 * Cross-correlation of pictures with `filters` kernels. f32[N, C, H, W] → f32[N, filters, H′, W′] with
 * H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1; variables `w` [filters, C / groups, kernel, kernel] and
 * `b` [filters].
 * Throws HDL0003 (options), HDL0015 (input is not f32[N, C, H, W], or channels do not split into groups).
 *
 * @example nn.conv2d(16, 3, { padding: 1, stride: 2, bias: false })
 */
export function conv2d(filters: number, kernel: Pair, options: Conv2dOptions = {}): Layer {
  const { groups = 1, bias = true, init = glorotUniform(), biasInit = zeros() } = options;
  const [rows, columns] = pair(kernel);
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const padding = options.padding === 'same' ? 'same' : pair(options.padding ?? 0);
  for (const [name, value] of [
    ['filters', filters],
    ['kernel', rows],
    ['kernel', columns],
    ['stride', stride[0]],
    ['stride', stride[1]],
    ['dilation', dilation[0]],
    ['dilation', dilation[1]],
    ['groups', groups],
  ] as const) {
    checkCount('conv2d', name, value);
  }
  const say = `conv2d(${filters}, ${rows === columns ? rows : `[${rows}, ${columns}]`})`;

  return layer(
    'conv',
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
      const w = ctx.variable('w', [filters, channels / groups, rows, columns], init);
      const y = conv2dOp(x, w, { strides: stride, padding, dilation, groups });
      if (!bias) return y;
      return add(y, reshape(ctx.variable('b', [filters], biasInit), [1, filters, 1, 1]));
    },
    options,
  );
}
