// Normalization without running statistics: what is normalized over differs, the rest is the same. Each takes an optional
// scale and shift. All are f32 and keep the shape.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import { formatShape, type Shape, sameShape } from '../graph/types.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { normalizeAxis, requireFloats } from './attrs.ts';
import { mean } from './composite.ts';
import { rsqrt, square } from './math.ts';
import { pow } from './power.ts';
import { reshape } from './shape.ts';
import { padBy } from './slice.ts';

type Floats = Node<Shape, 'f32'>;

export interface NormOptions {
  /** Multiplies the normalized value. */
  readonly scale?: Node;
  /** Added after the scale. */
  readonly shift?: Node;
  /** Added to the variance (default 1e-5). */
  readonly epsilon?: number;
}

export interface AxisNormOptions extends NormOptions {
  /** First of the axes that are normalized over, up to the last (default -1). */
  readonly axis?: number;
}

/**
 * (x − mean) / √(variance + epsilon), over the axes from `axis` (the last by default) on; scale and shift have the shape of
 * these axes. Ba, Kiros and Hinton, 2016. Throws HDL0001, HDL0002, HDL0003.
 *
 *     layerNorm(x, { scale, shift }); // f32[8, 16, 64], f32[64], f32[64] → f32[8, 16, 64]
 */
export function layerNorm<X extends Node>(
  x: X & Accepts<'layerNorm', X, 'f32'>,
  options: AxisNormOptions = {},
): Node<ShapeOf<X>, 'f32'> {
  requireFloats('layerNorm', x);
  const from = normalizeAxis('layerNorm', x, options.axis ?? -1);
  expectShape('layerNorm', x, x.type.shape.slice(from), options);
  const y = scope('layerNorm', () => affine(standardize(x, axesFrom(x, from), options.epsilon), options));
  return y as Node as Node<ShapeOf<X>, 'f32'>;
}

/**
 * x / √(mean of x² + epsilon), over the axes from `axis` (the last by default) on. Zhang and Sennrich, 2019. Otherwise as
 * `layerNorm`.
 *
 *     rmsNorm(x, { scale }); // f32[8, 16, 64], f32[64] → f32[8, 16, 64]
 */
export function rmsNorm<X extends Node>(
  x: X & Accepts<'rmsNorm', X, 'f32'>,
  options: AxisNormOptions = {},
): Node<ShapeOf<X>, 'f32'> {
  requireFloats('rmsNorm', x);
  const from = normalizeAxis('rmsNorm', x, options.axis ?? -1);
  expectShape('rmsNorm', x, x.type.shape.slice(from), options);
  const y = scope('rmsNorm', () => {
    const v = x as Node as Floats;
    const power = mean(square(v), axesFrom(x, from), { keepDims: true }) as Floats;
    return affine(mul(v, rsqrt(add(power, options.epsilon ?? 1e-5) as Floats)) as Floats, options);
  });
  return y as Node as Node<ShapeOf<X>, 'f32'>;
}

/**
 * (x − mean) / √(variance + epsilon) over each example and group of channels (dimension 1); scale and shift have one number
 * a channel. Wu and He, 2018. Throws HDL0001, HDL0002.
 *
 *     groupNorm(x, 4, { scale, shift }); // f32[8, 16, 7, 7], f32[16], f32[16] → f32[8, 16, 7, 7]
 */
export function groupNorm<X extends Node>(
  x: X & Accepts<'groupNorm', X, 'f32'>,
  groups: number,
  options: NormOptions = {},
): Node<ShapeOf<X>, 'f32'> {
  return byChannels('groupNorm', x, groups, options) as Node as Node<ShapeOf<X>, 'f32'>;
}

/**
 * `groupNorm` with a group for each channel: every picture's every channel by itself. Ulyanov et al., 2016.
 *
 * @example instanceNorm(x, { scale, shift }) // f32[8, 16, 7, 7], f32[16], f32[16] → f32[8, 16, 7, 7]
 */
export function instanceNorm<X extends Node>(
  x: X & Accepts<'instanceNorm', X, 'f32'>,
  options: NormOptions = {},
): Node<ShapeOf<X>, 'f32'> {
  const channels = x.type.shape[1] ?? 1;
  return byChannels('instanceNorm', x, channels, options) as Node as Node<ShapeOf<X>, 'f32'>;
}

export interface LocalResponseOptions {
  /** Channels that are summed over: ⌊(size − 1) / 2⌋ before and ⌈(size − 1) / 2⌉ after each one. */
  readonly size: number;
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly bias?: number;
}

