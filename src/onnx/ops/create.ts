// Values that come from attributes and known operands, and changes of element type.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { constantOf, type Elem, elementInfo, elementNamed, isFloat, type Stored } from '../elements.ts';
import { type OnnxOp, op } from '../operator.ts';
import { denseOf } from '../sparse.ts';
import type { Value } from '../value.ts';
import { wrapTo } from '../wrap.ts';
import { type B, type F, filled, floats, ints, range, rankOf, shapeOf, type T } from './common.ts';

function stored(s: Stored): Value {
  return { node: constantOf(s), elem: s.elem };
}

function constantValue(c: Call): Value {
  if (c.given('value')) return stored(c.tensor('value')!);
  if (c.given('value_float')) return { node: floats([c.float('value_float')], []), elem: 'float' };
  if (c.given('value_floats')) return { node: floats(c.floats('value_floats')!), elem: 'float' };
  if (c.given('value_int')) return { node: ints([c.int('value_int')], []), elem: 'int64' };
  if (c.given('value_ints')) return { node: ints(c.ints('value_ints')!), elem: 'int64' };
  if (c.given('sparse_value')) {
    return stored(denseOf(c.attribute('sparse_value')!.sparseTensor!, c.site.externalData));
  }
  return c.refuse('its value is text, or missing', 'turn text into numbers before the model');
}

/** A value in another element type. Floats of 16 bits are rounded to their precision; integers are wrapped. */
export function castTo({ node, elem: from }: Value, to: Elem): Value {
  const { dtype } = elementInfo(to);
  const x = node.type.dtype === dtype ? node : (h.cast(node, dtype) as T);
  if (to === from) return { node, elem: to };
  if (isFloat(to)) return { node: rounded(x as F, to), elem: to };
  return { node: wrapTo(x, to), elem: to };
}

/**
 * x rounded to the float type, halves to the even number, and still f32. The gradient is that of x: what is added to it
 * counts as a constant, and is exact.
 */
function rounded(x: F, to: Elem): T {
  if (to === 'float' || to === 'double') return x;
  const near = to === 'bfloat16' ? cut(x, 16) : half(x);
  const hasBits = h.isFinite(x) as B;
  const change = h.where(hasBits, h.sub(near, x) as T, filled(x, 0)) as T;
  return h.add(x, h.stopGradient(change) as T) as T;
}

/** x without its last bits, rounded: the carry of an integer sum is that of the number. */
function cut(x: T, bits: number): T {
  const whole = h.bitcast(x as F, 'i32') as T;
  const last = h.bitwiseAnd(h.shr(whole, bits) as T, 1) as T;
  const sum = h.add(h.add(whole, 2 ** (bits - 1) - 1) as T, last) as T;
  return h.bitcast(h.bitwiseAnd(sum, -(2 ** bits)) as T, 'f32') as T;
}

/** x as float16 has it: 11 bits, a step of 2^-24 near zero, and infinities from 65520 on. */
function half(x: F): T {
  // The step of f32 between 1/2 and 1 is that of the smallest numbers of float16.
  const small = h.sub(h.add(x, 0.75) as T, 0.75) as T;
  const size = h.abs(x) as T;
  const infinite = h.mul(h.sign(x) as T, Number.POSITIVE_INFINITY) as T;
  const usual = h.where(h.lt(size, 2 ** -14) as B, small, cut(x, 13)) as T;
  return h.where(h.ge(size, 65520) as B, infinite, usual) as T;
}

function bitCast(c: Call): Value {
  const from = c.elem(0);
  const to = c.elemOf('to', from);
  const [a, b] = [elementInfo(from), elementInfo(to)];
  if (a.bits !== b.bits)
    c.refuse(`${from} and ${to} differ in width`, 'the bits of an element are kept as they are');
  const isWhole = !isFloat(from) && !isFloat(to);
  if (a.bits === 32) {
    if (a.dtype === b.dtype) return { node: c.x(0), elem: to };
    return {
      node: (isWhole ? h.cast(c.x(0), b.dtype) : h.bitcast(c.x(0) as F, b.dtype as 'i32')) as T,
      elem: to,
    };
  }
  if (isWhole && a.bits < 32) return castTo(c.value(0), to);
  return c.refuse(
    `${from} is not held in ${a.bits} bits`,
    'floats of 16 and 64 bits and integers of 64 bits are held in 32',
  );
}

