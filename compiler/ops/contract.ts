// Matrix products and convolutions as users call them, and the list of contractions.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, CommonDType, SameDType, ShapeOf } from '../graph/shape-types.ts';
import type {
  Convolved,
  DenseBias,
  DenseWeights,
  Filters,
  Images,
  Multiplied,
  Multiplies,
  PerDimension,
  SpatialPadding,
} from '../graph/shape-types-contract.ts';
import { formatShape, type Shape } from '../graph/types.ts';
import { add } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { broadcastTo } from './broadcast.ts';
import { convolution, convolutionOp } from './convolution.ts';
import { dotGeneral, dotGeneralOp } from './dot.ts';
import { perDimension, resolvePadding, spreadSize } from './spatial.ts';

const contractOps: readonly OpDef[] = [dotGeneralOp, convolutionOp];
export default contractOps;

/**
 * Matrix product by NumPy's rule: the last dimension of `a` meets the last but one of `b`; dimensions before these are
 * batches and broadcast. A vector on the left is a row, on the right a column, and its dimension disappears. f32, i32
 * (wraps), u32 (wraps). Throws HDL0001 when inner or batch dimensions differ, HDL0002 when dtypes do.
 *
 *     matmul(x, w); // f32[64, 784], f32[784, 128] → f32[64, 128]
 */
export function matmul<A extends Node, B extends Node>(
  a: A,
  b: B & Multiplies<A, B> & SameDType<'matmul', A, B>,
): Node<Multiplied<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return multiply(a, b) as Node<Multiplied<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

function multiply(a: Node, b: Node): Node {
  const [l, r] = [a.type.shape, b.type.shape];
  const scalar = l.length === 0 ? a : r.length === 0 ? b : null;
  if (scalar !== null) {
    throw matmulError(a, b, `${describeNode(scalar)} is a scalar`, 'use mul to scale by a number');
  }
  const inner = r.length === 1 ? 0 : r.length - 2;
  if (l.at(-1) !== r[inner]) {
    throw matmulError(
      a,
      b,
      `inner dimensions ${l.at(-1)} and ${r[inner]} differ`,
      'the last dimension of the first operand meets the last but one of the second: transpose or reshape one of them',
    );
  }
  // Without batches on both sides, free dimensions of any number do.
  if (r.length <= 2 || l.length === 1) {
    return dotGeneral(a, b, {
      lhsBatch: [],
      rhsBatch: [],
      lhsContract: [l.length - 1],
      rhsContract: [inner],
    });
  }
  const batch = batchShape(a, b);
  const dims = batch.map((_, i) => i);
  const k = batch.length;
  return dotGeneral(broadcastTo(a, [...batch, ...l.slice(-2)]), broadcastTo(b, [...batch, ...r.slice(-2)]), {
    lhsBatch: dims,
    rhsBatch: dims,
    lhsContract: [k + 1],
    rhsContract: [k],
  });
}

/** What the dimensions before the last two broadcast to. */
function batchShape(a: Node, b: Node): number[] {
  const [l, r] = [a.type.shape.slice(0, -2), b.type.shape.slice(0, -2)];
  const rank = Math.max(l.length, r.length);
  return Array.from({ length: rank }, (_, i) => {
    const p = l[i - rank + l.length] ?? 1;
    const q = r[i - rank + r.length] ?? 1;
    if (p === q || p === 1 || q === 1) return p === 1 ? q : p;
    throw matmulError(
      a,
      b,
      `batch dimensions ${p} and ${q} do not broadcast`,
      'dimensions before the last two are batches: equal, or 1 on one side',
    );
  });
}

function matmulError(a: Node, b: Node, rule: string, hint: string): Error {
  return compilerError('HDL0001', {
    what: `matmul(${describeNode(a)}, ${describeNode(b)})`,
    rule,
    hint,
    loc: callerLocation(),
  });
}

/**
 * x · w + b, for a matrix w of [inputs, outputs] and an optional bias of [outputs]; x has its inputs last. Throws HDL0001
 * when the inputs differ, or when the bias has another length than there are outputs.
 *
 *     dense(x, w, b); // f32[64, 784], f32[784, 128], f32[128] → f32[64, 128]
 */
export function dense<X extends Node, W extends Node, B extends Node = Node>(
  x: X & Accepts<'dense', X, 'f32'>,
  w: W & DenseWeights<X, W> & Accepts<'dense', W, 'f32'>,
  b?: B & DenseBias<W, B> & Accepts<'dense', B, 'f32'>,
): Node<Multiplied<ShapeOf<X>, ShapeOf<W>>, 'f32'> {
  return affine(x, w, b) as Node<Multiplied<ShapeOf<X>, ShapeOf<W>>, 'f32'>;
}

