// Normalizations and dropout. In an entry that trains, batch normalization uses the statistics of the batch and moves the
// running ones, and dropout drops, whatever the node was exported for.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import { along, type B, type F, filled, range, rankOf, scalarOf, shapeOf, type T } from './common.ts';

function batchNorm(c: Call): Results {
  const x = c.x(0) as F;
  const rank = Math.max(2, rankOf(x));
  const [scale, bias, oldMean, oldVariance] = range(4).map((i) => c.x(i + 1)) as [T, T, T, T];
  c.ignore('consumed_inputs');
  if (c.opset < 9 && !c.flag('spatial', true)) {
    c.refuse('spatial is 0: statistics for each place', 'export the model with opset 9 or newer');
  }
  const asked = c.opset < 7 ? !c.flag('is_test') : c.opset < 14 ? c.wants(1) : c.flag('training_mode');
  const trains = asked || c.site.ctx?.training === true;
  const momentum = c.float('momentum', 0.9);
  const epsilon = c.float('epsilon', 1e-5);
  const channel = (v: T): T => (rankOf(x) < 2 ? scalarOf(v) : along(v, 1, rank));
  if (!trains)
    return [normalized(x, channel(oldMean), channel(oldVariance), channel(scale), channel(bias), epsilon)];
  const axes = range(rankOf(x)).filter((d) => d !== 1);
  const mean = h.mean(x, axes) as T;
  const variance = h.variance(x, axes) as T;
  const moved = (old: T, now: T): T => {
    const share = h.add(
      h.mul(old, momentum) as T,
      h.mul(h.reshape(now, [...shapeOf(old)]) as T, 1 - momentum) as T,
    ) as T;
    if (old.op.name === 'variable' && c.site.ctx?.training) c.site.ctx.assign(old, share);
    return share;
  };
  const y = normalized(x, channel(mean), channel(variance), channel(scale), channel(bias), epsilon);
  return [y, moved(oldMean, mean), moved(oldVariance, variance), mean, variance];
}

function normalized(x: T, mean: T, variance: T, scale: T, bias: T, epsilon: number): T {
  const factor = h.mul(scale, h.rsqrt(h.add(variance, epsilon) as F) as T) as T;
  return h.add(h.mul(h.sub(x, mean) as T, factor) as T, bias) as T;
}

interface Standard {
  readonly y: T;
  readonly mean: T;
  readonly inverse: T;
}

function standardized(x: F, axes: readonly number[], epsilon: number): Standard {
  const mean = h.mean(x, axes, { keepDims: true }) as T;
  const centred = h.sub(x as T, mean) as F;
  const variance = h.mean(h.square(centred) as F, axes, { keepDims: true }) as T;
  const inverse = h.rsqrt(h.add(variance, epsilon) as F) as T;
  return { y: h.mul(centred as T, inverse) as T, mean, inverse };
}

/** Statistics over groups of channels of each picture; scale and bias for each channel, or for each group. */
function grouped(c: Call, groups: number, isByGroup: boolean): T {
  const x = c.x(0) as F;
  const [batch, channels, ...rest] = shapeOf(x) as [number, number, ...number[]];
  const split = h.reshape(x, [batch, groups, channels / groups, ...rest]) as F;
  const { y } = standardized(split, range(rankOf(split)).slice(2), c.float('epsilon', 1e-5));
  if (isByGroup) {
    const scaled = h.mul(y, along(c.x(1), 1, rankOf(y))) as T;
    return h.reshape(h.add(scaled, along(c.x(2), 1, rankOf(y))) as T, [...shapeOf(x)]) as T;
  }
  const flat = h.reshape(y, [...shapeOf(x)]) as T;
  return h.add(h.mul(flat, along(c.x(1), 1, rankOf(x))) as T, along(c.x(2), 1, rankOf(x))) as T;
}

function axesFrom(c: Call, x: T): number[] {
  return range(rankOf(x)).slice(c.axis(c.int('axis', -1), rankOf(x)));
}

function dropout(c: Call): Results {
  const x = c.x(0);
  const isOld = c.opset < 12;
  const ratio = isOld ? c.float('ratio', 0.5) : c.has(1) ? c.scalar(1) : 0.5;
  c.ignore('consumed_inputs', 'seed');
  const isAsked = c.opset < 7 ? !c.flag('is_test') : !isOld && c.has(2) && c.scalar(2) !== 0;
  const trains = isAsked || c.site.ctx?.training === true;
  const mask = (keep: T | null): T => {
    const kept = keep ?? (h.full([...shapeOf(x)], 1, 'bool') as T);
    return c.opset < 10 ? (h.cast(kept, 'f32') as T) : kept;
  };
  if (!trains || ratio === 0) return [x, mask(null)];
  if (c.site.ctx?.training !== true) {
    c.refuse(
      'it drops elements by a random stream of its own, outside of training',
      'set training_mode to false, or build the model in an entry with { training: true }',
    );
  }
  const keep = h.bernoulli(c.site.ctx!.randomKey(), 1 - ratio, [...shapeOf(x)]) as T;
  const scaled = h.mul(x, 1 / (1 - ratio)) as T;
  return [h.where(keep as B, scaled, filled(x, 0)) as T, mask(keep)];
}

export const normalizeOps: readonly OnnxOp[] = [
  op(
    'BatchNormalization',
    {
      versions: {
        1: 'is_test says whether it trains',
        7: 'more than one output: it trains',
        14: 'training_mode says whether it trains',
      },
      limits: 'spatial=0 is refused',
    },
    batchNorm,
  ),
  op('LayerNormalization', {}, (c) => {
    const x = c.x(0) as F;
    c.ignore('stash_type');
    const { y, mean, inverse } = standardized(x, axesFrom(c, x), c.float('epsilon', 1e-5));
    const scaled = h.mul(y, c.x(1)) as T;
    return [c.has(2) ? (h.add(scaled, c.x(2)) as T) : scaled, mean, inverse];
  }),
  op('RMSNormalization', {}, (c) => {
    const x = c.x(0) as F;
    c.ignore('stash_type');
    const square = h.mean(h.square(x) as F, axesFrom(c, x), { keepDims: true }) as T;
    const inverse = h.rsqrt(h.add(square, c.float('epsilon', 1e-5)) as F) as T;
    return h.mul(h.mul(x as T, inverse) as T, c.x(1)) as T;
  }),
  op('InstanceNormalization', {}, (c) => {
    c.ignore('consumed_inputs');
    return grouped(c, c.shape(0)[1]!, false);
  }),
  op(
    'GroupNormalization',
    { versions: { 18: 'scale and bias for each group', 21: 'for each channel' } },
    (c) => {
      c.ignore('stash_type');
      return grouped(c, c.int('num_groups'), c.opset < 21);
    },
  ),
  op('LRN', {}, (c) => {
    const x = c.x(0) as F;
    const size = c.int('size');
    const options = {
      size,
      alpha: c.float('alpha', 1e-4),
      beta: c.float('beta', 0.75),
      bias: c.float('bias', 1),
    };
    return h.localResponseNorm(x, options) as T;
  }),
  op(
    'Dropout',
    {
      versions: { 1: 'is_test says whether it drops', 7: 'never drops', 12: 'training_mode is an operand' },
      limits:
        'drops only in an entry that trains, by the random stream of the program; seeds are not followed',
    },
    dropout,
  ),
];
