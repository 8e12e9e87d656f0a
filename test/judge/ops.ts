// The judge's ops, as calls of Heddle's public functions. What Heddle lacks is not in the table and is reported by name.

import type { Tensor } from '../../src/index.ts';
import * as h from '../../src/index.ts';
import { unsupported } from './unsupported.ts';

export type Attributes = Readonly<Record<string, unknown>>;

type T = Tensor;
/** What takes floats alone: the ops themselves refuse other dtypes. */
type F = h.Floats;
type I = Tensor<h.Shape, 'i32'>;
type Op = (x: readonly T[], a: Attributes) => T | readonly T[];

const one =
  (f: (x: F) => T): Op =>
  ([x]) =>
    f(x as F);
const two =
  (f: (x: T, y: T) => T): Op =>
  ([x, y]) =>
    f(x!, y!);

const num = (a: Attributes, key: string, otherwise: number): number =>
  typeof a[key] === 'number' ? a[key] : otherwise;
const list = (a: Attributes, key: string): number[] | undefined =>
  Array.isArray(a[key]) ? (a[key] as number[]) : undefined;
const reduction = (a: Attributes): 'mean' | 'sum' | 'none' =>
  (a['reduction'] as 'mean' | 'sum' | 'none' | undefined) ?? 'mean';

/** Options of losses by label. */
const byLabel = (a: Attributes): h.losses.LabelOptions => ({
  reduction: reduction(a),
  ...(typeof a['ignore_index'] === 'number' && { ignoreIndex: a['ignore_index'] }),
});

type Reducer = (x: F, axes?: readonly number[], options?: { keepDims?: boolean }) => T;
const reducer =
  (f: Reducer): Op =>
  ([x], a) =>
    f(x as F, list(a, 'axes'), { keepDims: a['keepdims'] === true });

/** [top, left, bottom, right] → [[top, bottom], [left, right]]. */
function padding(a: Attributes, spatial: number): [number, number][] {
  const pads = list(a, 'pads') ?? new Array<number>(2 * spatial).fill(0);
  return Array.from({ length: spatial }, (_, i) => [pads[i]!, pads[i + spatial]!]);
}

/** Windows of two-dimensional pools. */
function windows(
  a: Attributes,
): Pick<h.PoolOptions, 'kernel' | 'strides' | 'padding'> & { kernel: readonly number[] } {
  const kernel = list(a, 'kernel')!;
  return { kernel, strides: list(a, 'strides') ?? kernel, padding: padding(a, 2) };
}

function convolve(spatial: 1 | 2): Op {
  return (operands, a) => {
    const [x, w, b] = operands as readonly F[];
    const options = {
      strides: list(a, 'strides') ?? new Array<number>(spatial).fill(1),
      padding: padding(a, spatial),
      dilation: list(a, 'dilations') ?? new Array<number>(spatial).fill(1),
      groups: num(a, 'groups', 1),
    };
    const y = spatial === 1 ? h.conv1d(x!, w!, options) : h.conv2d(x!, w!, options);
    return b ? h.add(y, h.reshape(b, [1, b.type.shape[0]!, ...new Array<number>(spatial).fill(1)])) : y;
  };
}

function batchNormTrain(operands: readonly T[], a: Attributes): readonly T[] {
  const [x, scale, shift, mean, variance] = operands;
  const now = h.batchStatistics(x!);
  const options = { scale: scale!, shift: shift!, epsilon: num(a, 'eps', 1e-5) };
  const y = h.batchNorm(x!, { ...options, statistics: now });
  if (!mean || !variance) return [y];
  const count = x!.type.shape.reduce((n, d) => n * d, 1) / x!.type.shape[1]!;
  const momentum = num(a, 'momentum', 0.1);
  const move = (old: T, to: T): T => h.add(h.mul(old, 1 - momentum), h.mul(to, momentum));
  return [y, move(mean, now.mean), move(variance, h.mul(now.variance, count / (count - 1)))];
}

