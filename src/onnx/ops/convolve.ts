// Convolutions, matrix products and einsum.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import {
  along,
  asFloat,
  asInt,
  type F,
  isInteger,
  product,
  range,
  rankOf,
  scalarOf,
  shapeOf,
  type T,
} from './common.ts';
import { autoPadOf, splitPads, windowsOf } from './spatial.ts';

/** y with a bias for each channel. */
export function biased(y: T, bias: T | undefined): T {
  return bias === undefined ? y : (h.add(y, along(bias, 1, rankOf(y))) as T);
}

function kernelOf(c: Call, w: T): readonly number[] {
  const named = c.ints('kernel_shape');
  const kernel = shapeOf(w).slice(2);
  if (named && named.join() !== kernel.join()) {
    c.refuse(
      `kernel_shape [${named.join(', ')}] is not that of the weights, [${kernel.join(', ')}]`,
      'leave it out',
    );
  }
  return kernel;
}

const ranks = 'images have one to three spatial dimensions';

/** The convolution that the attributes of a node describe, of any of its operands. */
export function convolution(c: Call, x: T, w: T): T {
  const spatial = rankOf(x) - 2;
  const { strides, dilations, lo, hi } = windowsOf(c, shapeOf(x).slice(2), kernelOf(c, w));
  // Negative pads crop.
  const crop = [...lo, ...hi].some((p) => p < 0);
  const cropped = crop
    ? (h.pad(x, [
        [0, 0],
        [0, 0],
        ...lo.map((p, d): [number, number] => [Math.min(0, p), Math.min(0, hi[d]!)]),
      ]) as T)
    : x;
  const options = {
    strides,
    dilation: dilations,
    padding: lo.map((p, d): [number, number] => [Math.max(0, p), Math.max(0, hi[d]!)]),
    groups: c.int('group', 1),
  };
  const conv = [h.conv1d, h.conv2d, h.conv3d][spatial - 1];
  if (conv === undefined) return c.refuse(`x has ${spatial} spatial dimensions`, ranks);
  return conv(cropped as F, w as F, options) as T;
}

function transposed(c: Call): T {
  const [x, w] = [c.x(0) as F, c.x(1) as F];
  const spatial = rankOf(x) - 2;
  const sizes = shapeOf(x).slice(2);
  const ones = sizes.map(() => 1);
  const strides = c.ints('strides') ?? ones;
  const dilation = c.ints('dilations') ?? ones;
  const extra = c.ints('output_padding') ?? sizes.map(() => 0);
  const reach = kernelOf(c, w).map((k, d) => (k - 1) * dilation[d]! + 1);
  const mode = autoPadOf(c);
  const wanted = c.ints('output_shape')?.slice(-spatial);
  const given = c.ints('pads') ?? [...sizes, ...sizes].map(() => 0);
  const full = sizes.map((n, d) => (n - 1) * strides[d]! + reach[d]! + extra[d]!);
  const total = full.map((n, d) => n - (wanted?.[d] ?? sizes[d]! * strides[d]!));
  const isComputed = wanted !== undefined || mode === 'SAME_UPPER' || mode === 'SAME_LOWER';
  const { lo, hi } = isComputed
    ? mode === 'SAME_UPPER'
      ? splitPads(total, 'SAME_UPPER')
      : splitPads(total, 'SAME_LOWER')
    : mode === 'VALID'
      ? { lo: sizes.map(() => 0), hi: sizes.map(() => 0) }
      : { lo: given.slice(0, spatial), hi: given.slice(spatial) };
  const turn = [h.convTranspose1d, h.convTranspose2d, h.convTranspose3d][spatial - 1];
  if (turn === undefined) return c.refuse(`x has ${spatial} spatial dimensions`, ranks);
  const y = turn(x, w, { strides, dilation, groups: c.int('group', 1) });
  // Pads cut off what the whole result has; padding of the output, and negative pads, add zeros.
  const widths = lo.map((p, d): [number, number] => [-p, extra[d]! - hi[d]!]);
  return biased(h.pad(y as T, [[0, 0], [0, 0], ...widths]) as T, c.maybe(2));
}

/** A zero point lies along the dimension that it has elements for. */
function centred(c: Call, i: number, zero: number, axis: number): T {
  const x = asInt(c.x(i));
  if (!c.has(zero)) return x;
  const z = asInt(c.x(zero));
  const isOne = product(shapeOf(z)) === 1;
  return h.sub(x as T, isOne ? scalarOf(z) : along(z, axis, rankOf(x))) as T;
}

/** Integers in two convolutions of floats, whose sums stay exact: of the weights' high and low four bits. */
function integerConvolution(c: Call): T {
  const [x, w] = [centred(c, 0, 2, 1), centred(c, 1, 3, 0)];
  const low = h.bitwiseAnd(w, 15) as T;
  const high = h.shr(w, 4) as T;
  const run = (weights: T): T => h.cast(convolution(c, asFloat(x), asFloat(weights)) as T, 'i32') as T;
  return h.add(h.mul(run(high), 16) as T, run(low)) as T;
}

