// Layers without variables that change the shape. The batch, dimension 0, stays where it is.

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

/**
 * All dimensions but the first in one: [N, C, H, W] → [N, C·H·W].
 *
 * @example nn.flatten()
 */
export function flatten(options: LayerOptions = {}): Layer {
  return layer('flatten', (x) => flattenOp(x), options);
}

/**
 * The elements of each example under another shape; one dimension may be −1. f32[N, …] → f32[N, shape…]. Throws HDL0001 when
 * the numbers of elements differ.
 *
 * @example nn.reshape([16, 7, 7])
 */
export function reshape(shape: readonly number[], options: LayerOptions = {}): Layer {
  return layer('reshape', (x) => reshapeOp(x, [x.type.shape[0] ?? 1, ...shape]) as Floats, options);
}

/**
 * The dimensions in another order: dimension `perm[k]` becomes dimension k, as in `transpose`. `perm` begins with 0, the
 * batch. Throws HDL0003, HDL0015 for another first dimension.
 *
 * @example nn.permute([0, 2, 1]) // [batch, steps, features] → [batch, features, steps]
 */
export function permute(perm: readonly number[], options: LayerOptions = {}): Layer {
  return layer(
    'permute',
    (x) => {
      if (perm[0] !== 0) {
        const hint = 'write the order of all dimensions: nn.permute([0, 2, 1])';
        refuse('permute', x, 'the batch, dimension 0, stays first', hint);
      }
      return transpose(x, perm) as Floats;
    },
    options,
  );
}

/**
 * Each example `count` times, as steps of a sequence. f32[N, features] → f32[N, count, features]. Throws HDL0003, HDL0015.
 *
 * @example nn.repeatVector(5)
 */
export function repeatVector(count: number, options: LayerOptions = {}): Layer {
  checkCount('repeatVector', 'count', count);
  return layer(
    'repeat',
    (x) => {
      const [n, features] = x.type.shape;
      if (x.type.shape.length !== 2) {
        refuse('repeatVector', x, 'its input is [batch, features]', 'put flatten() before it');
      }
      return broadcastTo(expandDims(x, 1) as Floats, [n!, count, features!]);
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

/**
 * Elements around each spatial dimension: one number for all sides, or for each dimension one or [before, after]; negative
 * ones remove elements. f32[N, C, …]. Throws HDL0003, HDL0015.
 *
 * @example nn.pad([[0, 1], [0, 1]], { mode: 'edge' })
 */
export function pad(
  widths: number | readonly (number | readonly [number, number])[],
  options: PadOptions = {},
): Layer {
  return layer(
    'pad',
    (x) => {
      const rank = x.type.shape.length - 2;
      const list = typeof widths === 'number' ? new Array<number>(Math.max(rank, 0)).fill(widths) : widths;
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

/**
 * Pictures of `factor` times the size, nearest neighbours or linear between pixels. f32[N, C, …] → f32[N, C, factor · …].
 * Throws HDL0003, HDL0015.
 *
 * @example nn.upsample(2, { mode: 'linear' })
 */
export function upsample(factor: number, options: ResizeOptions & LayerOptions = {}): Layer {
  checkCount('upsample', 'factor', factor);
  return resized('upsample', (size) => size.map((n) => n * factor), options);
}

/**
 * Pictures of another size: one number for each spatial dimension. f32[N, C, …] → f32[N, C, size…]. Throws HDL0003, HDL0015.
 *
 * @example nn.resize([32, 32])
 */
export function resize(size: readonly number[], options: ResizeOptions & LayerOptions = {}): Layer {
  return resized('resize', () => size, options);
}

function resized(
  fn: string,
  sizeOf: (size: readonly number[]) => readonly number[],
  options: ResizeOptions & LayerOptions,
): Layer {
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

/**
 * Applies a layer to each step of a sequence by itself, with the same variables: f32[N, T, …] → f32[N, T, …]. Not needed for
 * `nn.dense`, which does so. Throws HDL0015 for an input without steps.
 *
 * @example nn.timeDistributed(nn.conv2d(8, 3)) // [batch, steps, channels, height, width]
 */
export function timeDistributed(inner: Layer, options: LayerOptions = {}): Layer {
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
      const y = inner.apply(reshapeOp(x, [n * steps, ...rest]), ctx);
      return reshapeOp(y, [n, steps, ...y.type.shape.slice(1)]) as Floats;
    },
    options,
  );
}