function batchNormInfer([x, scale, shift, mean, variance]: readonly T[], a: Attributes): T {
  const options = { scale: scale!, shift: shift!, epsilon: num(a, 'eps', 1e-5) };
  return h.batchNorm(x!, { ...options, statistics: { mean: mean!, variance: variance! } });
}

/** Options of a normalization from its operands and attributes. */
function normOptions(a: Attributes, scale?: T, shift?: T): h.AxisNormOptions {
  return {
    axis: num(a, 'axis', -1),
    epsilon: num(a, 'eps', 1e-5),
    ...(scale && { scale }),
    ...(shift && { shift }),
  };
}

function convTranspose2d([x, w, b]: readonly T[], a: Attributes): T {
  const y = h.convTranspose2d(x!, w!, {
    strides: list(a, 'strides') ?? [1, 1],
    padding: padding(a, 2),
    outputPadding: list(a, 'output_padding') ?? [0, 0],
    dilation: list(a, 'dilations') ?? [1, 1],
    groups: num(a, 'groups', 1),
  });
  return b ? h.add(y, h.reshape(b as F, [1, b.type.shape[0]!, 1, 1])) : y;
}

function slice([x]: readonly T[], a: Attributes): T {
  const shape = x!.type.shape;
  const axes = list(a, 'axes')!;
  const starts = a['starts'] as (number | null)[];
  const ends = a['ends'] as (number | null)[];
  const steps = (a['steps'] as number[] | undefined) ?? axes.map(() => 1);
  let y: T = x!;
  axes.forEach((axis, i) => {
    const d = (axis + shape.length) % shape.length;
    const n = shape[d]!;
    const step = steps[i]!;
    const clampTo = (v: number, lo: number, hi: number): number =>
      Math.min(Math.max(v < 0 ? v + n : v, lo), hi);
    const full = y.type.shape;
    const begin = full.map(() => 0);
    const limit = [...full];
    const stride = full.map(() => 1);
    if (step > 0) {
      begin[d] = clampTo(starts[i] ?? 0, 0, n);
      limit[d] = Math.max(begin[d], clampTo(ends[i] ?? n, 0, n));
      stride[d] = step;
      y = h.slice(y, begin, limit, stride);
    } else {
      // Backwards: reverse first, then count from the other end.
      const first = clampTo(starts[i] ?? n - 1, -1, n - 1);
      const end = ends[i] === null || ends[i] === undefined ? -1 : clampTo(ends[i], -1, n - 1);
      begin[d] = n - 1 - first;
      limit[d] = Math.max(begin[d], n - 1 - end);
      stride[d] = -step;
      y = h.slice(h.flip(y, [d]), begin, limit, stride);
    }
  });
  return y;
}