function gemm(c: Call): T {
  const turn = (x: T, yes: boolean): T => (yes ? (h.transpose(x, [1, 0]) as T) : x);
  const scale = (x: T, by: number): T => {
    if (by === 1) return x;
    if (isInteger(c, 0) && !Number.isInteger(by))
      c.refuse(`it scales integers by ${by}`, 'cast its operands to float32');
    return h.mul(x, by) as T;
  };
  c.ignore('broadcast');
  const product2 = h.matmul(turn(c.x(0), c.flag('transA')), turn(c.x(1), c.flag('transB'))) as T;
  const y = scale(product2, c.float('alpha', 1));
  const beta = c.float('beta', 1);
  return c.has(2) ? (h.add(y, scale(c.x(2), beta)) as T) : y;
}

export const convolveOps: readonly OnnxOp[] = [
  op('Conv', { limits: ranks }, (c) => biased(convolution(c, c.x(0), c.x(1)), c.maybe(2))),
  op('ConvTranspose', { limits: ranks }, transposed),
  op('ConvInteger', { limits: `${ranks}; sums are exact up to 4,000 products` }, (c) => ({
    node: integerConvolution(c),
    elem: 'int32',
  })),
  op('MatMul', { wraps: true }, (c) => h.matmul(c.x(0), c.x(1)) as T),
  op('MatMulInteger', {}, (c) => {
    const [a, b] = [rankOf(c.x(0)), rankOf(c.x(1))];
    return {
      node: h.matmul(centred(c, 0, 2, Math.max(0, a - 2)), centred(c, 1, 3, b - 1)) as T,
      elem: 'int32',
    };
  }),
  op(
    'Gemm',
    { versions: { 1: 'c broadcasts by an attribute', 7: 'c broadcasts as NumPy', 11: 'c may be left out' } },
    gemm,
  ),
  op('Einsum', {}, (c) => h.einsum(c.text('equation').replaceAll(' ', ''), ...c.rest()) as T),
  op('Det', {}, (c) => determinant(c.x(0))),
];

/** Gaussian elimination with the largest pivot of each column, written out for the size of the matrix. */
function determinant(x: T): T {
  const rank = rankOf(x);
  const n = shapeOf(x)[rank - 1]!;
  const batch = shapeOf(x).slice(0, -2);
  let m = x;
  let result: T = h.full([...batch], 1) as T;
  for (let k = n; k > 0; k--) {
    const column = h.abs(
      h.squeeze(
        h.slice(
          m,
          range(rank).map(() => 0),
          [...batch, k, 1],
        ) as T,
        [rank - 1],
      ) as T,
    ) as F;
    const pivot = h.argmax(column, -1, { keepDims: true }) as T;
    // The pivot's row goes to the top: the row that was there takes its place, which turns the sign.
    const row = h.broadcastTo(h.unsqueeze(pivot, -1) as T, [...batch, 1, k]) as T;
    const top = h.gatherElements(m, row as never, rank - 2) as T;
    const first = h.slice(
      m,
      range(rank).map(() => 0),
      [...batch, 1, k],
    ) as T;
    const isPivot = h.eq(h.iota([...batch, k, k], rank - 2) as T, h.broadcastTo(row, [...batch, k, k]) as T);
    const swapped = h.where(isPivot as never, h.broadcastTo(first, [...batch, k, k]) as T, m) as T;
    const isTop = h.eq(h.squeeze(pivot, [-1]) as T, 0);
    const corner = h.reshape(
      h.slice(
        top,
        range(rank).map(() => 0),
        [...batch, 1, 1],
      ) as T,
      [...batch],
    ) as T;
    const signed = h.where(isTop as never, corner, h.neg(corner as F) as T) as T;
    result = h.mul(result, signed) as T;
    if (k === 1) break;
    const low = h.slice(
      swapped,
      range(rank).map((d) => (d === rank - 2 ? 1 : 0)),
      [...batch, k, k],
    ) as T;
    const head = h.slice(
      low,
      range(rank).map(() => 0),
      [...batch, k - 1, 1],
    ) as T;
    const safe = h.where(h.eq(corner, 0) as never, h.full([...batch], 1) as T, corner) as T;
    const factor = h.div(head, h.reshape(safe, [...batch, 1, 1]) as T) as T;
    const rest = h.sub(low, h.mul(factor, top) as T) as T;
    m = h.slice(
      rest,
      range(rank).map((d) => (d === rank - 1 ? 1 : 0)),
      [...batch, k - 1, k],
    ) as T;
  }
  return result;
}
