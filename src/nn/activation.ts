// Layers of one function of each element, or of each row: one line each. Formulas, and gradients at kinks, are those of the
// functions of the same names.

import type { Halved, Halves } from '../../compiler/graph/shape-types-axis.ts';
import * as ops from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import { constant } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { type Layer, type LayerOptions, layer } from './layer.ts';
import type { InputShape, SameShape, ShapeRule } from './shape-rule.ts';

type Plain = (options?: LayerOptions) => Layer<SameShape>;
type Scaled = (alpha?: number, options?: LayerOptions) => Layer<SameShape>;
type AlongAxis = (options?: LayerOptions & { readonly axis?: number }) => Layer<SameShape>;

const plain =
  (kind: string, op: (x: Floats) => Floats): Plain =>
  (options = {}) =>
    layer(kind, op, options);

const scaled =
  (kind: string, usual: number, op: (x: Floats, alpha: number) => Floats): Scaled =>
  (alpha = usual, options = {}) =>
    layer(kind, (x) => op(x, alpha), options);

const alongAxis =
  (kind: string, op: (x: Floats, axis: number) => Floats): AlongAxis =>
  (options = {}) =>
    layer(kind, (x) => op(x, options.axis ?? -1), options);

/** max(x, 0), elementwise; the derivative at 0 is 0. */
export const relu: Plain = plain('relu', (x) => ops.relu(x));

/** x limited to [0, 6]. */
export const relu6: Plain = plain('relu6', (x) => ops.relu6(x));

/** x above 0, alpha · x elsewhere; alpha is 0.01 unless given. `nn.leakyRelu(0.2)` */
export const leakyRelu: Scaled = scaled('leakyRelu', 0.01, (x, alpha) => ops.leakyRelu(x, alpha));

/** x above 0, alpha (eˣ − 1) elsewhere; alpha is 1 unless given. */
export const elu: Scaled = scaled('elu', 1, (x, alpha) => ops.elu(x, alpha));

/** x above 0, alpha (e^(x / alpha) − 1) elsewhere; alpha is 1 unless given. */
export const celu: Scaled = scaled('celu', 1, (x, alpha) => ops.celu(x, alpha));

/** `elu` scaled so that mean 0 and variance 1 stay; with `initializers.lecunNormal()` and `nn.alphaDropout`. */
export const selu: Plain = plain('selu', (x) => ops.selu(x));

/** x / (1 + e^−x), also called swish. */
export const silu: Plain = plain('silu', (x) => ops.silu(x));

/** x tanh(softplus(x)). */
export const mish: Plain = plain('mish', (x) => ops.mish(x));

/** x · hardSigmoid(x). */
export const hardSwish: Plain = plain('hardSwish', (x) => ops.hardSwish(x));

/** x / 6 + 1 / 2 limited to [0, 1]. */
export const hardSigmoid: Plain = plain('hardSigmoid', (x) => ops.hardSigmoid(x));

/** 1 / (1 + e^−x), elementwise. */
export const sigmoid: Plain = plain('sigmoid', (x) => ops.sigmoid(x));

/** ln(sigmoid(x)). */
export const logSigmoid: Plain = plain('logSigmoid', (x) => ops.logSigmoid(x));

/** tanh(x), elementwise. */
export const tanh: Plain = plain('tanh', (x) => ops.tanh(x));

/** ln(1 + eˣ). */
export const softplus: Plain = plain('softplus', (x) => ops.softplus(x));

/** x / (1 + |x|). */
export const softsign: Plain = plain('softsign', (x) => ops.softsign(x));

/** Probabilities along the last axis, or `axis`. Not before `softmaxCrossEntropy`, which takes logits. `nn.softmax()` */
export const softmax: AlongAxis = alongAxis('softmax', (x, axis) => ops.softmax(x, axis));

/** Logarithms of probabilities along the last axis, or `axis`. */
export const logSoftmax: AlongAxis = alongAxis('logSoftmax', (x, axis) => ops.logSoftmax(x, axis));

