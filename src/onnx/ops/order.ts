// Along one axis: softmax and its kin, positions of extremes, running sums, the largest elements.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import type { Value } from '../value.ts';
import {
  asFloat,
  type B,
  type F,
  filled,
  type I,
  int64,
  isInteger,
  like,
  product,
  rankOf,
  shapeOf,
  type T,
} from './common.ts';

const flattened = {
  1: 'the operand becomes a matrix at `axis`, 1 by default',
  13: 'along one axis, the last by default',
};

/** A function along one axis; before opset 13 the rows were all dimensions from `axis` on. */
const along = (name: string, f: (x: T, axis: number) => T): OnnxOp =>
  op(name, { versions: flattened }, (c) => {
    const x = c.x(0);
    const rank = rankOf(x);
    if (c.opset >= 13) return f(x, c.axis(c.int('axis', -1), rank));
    const named = c.int('axis', 1);
    const axis = named === rank ? rank : c.axis(named, rank);
    const head = product(shapeOf(x).slice(0, axis));
    const rows = h.reshape(x, [head, product(shapeOf(x).slice(axis))]) as T;
    return h.reshape(f(rows, 1), [...shapeOf(x)]) as T;
  });

/** Position of the largest element along an axis, of the last one among equals when asked. */
export function position(x: T, axis: number, which: 'max' | 'min', isLast: boolean): T {
  const find = which === 'max' ? h.argmax : h.argmin;
  const values = x.type.dtype === 'bool' ? (h.cast(x, 'i32') as T) : x;
  if (!isLast) return find(values as I, axis, { keepDims: true }) as T;
  const back = find(h.flip(values, [axis]) as I, axis, { keepDims: true }) as T;
  return h.sub(shapeOf(x)[axis]! - 1, back) as T;
}

const argument = (name: string, which: 'max' | 'min'): OnnxOp =>
  op(name, { versions: { 1: 'the first of equal elements', 12: 'or the last' } }, (c) => {
    const x = c.x(0);
    const axis = c.axis(c.int('axis', 0), rankOf(x));
    const y = position(x, axis, which, c.flag('select_last_index'));
    return int64(c.flag('keepdims', true) ? y : (h.squeeze(y, [axis]) as T));
  });

function running(name: string, f: (x: F, axis: number, options: h.CumulativeOptions) => T): OnnxOp {
  return op(name, { wraps: true }, (c) => {
    const x = c.x(0);
    const options = { exclusive: c.flag('exclusive'), reverse: c.flag('reverse') };
    return f(x as F, c.axis(c.scalar(1), rankOf(x)), options);
  });
}

/** The k largest elements of an axis, in order, and where they stand; of equal ones the first. */
function topK(c: Call): Value[] {
  const x = c.x(0);
  const axis = c.axis(c.int('axis', -1), rankOf(x));
  const k = c.opset < 10 ? c.int('k') : c.scalar(1);
  c.ignore('sorted');
  const { values, indices } = h.topK(x, k, axis, { smallest: !c.flag('largest', true) });
  return [like(c, 0, values), int64(indices)];
}

export const orderOps: readonly OnnxOp[] = [
  along('Softmax', (x, axis) => h.softmax(x as F, axis) as T),
  along('LogSoftmax', (x, axis) => h.logSoftmax(x as F, axis) as T),
  along('Hardmax', (x, axis) => {
    const isFirst = h.eq(h.iota([...shapeOf(x)], axis) as T, position(x, axis, 'max', false));
    return h.where(isFirst as B, filled(x, 1), filled(x, 0)) as T;
  }),
  argument('ArgMax', 'max'),
  argument('ArgMin', 'min'),
  running('CumSum', (x, axis, o) => h.cumsum(x, axis, o) as T),
  running('CumProd', (x, axis, o) => h.cumprod(x, axis, o) as T),
  op('TopK', { versions: { 1: 'k is an attribute', 10: 'k is an operand', 11: 'the smallest too' } }, topK),
  op(
    'LpNormalization',
    { versions: { 1: 'zeros divided by zeros', 22: 'zeros where the norm is zero' } },
    (c) => {
      const x = c.x(0) as F;
      const axis = c.axis(c.int('axis', -1), rankOf(x));
      const p = c.int('p', 2);
      if (p !== 1 && p !== 2) c.refuse(`p is ${p}`, 'only norms of order 1 and 2 are defined');
      const norm = (p === 1 ? h.l1 : h.l2)(x, [axis], { keepDims: true }) as T;
      if (c.opset < 22) return h.div(x, norm) as T;
      const isZero = h.eq(norm, 0) as B;
      return h.div(x, h.where(isZero, filled(norm, 1), norm) as T) as T;
    },
  ),
  op('MeanVarianceNormalization', {}, (c) => {
    const x = c.x(0) as F;
    const axes = (c.ints('axes') ?? [0, 2, 3]).map((a) => c.axis(a, rankOf(x)));
    const centred = h.sub(x, h.mean(x, axes, { keepDims: true }) as T) as F;
    const deviation = h.sqrt(h.mean(h.square(centred) as F, axes, { keepDims: true }) as F) as T;
    return h.div(centred, h.add(deviation, 1e-9) as T) as T;
  }),
  op('Binarizer', { domain: 'ai.onnx.ml' }, (c) => {
    const x = c.x(0);
    const isAbove = h.gt(x, c.float('threshold', 0)) as B;
    if (isInteger(c, 0)) c.refuse('its operand holds integers', 'cast it to float32 first');
    return h.where(isAbove, filled(asFloat(x), 1), filled(asFloat(x), 0)) as T;
  }),
];