const table: Readonly<Record<string, Op>> = {
  neg: one(h.neg), abs: one(h.abs), exp: one(h.exp), log: one(h.log), log1p: one(h.log1p), expm1: one(h.expm1),
  sqrt: one(h.sqrt), rsqrt: one(h.rsqrt), reciprocal: one(h.reciprocal), square: one(h.square), sin: one(h.sin),
  cos: one(h.cos),
  tan: one(h.tan),
  sinh: one(h.sinh),
  cosh: one(h.cosh),
  asin: one(h.asin),
  acos: one(h.acos),
  atan: one(h.atan),
  prelu: two(h.prelu), tanh: one(h.tanh), sigmoid: one(h.sigmoid), erf: one(h.erf), sign: one(h.sign), floor: one(h.floor),
  identity: ([x]) => x!, relu: one(h.relu), relu6: one(h.relu6), selu: one(h.selu), silu: one(h.silu),
  mish: one(h.mish), softplus: one(h.softplus), softsign: one(h.softsign), log_sigmoid: one(h.logSigmoid),
  hard_sigmoid: one(h.hardSigmoid), hard_swish: one(h.hardSwish),
  leaky_relu: ([x], a) => h.leakyRelu(x!, num(a, 'alpha', 0.01)),
  elu: ([x], a) => h.elu(x!, num(a, 'alpha', 1)),
  celu: ([x], a) => h.celu(x!, num(a, 'alpha', 1)),
  gelu: ([x], a) => h.gelu(x!, a['approximate'] === 'tanh' ? 'tanh' : 'erf'),
  clip: ([x], a) => h.clip(x!, num(a, 'min', Number.NEGATIVE_INFINITY), num(a, 'max', Number.POSITIVE_INFINITY)),
  add: two(h.add), sub: two(h.sub), mul: two(h.mul), div: two(h.div), pow: two(h.pow), maximum: two(h.maximum),
  minimum: two(h.minimum), gt: two(h.gt), lt: two(h.lt), ge: two(h.ge), le: two(h.le), eq: two(h.eq),
  atan2: ([y, x]) => h.atan2(y as F, x as F), logical_not: ([x]) => h.logicalNot(x as Tensor<h.Shape, 'bool'>),
  where: ([c, x, y]) => h.where(c! as never, x!, y!),
  cast: ([x], a) => h.cast(x!, a['to'] === 'float32' ? 'f32' : a['to'] === 'int32' ? 'i32' : 'bool'),
  stop_gradient: one(h.stopGradient),
  matmul: ([x, y], a) => {
    const swap = (t: T): T => {
      const r = t.type.shape.length;
      return h.transpose(t, [...Array(r - 2).keys(), r - 1, r - 2]);
    };
    return h.matmul(a['transpose_a'] ? swap(x!) : x!, a['transpose_b'] ? swap(y!) : y!);
  },
  linear: ([x, w, b]) => {
    const y: T = h.matmul(x!, h.transpose(w!, [1, 0]));
    return b ? h.add(y, b) : y;
  },
  conv1d: convolve(1), conv2d: convolve(2), conv_transpose2d: convTranspose2d,
  einsum: (xs, a) => h.einsum(String(a['equation']), ...xs),
  max_pool2d: ([x], a) =>
    h.maxPool2d(x!, { ...windows(a), dilation: list(a, 'dilations') ?? 1 }),
  avg_pool2d: ([x], a) =>
    h.avgPool2d(x as F, { ...windows(a), countIncludePad: a['count_include_pad'] !== false }),
  global_avg_pool2d: one(h.globalAvgPool),
  batch_norm_train: batchNormTrain, batch_norm_infer: batchNormInfer, 
  layer_norm: ([x, scale, shift], a) => h.layerNorm(x!, normOptions(a, scale, shift)),
  rms_norm: ([x, scale], a) => h.rmsNorm(x!, normOptions(a, scale)),
  group_norm: ([x, scale, shift], a) => h.groupNorm(x!, num(a, 'groups', 1), normOptions(a, scale, shift)),
  instance_norm: ([x, scale, shift], a) => h.instanceNorm(x!, normOptions(a, scale, shift)),
  softmax: ([x], a) => h.softmax(x as F, num(a, 'axis', -1)),
  log_softmax: ([x], a) => h.logSoftmax(x as F, num(a, 'axis', -1)),
  sum: reducer(h.sum), mean: reducer(h.mean), max: reducer(h.max), min: reducer(h.min), prod: reducer(h.prod),
  logsumexp: reducer(h.logSumExp),
  l1: reducer(h.l1),
  l2: reducer(h.l2),
  cumsum: ([x], a) =>
    h.cumsum(x as F, num(a, 'axis', -1), { exclusive: a['exclusive'] === true, reverse: a['reverse'] === true }),
  var: ([x], a) => h.variance(x as F, list(a, 'axes'), { keepDims: a['keepdims'] === true, ddof: num(a, 'ddof', 0) }),
  argmax: ([x], a) => h.argmax(x!, num(a, 'axis', -1), { keepDims: a['keepdims'] === true }),
  reshape: ([x], a) => h.reshape(x!, list(a, 'shape')!),
  // ONNX's: always a matrix.
  flatten: ([x], a) => {
    const head = x!.type.shape.slice(0, num(a, 'axis', 1)).reduce((n, d) => n * d, 1);
    return h.reshape(x!, [head, x!.type.shape.reduce((n, d) => n * d, 1) / head]);
  },
  transpose: ([x], a) => h.transpose(x!, list(a, 'perm')!),
  concat: (xs, a) => h.concat(xs, num(a, 'axis', 0)),
  stack: (xs, a) => h.stack(xs, num(a, 'axis', 0)),
  split: ([x], a) => h.split(x!, list(a, 'sizes')!, num(a, 'axis', 0)),
  slice,
  pad: ([x], a) => {
    const mode = a['mode'] === 'constant' ? num(a, 'value', 0) : (a['mode'] as h.PadMode);
    return h.pad(x!, a['widths'] as [number, number][], mode);
  },
  tile: ([x], a) => h.tile(x!, list(a, 'repeats')!),
  gather: ([x, indices], a) => h.gather(x!, indices as I, num(a, 'axis', 0)),
  gather_elements: ([x, indices], a) => h.gatherElements(x!, indices as I, num(a, 'axis', 0)),
  scatter_add: ([x, rows, updates]) => h.scatterAdd(x!, rows!, updates!),
  one_hot: ([labels], a) => h.oneHot(labels!, num(a, 'depth', 0)),
  expand: ([x], a) => h.broadcastTo(x!, list(a, 'shape')!),
  squeeze: ([x], a) => h.squeeze(x!, list(a, 'axes')!),
  unsqueeze: ([x], a) => h.unsqueeze(x!, list(a, 'axes')!),
  flip: ([x], a) => h.flip(x!, list(a, 'axes')!),
  softmax_cross_entropy: ([logits, labels], a) =>
    h.losses.softmaxCrossEntropy(logits!, labels!, {
      ...byLabel(a),
      labelSmoothing: num(a, 'label_smoothing', 0),
    }),
  softmax_cross_entropy_soft: ([logits, q], a) => h.losses.softCrossEntropy(logits!, q!, { reduction: reduction(a) }),
  nll_loss: ([logp, labels], a) => h.losses.negativeLogLikelihood(logp!, labels!, byLabel(a)),
  bce_with_logits: ([x, t], a) =>
    h.losses.binaryCrossEntropy(x!, t!, { reduction: reduction(a), positiveWeight: num(a, 'pos_weight', 1) }),
  l1_loss: ([x, t], a) => h.losses.meanAbsoluteError(x!, t!, { reduction: reduction(a) }),
  huber_loss: ([x, t], a) => h.losses.huber(x!, t!, { reduction: reduction(a), delta: num(a, 'delta', 1) }),
  smooth_l1_loss: ([x, t], a) => h.losses.smoothL1(x!, t!, { reduction: reduction(a), beta: num(a, 'beta', 1) }),
  hinge_loss: ([x, t], a) => h.losses.hinge(x!, t!, { reduction: reduction(a) }),
  kl_div: ([logp, q], a) => h.losses.klDivergence(logp!, q!, { reduction: reduction(a) }),
  mse_loss: ([x, t], a) => h.losses.meanSquaredError(x!, t!, { reduction: reduction(a) }),
  dropout_mask: ([x, mask], a) => h.mul(x!, h.div(h.cast(mask!, 'f32'), 1 - num(a, 'p', 0))),
}; // biome-ignore format: a table

/** The results of one op; throws `unsupported` for what Heddle does not have. */
export function applyOp(name: string, x: readonly T[], a: Attributes): readonly T[] {
  const op = table[name];
  if (!op) throw unsupported(name);
  const result = op(x, a);
  return Array.isArray(result) ? (result as readonly T[]) : [result as T];
}