/** Probabilities along the last axis, or `axis`, the largest for the smallest input. `nn.softmin()` */
export const softmin: AlongAxis = alongAxis('softmin', (x, axis) => ops.softmin(x, axis));

/** 0 where |x| is at most lambda, 0.5 unless given, x elsewhere. `nn.hardShrink(0.1)` */
export const hardShrink: Scaled = scaled('hardShrink', 0.5, (x, lambda) => ops.hardShrink(x, lambda));

/** x moved towards 0 by lambda, 0.5 unless given. `nn.softShrink(0.1)` */
export const softShrink: Scaled = scaled('softShrink', 0.5, (x, lambda) => ops.softShrink(x, lambda));

/** x − tanh(x). */
export const tanhShrink: Plain = plain('tanhShrink', (x) => ops.tanhShrink(x));

/**
 * x limited to [lo, hi], −1 and 1 unless given.
 *
 * @example nn.hardTanh()
 */
export function hardTanh(lo = -1, hi = 1, options: LayerOptions = {}): Layer<SameShape> {
  return layer('hardTanh', (x) => ops.hardTanh(x, lo, hi), options);
}

/**
 * x above a limit, a value elsewhere.
 *
 * @example nn.threshold(0.1, 20)
 */
export function threshold(limit: number, value: number, options: LayerOptions = {}): Layer<SameShape> {
  return layer('threshold', (x) => ops.threshold(x, limit, value), options);
}

/** Half of a dimension is left: the other half is the gate. */
export interface GluRule<A extends number> extends ShapeRule {
  readonly output: Halved<InputShape<this>, A>;
  readonly check: Halves<InputShape<this>, A>;
  readonly dtype: 'f32';
}

/**
 * The first half along an axis (the last by default) times the sigmoid of the second half. Throws HDL0001 for an odd size.
 *
 * @example nn.glu()
 */
export function glu<const A extends number = -1>(
  options: LayerOptions & { readonly axis?: A } = {},
): Layer<GluRule<A>> {
  return layer('glu', (x) => ops.glu(x, options.axis ?? -1) as Floats, options);
}

/**
 * x Φ(x), by the error function, or by its approximation with `tanh`.
 *
 * @example nn.gelu('tanh')
 */
export function gelu(form: 'erf' | 'tanh' = 'erf', options: LayerOptions = {}): Layer<SameShape> {
  return layer('gelu', (x) => ops.gelu(x, form), options);
}

export interface PreluOptions extends LayerOptions {
  /** One slope for all channels instead of one for each; default false. */
  readonly shared?: boolean;
  /** First slope; default 0.25. */
  readonly init?: Initializer;
}

/**
 * x above 0, slope · x elsewhere, with a slope for each channel (dimension 1) that is learned (He et al., 2015). f32[N, C, …];
 * variable `slope` [C], or [] when it is shared. Throws HDL0015 for another dtype.
 *
 * @example nn.prelu()
 */
export function prelu(options: PreluOptions = {}): Layer<SameShape> {
  return layer(
    'prelu',
    (x, ctx) => {
      const { shape } = x.type;
      const init = options.init ?? constant(0.25);
      const channels = options.shared ? undefined : shape[1];
      const slope: Floats = ctx.variable('slope', channels === undefined ? [] : [channels], init);
      if (channels === undefined) return ops.prelu(x, slope) as Floats;
      const along = ops.reshape(slope, [channels, ...shape.slice(2).map(() => 1)]) as Floats;
      return ops.prelu(x, along) as Floats;
    },
    options,
  );
}

/** The input itself: a branch that does nothing. */
export const identity: Plain = plain('identity', (x) => x);

/**
 * Any function as a layer. It may use `ctx` for variables and other layers. A type argument says to the editor what it does to
 * shapes, as for `nn.layer`.
 *
 * @example nn.lambda((x) => mul(x, 2))
 */
export function lambda<R extends ShapeRule = ShapeRule>(
  build: (x: Floats, ctx: Context) => Floats,
  options: LayerOptions = {},
): Layer<R> {
  return layer('lambda', build, options);
}
