// Batch normalization as a function: with the statistics of the batch, or with given ones, as those that training has
// gathered. The layer, which keeps running statistics, is nn.batchNorm.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Channels } from '../graph/shape-types-contract.ts';
import { formatShape, type Shape, sameShape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { mean, variance } from './composite.ts';
import { rsqrt } from './math.ts';
import type { NormOptions } from './normalize.ts';
import { reshape } from './shape.ts';

type Floats = Node<Shape, 'f32'>;

export interface Statistics<M extends Node = Node> {
  /** One number a channel. */
  readonly mean: M;
  /** Of the population: divided by the number of elements. */
  readonly variance: M;
}

export interface BatchNormOptions extends NormOptions {
  /** Taken instead of those of x. */
  readonly statistics?: Statistics;
}

/**
 * (x − mean) / √(variance + epsilon) · scale + shift for each channel (dimension 1), with the statistics of x over all other
 * dimensions or with given ones. f32[N, C, …]; scale, shift and statistics are [C]. Ioffe and Szegedy, 2015. Throws HDL0001,
 * HDL0002.
 *
 *     const y = batchNorm(x, { scale, shift });                                  // training
 *     const z = batchNorm(x, { scale, shift, statistics: { mean, variance } });  // evaluation
 */
export function batchNorm<X extends Node>(
  x: X & Accepts<'batchNorm', X, 'f32'>,
  options: BatchNormOptions = {},
): Node<ShapeOf<X>, 'f32'> {
  const channels = channelsOf('batchNorm', x);
  const { scale, shift, epsilon = 1e-5 } = options;
  const given = { scale, shift, ...options.statistics };
  for (const [name, node] of Object.entries(given)) {
    if (node === undefined || sameShape(node.type.shape, [channels])) continue;
    throw compilerError('HDL0001', {
      what: `batchNorm(${describeNode(x)}, { ${name}: ${describeNode(node)} })`,
      rule: `${name} has shape ${formatShape(node.type.shape)}, not [${channels}]`,
      hint: 'give it one number for each channel, dimension 1 of x',
      loc: callerLocation(),
    });
  }
  const y = scope('batchNorm', () => {
    const along = (v: Node): Node => reshape(v, [channels, ...x.type.shape.slice(2).map(() => 1)]);
    const statistics = options.statistics ?? batchStatistics(x as Node);
    const rate: Node = rsqrt(add(statistics.variance, epsilon) as Floats);
    const factor = scale === undefined ? rate : (mul(rate, scale) as Node);
    const scaled = mul(sub(x as Node, along(statistics.mean)), along(factor)) as Node;
    return shift === undefined ? scaled : add(scaled, along(shift));
  });
  return y as Node as Node<ShapeOf<X>, 'f32'>;
}

/**
 * Mean and variance of each channel (dimension 1) over all other dimensions. f32[N, C, …] → f32[C] each. Throws HDL0001,
 * HDL0002.
 *
 *     const { mean, variance } = batchStatistics(x);
 */
export function batchStatistics<X extends Node>(
  x: X & Accepts<'batchStatistics', X, 'f32'>,
): Statistics<Node<Channels<ShapeOf<X>>, 'f32'>> {
  channelsOf('batchStatistics', x);
  const axes = x.type.shape.map((_, i) => i).filter((i) => i !== 1);
  const v = x as Node as Floats;
  return scope('batchStatistics', () => ({
    mean: mean(v, axes) as Node as Node<Channels<ShapeOf<X>>, 'f32'>,
    variance: variance(v, axes) as Node as Node<Channels<ShapeOf<X>>, 'f32'>,
  }));
}

function channelsOf(fn: string, x: Node): number {
  requireFloats(fn, x);
  const channels = x.type.shape[1];
  if (channels !== undefined) return channels;
  throw compilerError('HDL0001', {
    what: `${fn}(${describeNode(x)})`,
    rule: 'x is [N, C, …]: its dimension 1 counts the channels',
    hint: 'reshape it',
    loc: callerLocation(),
  });
}