/**
 * x / (bias + alpha / size · Σ x²)^beta, with the sum over neighbouring channels (dimension 1). Krizhevsky et al., 2012.
 * Throws HDL0001, HDL0002, HDL0003.
 *
 *     localResponseNorm(x, { size: 5 }); // f32[8, 16, 7, 7] → the same
 */
export function localResponseNorm<X extends Node>(
  x: X & Accepts<'localResponseNorm', X, 'f32'>,
  options: LocalResponseOptions,
): Node<ShapeOf<X>, 'f32'> {
  const fn = 'localResponseNorm';
  const { size, alpha = 1e-4, beta = 0.75, bias = 1 } = options;
  expectChannels(fn, x);
  if (!Number.isInteger(size) || size < 1) {
    throw refuse('HDL0003', fn, x, `size is ${size}, not a number of channels`, 'choose an odd number, as 5');
  }
  const y = scope(fn, () => {
    const v = x as Node as Floats;
    const squares: Node = square(v);
    const shifted = (by: number): Node => {
      const widths = x.type.shape.map((_, d) => (d === 1 ? by : 0));
      return padBy(squares, { lo: widths.map((w) => -w), hi: widths });
    };
    let total: Node = squares;
    const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
    for (let by = -before; by <= after; by++) {
      if (by !== 0 && Math.abs(by) < x.type.shape[1]!) total = add(total, shifted(by));
    }
    return div(v, pow(add(mul(total, alpha / size), bias) as Floats, beta)) as Floats;
  });
  return y as Node as Node<ShapeOf<X>, 'f32'>;
}

/** (x − mean) / √(variance + epsilon) over axes. */
function standardize(x: Node, axes: readonly number[], epsilon: number = 1e-5): Floats {
  const centred: Node = sub(x as Floats, mean(x as Floats, axes, { keepDims: true }) as Floats);
  const variance = mean(square(centred as Floats), axes, { keepDims: true }) as Floats;
  return mul(centred, rsqrt(add(variance, epsilon) as Floats) as Node) as Floats;
}

function affine(x: Floats, { scale, shift }: NormOptions): Floats {
  const scaled: Node = scale === undefined ? x : mul(x as Node, scale);
  return (shift === undefined ? scaled : add(scaled, shift)) as Floats;
}

function axesFrom(x: Node, from: number): number[] {
  return x.type.shape.map((_, d) => d).filter((d) => d >= from);
}

function byChannels(fn: string, x: Node, groups: number, options: NormOptions): Floats {
  expectChannels(fn, x);
  const [batch, channels, ...rest] = x.type.shape as [number, number, ...number[]];
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw refuse(
      'HDL0001',
      fn,
      x,
      `${channels} channels do not split into ${groups} groups`,
      'choose a number of groups that divides the channels',
    );
  }
  expectShape(fn, x, [channels], options);
  return scope(fn, () => {
    const split = reshape(x, [batch, groups, channels / groups, ...rest]) as Node;
    const y = reshape(standardize(split, axesFrom(split, 2), options.epsilon), x.type.shape) as Floats;
    const along = (v: Node | undefined): Node | undefined =>
      v && (reshape(v, [channels, ...rest.map(() => 1)]) as Node);
    const [scale, shift] = [along(options.scale), along(options.shift)];
    return affine(y, { ...(scale && { scale }), ...(shift && { shift }) });
  });
}

function expectChannels(fn: string, x: Node): void {
  requireFloats(fn, x);
  if (x.type.shape.length >= 2) return;
  throw refuse('HDL0001', fn, x, 'its input is [batch, channels, …]', 'put the channels in dimension 1');
}

function expectShape(fn: string, x: Node, shape: Shape, { scale, shift }: NormOptions): void {
  for (const [name, v] of [
    ['scale', scale],
    ['shift', shift],
  ] as const) {
    if (v === undefined || sameShape(v.type.shape, shape)) continue;
    throw refuse(
      'HDL0001',
      fn,
      x,
      `${name} has shape ${formatShape(v.type.shape)}, not ${formatShape(shape)}`,
      `reshape it: reshape(${name}, ${formatShape(shape)})`,
    );
  }
}

function refuse(code: 'HDL0001' | 'HDL0003', fn: string, x: Node, rule: string, hint: string): Error {
  return compilerError(code, { what: `${fn}(${describeNode(x)})`, rule, hint, loc: callerLocation() });
}