function affine(x: Node, w: Node, b: Node | undefined): Node {
  const operands = [x, w, ...(b === undefined ? [] : [b])];
  for (const v of operands) requireFloats('dense', v);
  const refuse = (rule: string, hint: string): Error =>
    compilerError('HDL0001', {
      what: `dense(${operands.map(describeNode).join(', ')})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  const [inputs, outputs] = w.type.shape;
  if (w.type.shape.length !== 2) {
    throw refuse(
      `the weights have ${w.type.shape.length} dimensions`,
      'weights are a matrix of [inputs, outputs]',
    );
  }
  if (x.type.shape.at(-1) !== inputs) {
    throw refuse(
      x.type.shape.length === 0
        ? 'x is a scalar'
        : `x has ${x.type.shape.at(-1)} inputs in its last dimension, the weights take ${inputs}`,
      'weights are [inputs, outputs]; flatten x, or transpose the weights',
    );
  }
  if (b !== undefined && (b.type.shape.length !== 1 || b.type.shape[0] !== outputs)) {
    const found =
      b.type.shape.length === 1 ? `has length ${b.type.shape[0]}` : `has shape ${formatShape(b.type.shape)}`;
    throw refuse(
      `the bias ${found}, the weights give ${outputs} outputs`,
      `a bias has one element for each output: [${outputs}]`,
    );
  }
  return scope('dense', () => {
    const y = multiply(x, w);
    return b === undefined ? y : add(y, b);
  });
}

export interface ConvOptions<
  S extends PerDimension = PerDimension,
  P extends SpatialPadding = SpatialPadding,
  D extends PerDimension = PerDimension,
  G extends number = number,
> {
  /** Distance between outputs (default 1). */
  readonly strides?: S;
  /** Zeros around the image (default 'valid': none). */
  readonly padding?: P;
  /** Distance between taps of the filter (default 1). */
  readonly dilation?: D;
  /** Groups of channels that do not see each other (default 1); as many as channels: depthwise. */
  readonly groups?: G;
}

/**
 * Slides filters over images: `x` is [N, C, H, W], `w` is [O, C / groups, kernel H, kernel W]. f32. Add a bias by
 * `add(y, reshape(b, [1, O, 1, 1]))`. Throws HDL0001 when channels differ or the filter does not fit, HDL0003 for options.
 *
 *     conv2d(images, filters, { padding: 'same' }); // f32[64, 1, 28, 28], f32[16, 1, 3, 3] → f32[64, 16, 28, 28]
 */
export function conv2d<
  X extends Node,
  W extends Node,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  const G extends number = 1,
>(
  x: X & Images<'conv2d', X, 4> & Accepts<'conv2d', X, 'f32'>,
  w: W & Filters<'conv2d', X, W, 4, G> & Accepts<'conv2d', W, 'f32'>,
  options: ConvOptions<S, P, D, G> = {},
): Node<Convolved<4, ShapeOf<X>, ShapeOf<W>, S, P, D>, 'f32'> {
  return convolve('conv2d', 2, x, w, options) as Node as Node<
    Convolved<4, ShapeOf<X>, ShapeOf<W>, S, P, D>,
    'f32'
  >;
}

/**
 * `conv2d` with one spatial dimension: `x` is [N, C, L], `w` is [O, C / groups, kernel]. Throws as it does.
 *
 * @example conv1d(x, w, { padding: 'same' }) // f32[64, 3, 100], f32[8, 3, 5] → f32[64, 8, 100]
 */
export function conv1d<
  X extends Node,
  W extends Node,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  const G extends number = 1,
>(
  x: X & Images<'conv1d', X, 3> & Accepts<'conv1d', X, 'f32'>,
  w: W & Filters<'conv1d', X, W, 3, G> & Accepts<'conv1d', W, 'f32'>,
  options: ConvOptions<S, P, D, G> = {},
): Node<Convolved<3, ShapeOf<X>, ShapeOf<W>, S, P, D>, 'f32'> {
  return convolve('conv1d', 1, x, w, options) as Node as Node<
    Convolved<3, ShapeOf<X>, ShapeOf<W>, S, P, D>,
    'f32'
  >;
}

/**
 * `conv2d` with three spatial dimensions: `x` is [N, C, D, H, W], `w` is [O, C / groups, kernel D, H, W]. Throws as it does.
 *
 * @example conv3d(x, w, { padding: 1 }) // f32[8, 1, 16, 16, 16], f32[4, 1, 3, 3, 3] → f32[8, 4, 16, 16, 16]
 */
export function conv3d<
  X extends Node,
  W extends Node,
  const S extends PerDimension = 1,
  const P extends SpatialPadding = 'valid',
  const D extends PerDimension = 1,
  const G extends number = 1,
>(
  x: X & Images<'conv3d', X, 5> & Accepts<'conv3d', X, 'f32'>,
  w: W & Filters<'conv3d', X, W, 5, G> & Accepts<'conv3d', W, 'f32'>,
  options: ConvOptions<S, P, D, G> = {},
): Node<Convolved<5, ShapeOf<X>, ShapeOf<W>, S, P, D>, 'f32'> {
  return convolve('conv3d', 3, x, w, options) as Node as Node<
    Convolved<5, ShapeOf<X>, ShapeOf<W>, S, P, D>,
    'f32'
  >;
}

function convolve(fn: string, rank: number, x: Node, w: Node, options: ConvOptions): Node<Shape, 'f32'> {
  for (const [name, v, form] of [
    ['x', x, '[N, C, spatial…]'],
    ['w', w, '[outputs, channels / groups, taps…]'],
  ] as const) {
    if (v.type.shape.length === rank + 2) continue;
    throw compilerError('HDL0001', {
      what: `${fn}(${describeNode(x)}, ${describeNode(w)})`,
      rule: `${name} has ${v.type.shape.length} dimensions, ${fn} takes ${rank + 2}`,
      hint: `${name} is ${form} with ${rank} spatial dimension${rank > 1 ? 's' : ''}`,
      loc: callerLocation(),
    });
  }
  const strides = perDimension(fn, x, 'strides', options.strides ?? 1, rank, 1);
  const dilation = perDimension(fn, x, 'dilation', options.dilation ?? 1, rank, 1);
  const reach = w.type.shape.slice(2).map((k, d) => spreadSize(k, dilation[d]! - 1));
  const { lo, hi } = resolvePadding(fn, x, options.padding ?? 'valid', x.type.shape.slice(2), reach, strides);
  return convolution(x, w, {
    strides,
    padLo: lo,
    padHi: hi,
    dilation,
    inputDilation: strides.map(() => 1),
    groups: options.groups ?? 1,
  });
}
