// Quantization: integers with a scale and a zero point. Integers are held in i32.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type Elem, elementInfo, isFloat } from '../elements.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import type { Value } from '../value.ts';
import { along, asFloat, asInt, type F, product, rankOf, scalarOf, shapeOf, type T } from './common.ts';
import { biased, convolution } from './convolve.ts';

/** A scale or zero point beside x: one for all, one for each place of an axis, or one for each block of an axis. */
function spread(c: Call, v: T, x: T, axis: number, block: number): T {
  const count = product(shapeOf(v));
  if (count === 1 && rankOf(v) <= 1) return scalarOf(v);
  if (rankOf(v) === 1 && block === 0) return along(v, axis, rankOf(x));
  if (block === 0) c.refuse('its scale has several dimensions and no block_size', 'give the size of blocks');
  const shape = [...shapeOf(v)];
  const blocks = shape[axis]!;
  const wide = h.broadcastTo(h.unsqueeze(v, axis + 1) as T, [
    ...shape.slice(0, axis + 1),
    block,
    ...shape.slice(axis + 1),
  ]) as T;
  const joined = h.reshape(wide, [...shape.slice(0, axis), blocks * block, ...shape.slice(axis + 1)]) as T;
  const size = shapeOf(x)[axis]!;
  return h.slice(
    joined,
    shape.map(() => 0),
    shapeOf(joined).map((n, d) => (d === axis ? size : n)),
  ) as T;
}

/** Smallest and largest integer of a narrow type. */
function limits(elem: Elem): readonly [number, number] {
  const { bits, narrow } = elementInfo(elem);
  return narrow === 'signed' ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

/** round(x / scale) + zero, saturated: halves go to the even integer. */
function quantized(x: T, scale: T, zero: T | null, elem: Elem): T {
  const ratio = h.round(h.div(x, scale) as F) as T;
  const moved = zero === null ? ratio : (h.add(ratio, asFloat(zero)) as T);
  const [lo, hi] = limits(elem);
  return h.cast(h.clip(moved as F, lo, hi) as T, 'i32') as T;
}

function quantize(c: Call): Results {
  const x = asFloat(c.x(0));
  const axis = rankOf(x) === 0 ? 0 : c.axis(c.int('axis', 1), Math.max(rankOf(x), 2));
  const block = c.int('block_size', 0);
  const elem = c.has(2) ? c.elem(2) : c.elemOf('output_dtype', 'uint8');
  c.ignore('saturate', 'output_dtype', 'precision');
  if (isFloat(elem)) c.refuse(`it quantizes to ${elem}`, 'quantize to integers');
  const zero = c.has(2) ? spread(c, asInt(c.x(2)), x, axis, block) : null;
  return { node: quantized(x, spread(c, c.x(1), x, axis, block), zero, elem), elem };
}

function dequantize(c: Call): Results {
  const x = c.x(0);
  const axis = rankOf(x) === 0 ? 0 : c.axis(c.int('axis', 1), Math.max(rankOf(x), 2));
  const block = c.int('block_size', 0);
  const scale = spread(c, c.x(1), x, axis, block);
  c.ignore('output_dtype');
  const centred = c.has(2) ? (h.sub(asInt(x) as T, spread(c, asInt(c.x(2)), x, axis, block)) as T) : x;
  return { node: h.mul(asFloat(centred), scale) as T, elem: c.elemOf('output_dtype', c.elem(1)) };
}

function dynamic(c: Call): Results {
  const x = c.x(0) as F;
  const top = h.maximum(h.max(x) as T, 0) as T;
  const bottom = h.minimum(h.min(x) as T, 0) as T;
  const scale = h.div(h.sub(top, bottom) as T, 255) as T;
  const zero = h.clip(h.round(h.div(h.neg(bottom as F) as T, scale) as F) as F, 0, 255) as T;
  const y = quantized(x, scale, zero, 'uint8');
  const uint8 = (node: T): Value => ({ node, elem: 'uint8' });
  return [uint8(y), { node: scale, elem: 'float' }, uint8(h.cast(zero, 'i32') as T)];
}

/** An operand with its scale and zero point, as floats. */
function real(c: Call, i: number, axis: number): T {
  const x = c.x(i);
  const scale = spread(c, c.x(i + 1), x, axis, 0);
  return h.mul(asFloat(h.sub(asInt(x) as T, spread(c, asInt(c.x(i + 2)), x, axis, 0)) as T), scale) as T;
}

function quantizedMatMul(c: Call): Results {
  const rows = Math.max(0, rankOf(c.x(0)) - 2);
  const y = h.matmul(real(c, 0, rows), real(c, 3, rankOf(c.x(3)) - 1)) as T;
  const zero = spread(c, asInt(c.x(7)), y, Math.max(0, rankOf(y) - 2), 0);
  return {
    node: quantized(y, spread(c, c.x(6), y, Math.max(0, rankOf(y) - 2), 0), zero, c.elem(7)),
    elem: c.elem(7),
  };
}

/** x, its scale and zero point; w likewise; scale and zero point of the result; a bias of i32 in steps of both scales. */
function quantizedConvolution(c: Call): Results {
  const y = convolution(c, real(c, 0, 1), real(c, 3, 0));
  const step = h.mul(scalarOf(c.x(1)), c.x(4)) as T;
  const bias = c.has(8)
    ? (h.mul(asFloat(c.x(8)), product(shapeOf(step)) === 1 ? scalarOf(step) : step) as T)
    : undefined;
  const elem = c.elem(7);
  return { node: quantized(biased(y, bias), scalarOf(c.x(6)), scalarOf(asInt(c.x(7))), elem), elem };
}

export const quantizeOps: readonly OnnxOp[] = [
  op(
    'QuantizeLinear',
    {
      versions: { 10: 'one scale', 13: 'a scale along an axis', 21: 'scales of blocks' },
      limits: 'to integers of 4 to 16 bits',
    },
    quantize,
  ),
  op(
    'DequantizeLinear',
    {
      versions: { 10: 'one scale', 13: 'a scale along an axis', 21: 'scales of blocks' },
      limits: 'from integers',
    },
    dequantize,
  ),
  op('DynamicQuantizeLinear', {}, dynamic),
  op('QLinearConv', { limits: 'products are summed in f32' }, quantizedConvolution),
  op('QLinearMatMul', { limits: 'products are summed in f32' }, quantizedMatMul),
];
