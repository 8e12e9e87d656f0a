// Layers that are noise in training and nothing in evaluation: dropout of elements (Srivastava et al., 2014), of channels
// (Tompson et al., 2015), of weights (Wan et al., 2013), and additive Gaussian noise. What stays is scaled in training, so
// that evaluation does nothing. The noise is another one in every run and follows from the program's seed.

import { add, bernoulli, dense as denseOp, mul, normal, where } from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import { zeros } from '../initializers/constant.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount, checkRange } from './check.ts';
import type { DenseOptions, DenseRule } from './dense.ts';
import { expectRows, type Layer, type LayerOptions, layer, refuse } from './layer.ts';
import type { SameShape } from './shape-rule.ts';

/**
 * In training, each element is 0 with probability `rate` and else x / (1 − rate); in evaluation it is x. Any f32 input. The
 * mask is another one in every run and follows from the program's seed. Throws HDL0003 (rate), HDL0015 (input).
 *
 * @example nn.dropout(0.2)
 */
export function dropout(rate: number, options: LayerOptions = {}): Layer<SameShape> {
  checkRange('dropout', 'rate', rate, 0, 1);
  return layer('dropout', (x, ctx) => drop(x, rate, x.type.shape, ctx), options);
}

/**
 * `dropout` of whole channels: all elements of a channel (dimension 1) of an example are kept or dropped together.
 * f32[N, C, …]. Throws HDL0003 (rate), HDL0015 (input).
 *
 * @example nn.spatialDropout(0.1)
 */
export function spatialDropout(rate: number, options: LayerOptions = {}): Layer<SameShape> {
  checkRange('spatialDropout', 'rate', rate, 0, 1);
  return layer(
    'dropout',
    (x, ctx) => {
      const { shape } = x.type;
      if (shape.length < 2) {
        refuse('spatialDropout', x, 'its input is f32[batch, channels, …]', 'use dropout instead');
      }
      return drop(
        x,
        rate,
        shape.map((n, d) => (d < 2 ? n : 1)),
        ctx,
      );
    },
    options,
  );
}

/**
 * A dense layer whose weights are dropped in training, each with probability `rate`, the same ones for a whole batch.
 * Shapes and variables as `dense`. Throws HDL0003 (rate, units), HDL0015 (input).
 *
 * @example nn.dropConnect(64, 0.5)
 */
export function dropConnect<const U extends number>(
  units: U,
  rate: number,
  options: DenseOptions = {},
): Layer<DenseRule<U>> {
  checkCount('dropConnect', 'units', units);
  checkRange('dropConnect', 'rate', rate, 0, 1);
  const outputs: number = units;
  const { bias = true, init = glorotUniform(), biasInit = zeros() } = options;
  return layer(
    'dense',
    (x, ctx) => {
      expectRows(`dropConnect(${units})`, x);
      const w: Floats = ctx.variable('w', [x.type.shape.at(-1)!, outputs], init);
      const kept = drop(w, rate, w.type.shape, ctx);
      const y = bias ? denseOp(x, kept, ctx.variable('b', [outputs], biasInit)) : denseOp(x, kept);
      return y as Floats;
    },
    options,
  );
}

/**
 * In training, x plus normal noise of the given deviation; in evaluation x. Any f32 input. Throws HDL0003, HDL0015.
 *
 * @example nn.gaussianNoise(0.1)
 */
export function gaussianNoise(deviation: number, options: LayerOptions = {}): Layer<SameShape> {
  checkRange('gaussianNoise', 'deviation', deviation, 0, Number.POSITIVE_INFINITY);
  return layer(
    'noise',
    (x, ctx) => {
      if (!ctx.training || deviation === 0) return x;
      return add(x, mul(normal(ctx.randomKey(), x.type.shape), deviation)) as Floats;
    },
    options,
  );
}

/**
 * Dropout for nets of `selu`: what is dropped becomes −αλ, the limit of selu, and a scale and a shift keep mean 0 and variance 1
 * (Klambauer et al., 2017). In evaluation x. Any f32 input. Throws HDL0003, HDL0015.
 *
 * @example nn.alphaDropout(0.1)
 */
export function alphaDropout(rate: number, options: LayerOptions = {}): Layer<SameShape> {
  checkRange('alphaDropout', 'rate', rate, 0, 1);
  const limit = -1.6732632423543772 * 1.0507009873554805;
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * limit ** 2));
  return layer(
    'dropout',
    (x, ctx) => {
      if (!ctx.training || rate === 0) return x;
      const kept = where(bernoulli(ctx.randomKey(), 1 - rate, x.type.shape), x, limit) as Floats;
      return add(mul(kept, scale), -scale * limit * rate) as Floats;
    },
    options,
  );
}

/** x without what a mask of that shape, which broadcasts to it, drops; scaled to keep its mean. */
function drop(x: Floats, rate: number, shape: readonly number[], ctx: Context): Floats {
  if (!ctx.training || rate === 0) return x;
  const kept = bernoulli(ctx.randomKey(), 1 - rate, shape);
  return where(kept, mul(x, 1 / (1 - rate)), 0) as Floats;
}
