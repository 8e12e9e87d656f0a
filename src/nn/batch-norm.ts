// Batch normalization (Ioffe and Szegedy, 2015).

import { elementCount } from '../../compiler/graph/types.ts';
import { add, mean, mul, reshape, rsqrt, square, sub } from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import { ones, zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { checkRange } from './check.ts';
import { type Layer, type LayerOptions, layer, refuse } from './layer.ts';
import type { SameShape } from './shape-rule.ts';

export interface BatchNormOptions extends LayerOptions {
  /** How far the running statistics move towards those of a batch; default 0.1. */
  readonly momentum?: number;
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learns a scale and a shift for each channel; default true. */
  readonly affine?: boolean;
  /** Keeps running statistics for evaluation; default true. Without them, evaluation uses the batch's own. */
  readonly track?: boolean;
  readonly scaleInit?: Initializer;
  readonly shiftInit?: Initializer;
}

/**
 * Normalizes each channel (dimension 1) over all other dimensions: y = (x − mean) / √(variance + epsilon) · scale + shift.
 * Any f32 input with a dimension 1; the output has its shape.
 *
 * In training, mean and biased variance are those of the batch, and the running statistics move towards the batch's
 * mean and its unbiased variance (· n/(n−1)); in evaluation the running statistics take their place. Variables `scale`, `shift`
 * and, not trainable, `mean` and `variance`, one number a channel.
 * Throws HDL0003 (options), HDL0015 (input has no channels, or is one value a channel in training).
 *
 * @example nn.batchNorm({ momentum: 0.1 })
 */
export function batchNorm(options: BatchNormOptions = {}): Layer<SameShape> {
  const { momentum = 0.1, epsilon = 1e-5, affine = true, track = true } = options;
  checkRange('batchNorm', 'epsilon', epsilon, 0, Number.POSITIVE_INFINITY);
  checkRange('batchNorm', 'momentum', momentum, 0, 1 + Number.EPSILON);

  return layer(
    'bn',
    (x, ctx) => {
      const { shape } = x.type;
      if (shape.length < 2) {
        refuse('batchNorm', x, 'its input is f32[batch, channels, …]', 'put the channels in dimension 1');
      }
      const channels = shape[1]!;
      // Statistics have shape [channels]; against x they are [channels, 1, …, 1].
      const spread = (v: Floats): Floats => reshape(v, [channels, ...shape.slice(2).map(() => 1)]);
      const { mean: center, variance } = statistics(x, ctx);
      let scale: Floats = rsqrt(add(variance, epsilon));
      if (affine) scale = mul(scale, ctx.variable('scale', [channels], options.scaleInit ?? ones()));
      const y: Floats = mul(sub(x, spread(center)), spread(scale));
      return affine ? add(y, spread(ctx.variable('shift', [channels], options.shiftInit ?? zeros()))) : y;
    },
    options,
  );

  function statistics(x: Floats, ctx: Context): { readonly mean: Floats; readonly variance: Floats } {
    const { shape } = x.type;
    const channels = shape[1]!;
    const notTrained = { trainable: false };
    const running = track
      ? {
          mean: ctx.variable('mean', [channels], zeros(), notTrained),
          variance: ctx.variable('variance', [channels], ones(), notTrained),
        }
      : null;
    if (!ctx.training && running !== null) return running;

    const n = elementCount(shape) / channels;
    if (n < 2) {
      refuse(
        'batchNorm',
        x,
        'one value a channel has no variance to train with',
        'use a larger batch; the last batch of an epoch may be too short',
      );
    }
    const axes = shape.map((_, i) => i).filter((i) => i !== 1);
    const center: Floats = mean(x, axes, { keepDims: true });
    const variance = mean(square(sub(x, center)), axes);
    const flat = reshape(center, [channels]);
    if (running !== null && ctx.training) {
      const moved = (from: Floats, to: Floats): Floats => add(mul(from, 1 - momentum), mul(to, momentum));
      ctx.assign(running.mean, moved(running.mean, flat));
      ctx.assign(running.variance, moved(running.variance, mul(variance, n / (n - 1))));
    }
    return { mean: flat, variance };
  }
}
