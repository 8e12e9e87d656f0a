// Transposed convolution, also called deconvolution: the gradient of a convolution with regard to its input, as a function
// of its own. It is a convolution again: x spread by the strides, under the reversed filters.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type {
  ConvTransposed,
  Images,
  PerDimension,
  SpatialPadding,
  TurnedFilters,
} from '../graph/shape-types-contract.ts';
import type { Shape } from '../graph/types.ts';
import { convolution } from './convolution.ts';
import { reshape, reverse, transpose } from './shape.ts';
import { perDimension, resolvePadding } from './spatial.ts';

export interface ConvTransposeOptions<
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
  E extends PerDimension = PerDimension,
  G extends number = number,
> {
  /** Distance between the places of neighbouring inputs in the result (default 1). */
  readonly strides?: S;
  /**
   * What is cut off each side of the result (default 'valid': nothing): the padding of the convolution that it turns
   * around. 'same' gives size · stride.
   */
  readonly padding?: P;
  /** Zeros added after each spatial dimension of the result, which convolutions with strides leave open (default 0). */
  readonly outputPadding?: E;
  /** Distance between taps (default 1). */
  readonly dilation?: D;
  /** Groups of channels that do not see each other (default 1). */
  readonly groups?: G;
}

/**
 * Puts a filter, times each pixel, at every stride: `x` is [N, C, H, W], `w` is [C, O / groups, kernel H, kernel W] (inputs
 * first). The result has size (n − 1) · stride + dilation · (kernel − 1) + 1 + outputPadding − padding on both sides. f32.
 * Throws HDL0001 when channels differ, HDL0003 for options.
 *
 *     convTranspose2d(x, w, { strides: 2 }); // f32[8, 16, 7, 7], f32[16, 3, 2, 2] → f32[8, 3, 14, 14]
 */
export function convTranspose2d<
  X extends Node,
  W extends Node,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  const E extends PerDimension = 0,
  const G extends number = 1,
>(
  x: X & Images<'convTranspose2d', X, 4> & Accepts<'convTranspose2d', X, 'f32'>,
  w: W & TurnedFilters<'convTranspose2d', X, W, 4> & Accepts<'convTranspose2d', W, 'f32'>,
  options: ConvTransposeOptions<S, P, D, E, G> = {},
): Node<ConvTransposed<4, ShapeOf<X>, ShapeOf<W>, S, P, D, E, G>, 'f32'> {
  const y: Node = turned('convTranspose2d', 2, x, w, options);
  return y as Node<ConvTransposed<4, ShapeOf<X>, ShapeOf<W>, S, P, D, E, G>, 'f32'>;
}

/**
 * `convTranspose2d` with one spatial dimension: `x` is [N, C, L], `w` is [C, O / groups, kernel]. Throws as it does.
 *
 * @example convTranspose1d(x, w, { strides: 2 }) // f32[64, 8, 50], f32[8, 3, 2] → f32[64, 3, 100]
 */
export function convTranspose1d<
  X extends Node,
  W extends Node,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  const E extends PerDimension = 0,
  const G extends number = 1,
>(
  x: X & Images<'convTranspose1d', X, 3> & Accepts<'convTranspose1d', X, 'f32'>,
  w: W & TurnedFilters<'convTranspose1d', X, W, 3> & Accepts<'convTranspose1d', W, 'f32'>,
  options: ConvTransposeOptions<S, P, D, E, G> = {},
): Node<ConvTransposed<3, ShapeOf<X>, ShapeOf<W>, S, P, D, E, G>, 'f32'> {
  const y: Node = turned('convTranspose1d', 1, x, w, options);
  return y as Node<ConvTransposed<3, ShapeOf<X>, ShapeOf<W>, S, P, D, E, G>, 'f32'>;
}

/**
 * `convTranspose2d` with three spatial dimensions: `x` is [N, C, D, H, W], `w` is [C, O / groups, kernel D, H, W]. Throws as it does.
 *
 * @example convTranspose3d(x, w, { strides: 2 }) // f32[8, 4, 8, 8, 8], f32[4, 1, 2, 2, 2] → f32[8, 1, 16, 16, 16]
 */
export function convTranspose3d<
  X extends Node,
  W extends Node,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  const E extends PerDimension = 0,
  const G extends number = 1,
>(
  x: X & Images<'convTranspose3d', X, 5> & Accepts<'convTranspose3d', X, 'f32'>,
  w: W & TurnedFilters<'convTranspose3d', X, W, 5> & Accepts<'convTranspose3d', W, 'f32'>,
  options: ConvTransposeOptions<S, P, D, E, G> = {},
): Node<ConvTransposed<5, ShapeOf<X>, ShapeOf<W>, S, P, D, E, G>, 'f32'> {
  const y: Node = turned('convTranspose3d', 3, x, w, options);
  return y as Node<ConvTransposed<5, ShapeOf<X>, ShapeOf<W>, S, P, D, E, G>, 'f32'>;
}

function turned(
  fn: string,
  rank: number,
  x: Node,
  w: Node,
  options: ConvTransposeOptions,
): Node<Shape, 'f32'> {
  const refuse = (rule: string, hint: string): Error =>
    compilerError('HDL0001', {
      what: `${fn}(${describeNode(x)}, ${describeNode(w)})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  for (const [name, v] of [
    ['x', x],
    ['w', w],
  ] as const) {
    if (v.type.shape.length === rank + 2) continue;
    throw refuse(
      `${name} has ${v.type.shape.length} dimensions, ${fn} takes ${rank + 2}`,
      'x is [N, C, spatial…], w is [C, outputs / groups, taps…]',
    );
  }
  const strides = perDimension(fn, x, 'strides', options.strides ?? 1, rank, 1);
  const dilation = perDimension(fn, x, 'dilation', options.dilation ?? 1, rank, 1);
  const extra = perDimension(fn, x, 'outputPadding', options.outputPadding ?? 0, rank, 0);
  const groups = options.groups ?? 1;
  const [channels, outputs, ...taps] = w.type.shape as [number, number, ...number[]];
  if (channels !== x.type.shape[1]) {
    throw refuse(
      `x has ${x.type.shape[1]} channels, w takes ${channels}`,
      'w is [C, outputs / groups, taps…]: inputs come first, unlike in a convolution',
    );
  }
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw refuse(`${channels} channels do not split into ${groups} groups`, 'groups divide the channels');
  }
  const reach = taps.map((k, d) => (k - 1) * dilation[d]! + 1);
  const sizes = x.type.shape.slice(2).map((n, d) => n * strides[d]!);
  const { lo, hi } = resolvePadding(fn, x, options.padding ?? 'valid', sizes, reach, strides);
  return scope(fn, () => {
    // Within each group inputs and outputs trade places: [g · C, O, taps] → [g · O, C, taps].
    const spatial = taps.map((_, d) => d + 2);
    const split = reshape(reverse(w, spatial), [groups, channels / groups, outputs, ...taps]) as Node;
    const swapped = transpose(split, [0, 2, 1, ...spatial.map((d) => d + 1)]) as Node;
    const filters = reshape(swapped, [groups * outputs, channels / groups, ...taps]) as Node;
    return convolution(x, filters, {
      strides: strides.map(() => 1),
      padLo: reach.map((r, d) => r - 1 - lo[d]!),
      padHi: reach.map((r, d) => r - 1 - hi[d]! + extra[d]!),
      dilation,
      inputDilation: strides,
      groups,
    });
  });
}