function windowOf(name: string, weights: readonly number[]): OnnxOp {
  return op(name, {}, (c) => {
    const n = c.scalar(0);
    const span = c.flag('periodic', true) ? n : n - 1;
    const to = c.elemOf('output_datatype', 'float');
    const values = range(n).map((i) =>
      weights.reduce((s, w, k) => s + w * Math.cos((2 * Math.PI * k * i) / span), 0),
    );
    return castTo({ node: floats(values), elem: 'float' }, to);
  });
}

function rangeOf(c: Call): Value {
  const [start, limit, delta] = [c.scalar(0), c.scalar(1), c.scalar(2)];
  const elem = c.elem(0);
  const n = Math.max(0, Math.ceil((limit - start) / delta));
  c.ignore('stash_type');
  const values = range(n).map((i) => start + i * delta);
  const node = isFloat(elem) ? floats(values) : (h.constant(values, [n], elementInfo(elem).dtype) as T);
  return { node, elem };
}

function melWeights(c: Call): Value {
  const [bins, length, rate, low, high] = range(5).map((i) => c.scalar(i)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const count = Math.floor(length / 2) + 1;
  const mel = (f: number): number => 2595 * Math.log10(1 + f / 700);
  const step = (mel(high) - mel(low)) / (bins + 2);
  const edges = range(bins + 2).map((i) => {
    const hertz = 700 * (10 ** ((mel(low) + i * step) / 2595) - 1);
    return Math.floor(((length + 1) * hertz) / rate);
  });
  const values = new Float32Array(count * bins);
  for (let m = 0; m < bins; m++) {
    const [lo, mid, hi] = [edges[m]!, edges[m + 1]!, edges[m + 2]!];
    if (lo === mid) values[mid * bins + m] = 1;
    else for (let j = lo; j <= mid; j++) values[j * bins + m] = (j - lo) / (mid - lo);
    for (let j = mid; j < hi; j++) if (hi > mid) values[j * bins + m] = (hi - j) / (hi - mid);
  }
  return castTo(
    { node: h.constant(values, [count, bins]) as T, elem: 'float' },
    c.elemOf('output_datatype', 'float'),
  );
}

export const createOps: readonly OnnxOp[] = [
  op('Constant', { limits: 'text is refused' }, constantValue),
  op('ConstantOfShape', {}, (c) => {
    const value = c.tensor('value');
    const elem = value?.elem ?? 'float';
    return { node: h.full(c.numbers(0), value?.data[0] ?? 0, elementInfo(elem).dtype) as T, elem };
  }),
  op('Range', {}, rangeOf),
  op('EyeLike', {}, (c) => {
    const shape = [...c.shape(0)];
    const elem = c.elemOf('dtype', c.elem(0));
    const isDiagonal = h.eq(h.sub(h.iota(shape, 1) as T, h.iota(shape, 0) as T) as T, c.int('k', 0));
    return { node: h.cast(isDiagonal as T, elementInfo(elem).dtype) as T, elem };
  }),
  op('Trilu', {}, (c) => {
    const x = c.x(0);
    const shape = [...shapeOf(x)];
    const rank = rankOf(x);
    const k = c.has(1) ? (h.reshape(c.x(1), []) as T) : 0;
    const offset = h.sub(h.iota(shape, rank - 1) as T, h.iota(shape, rank - 2) as T) as T;
    const isKept = (c.flag('upper', true) ? h.ge(offset, k as T) : h.le(offset, k as T)) as B;
    return h.where(isKept, x, filled(x, 0)) as T;
  }),
  op(
    'Cast',
    {
      versions: { 1: 'types are named by text', 6: 'types are numbers', 19: '`saturate`' },
      limits: 'text, complex numbers and floats of less than 16 bits are refused',
    },
    (c) => {
      c.ignore('saturate', 'round_mode');
      if (c.opset < 6) {
        return castTo(c.value(0), elementNamed(c.text('to').toLowerCase(), c.where));
      }
      return castTo(c.value(0), c.elemOf('to', 'float'));
    },
  ),
  op('CastLike', { limits: 'as Cast' }, (c) => {
    c.ignore('saturate', 'round_mode');
    return castTo(c.value(0), c.elem(1));
  }),
  op(
    'BitCast',
    { limits: 'types of 64 bits, and floats of 16, are refused: their bits are not held' },
    bitCast,
  ),
  windowOf('HannWindow', [0.5, -0.5]),
  windowOf('HammingWindow', [25 / 46, -21 / 46]),
  windowOf('BlackmanWindow', [0.42, -0.5, 0.08]),
  op('MelWeightMatrix', { limits: 'operands must be known' }, melWeights),
];
