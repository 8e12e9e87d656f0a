// Normalization layers without running statistics: layer, RMS, group and instance normalization. They do the same in
// training and in evaluation.

import type { LocalResponseOptions, NormOptions } from '../../compiler/ops/index.ts';
import {
  groupNorm as groupOp,
  layerNorm as layerOp,
  localResponseNorm as responseOp,
  rmsNorm as rmsOp,
} from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import { ones, zeros } from '../initializers/constant.ts';
import { checkCount, checkRange } from './check.ts';
import { type Layer, type LayerOptions, layer, refuse } from './layer.ts';
import type { SameShape } from './shape-rule.ts';

export interface NormLayerOptions extends LayerOptions {
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learns a scale and a shift (RMS: a scale); default true. */
  readonly affine?: boolean;
}

/**
 * Normalizes each vector along the last dimension: (x − mean) / √(variance + epsilon) · scale + shift. f32[…, D]; the output has
 * its shape. Variables `scale` and `shift` [D]. Throws HDL0003 (options), HDL0015 (a scalar).
 *
 * @example nn.layerNorm()
 */
export function layerNorm(options: NormLayerOptions = {}): Layer<SameShape> {
  const epsilon = epsilonOf('layerNorm', options);
  return layer(
    'ln',
    (x, ctx) => {
      if (x.type.shape.length === 0) refuse('layerNorm', x, 'its input has a dimension', 'reshape it to [1]');
      const size = x.type.shape.at(-1)!;
      return layerOp(x, { epsilon, ...learned(ctx, size, options.affine, true) });
    },
    options,
  );
}

/**
 * x / √(mean of x² + epsilon) · scale along the last dimension: `layerNorm` without mean and shift. f32[…, D]; variable `scale`
 * [D]. Throws HDL0003 (options), HDL0015 (a scalar).
 *
 * @example nn.rmsNorm()
 */
export function rmsNorm(options: NormLayerOptions = {}): Layer<SameShape> {
  const epsilon = epsilonOf('rmsNorm', options);
  return layer(
    'rms',
    (x, ctx) => {
      if (x.type.shape.length === 0) refuse('rmsNorm', x, 'its input has a dimension', 'reshape it to [1]');
      const size = x.type.shape.at(-1)!;
      return rmsOp(x, { epsilon, ...learned(ctx, size, options.affine, false) });
    },
    options,
  );
}

/**
 * Normalizes each example's groups of channels (dimension 1), for batches too small for `batchNorm`. f32[N, C, …]; the output
 * has its shape. Variables `scale` and `shift` [C]. Throws HDL0003 (options), HDL0015 (channels do not split into groups).
 *
 * @example nn.groupNorm(8)
 */
export function groupNorm(groups: number, options: NormLayerOptions = {}): Layer<SameShape> {
  checkCount('groupNorm', 'groups', groups);
  return byChannels('groupNorm', 'gn', () => groups, options);
}

/**
 * Normalizes each channel of each example by itself: `groupNorm` with a group for each channel.
 *
 * @example nn.instanceNorm()
 */
export function instanceNorm(options: NormLayerOptions = {}): Layer<SameShape> {
  return byChannels('instanceNorm', 'in', (channels) => channels, options);
}

/**
 * x / (bias + alpha / size · Σ x²)^beta, with the sum over `size` neighbouring channels (dimension 1; Krizhevsky et al., 2012).
 * f32[N, C, …]; the output has its shape. Nothing is learned. Throws HDL0001, HDL0003 (options), HDL0015 (input).
 *
 * @example nn.localResponseNorm({ size: 5 })
 */
export function localResponseNorm(options: LocalResponseOptions & LayerOptions): Layer<SameShape> {
  return layer('lrn', (x) => responseOp(x, options), options);
}

function byChannels(
  fn: string,
  kind: string,
  groupsOf: (channels: number) => number,
  options: NormLayerOptions,
): Layer<SameShape> {
  const epsilon = epsilonOf(fn, options);
  return layer(
    kind,
    (x, ctx) => {
      const { shape } = x.type;
      if (shape.length < 2) {
        refuse(fn, x, 'its input is f32[batch, channels, …]', 'put the channels in dimension 1');
      }
      const channels = shape[1]!;
      const groups = groupsOf(channels);
      if (channels % groups !== 0) {
        refuse(
          fn,
          x,
          `${channels} channels must split into ${groups} groups`,
          'choose a divisor of the channels',
        );
      }
      return groupOp(x, groups, { epsilon, ...learned(ctx, channels, options.affine, true) });
    },
    options,
  );
}

function learned(ctx: Context, size: number, affine = true, shifted: boolean): NormOptions {
  if (!affine) return {};
  const scale = ctx.variable('scale', [size], ones());
  return shifted ? { scale, shift: ctx.variable('shift', [size], zeros()) } : { scale };
}

function epsilonOf(fn: string, { epsilon = 1e-5 }: NormLayerOptions): number {
  checkRange(fn, 'epsilon', epsilon, 0, Number.POSITIVE_INFINITY);
  return epsilon;
}
