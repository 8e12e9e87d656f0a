// Pooling layers: windows over the two spatial dimensions.

import {
  avgPool2d as avgPool2dOp,
  globalAvgPool as globalAvgPoolOp,
  maxPool2d as maxPool2dOp,
} from '../../compiler/ops/index.ts';
import { type Pair, pair } from './check.ts';
import { expectRank, type Layer, type LayerOptions, layer } from './layer.ts';

export interface PoolOptions extends LayerOptions {
  /** Default: the window's size. */
  readonly stride?: Pair;
  /** Added on each side; default 0. */
  readonly padding?: Pair;
}

const layout = '[batch, channels, height, width]';

/**
 * The largest value of each window; padding never wins. f32[N, C, H, W] → f32[N, C, H′, W′]. The gradient goes to the
 * first largest in row-major order. Throws HDL0015 (input), HDL0001, HDL0003.
 *
 * @example nn.maxPool2d(2)
 */
export function maxPool2d(kernel: Pair, options: PoolOptions = {}): Layer {
  return layer(
    'pool',
    (x) => {
      expectRank('maxPool2d', x, 4, layout);
      return maxPool2dOp(x, {
        kernel: pair(kernel),
        strides: pair(options.stride ?? kernel),
        padding: pair(options.padding ?? 0),
      });
    },
    options,
  );
}

export interface AvgPoolOptions extends PoolOptions {
  /** Padding counts as zeros in the mean; default true. */
  readonly countIncludePad?: boolean;
}

/**
 * The mean of each window. f32[N, C, H, W] → f32[N, C, H′, W′]. Throws HDL0015 (input), HDL0001, HDL0003.
 *
 * @example nn.avgPool2d(2)
 */
export function avgPool2d(kernel: Pair, options: AvgPoolOptions = {}): Layer {
  return layer(
    'pool',
    (x) => {
      expectRank('avgPool2d', x, 4, layout);
      return avgPool2dOp(x, {
        kernel: pair(kernel),
        strides: pair(options.stride ?? kernel),
        padding: pair(options.padding ?? 0),
        countIncludePad: options.countIncludePad ?? true,
      });
    },
    options,
  );
}

/**
 * The mean of each channel. f32[N, C, H, W] → f32[N, C]. Throws HDL0015 for another input.
 *
 * @example nn.globalAvgPool()
 */
export function globalAvgPool(options: LayerOptions = {}): Layer {
  return layer(
    'pool',
    (x) => {
      expectRank('globalAvgPool', x, 4, layout);
      return globalAvgPoolOp(x);
    },
    options,
  );
}
