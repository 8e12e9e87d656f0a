// Operators that read and write at indices. Indices may count from the end; each is checked when the program runs.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import {
  along,
  asInt,
  type B,
  fromStart,
  type I,
  ints,
  like,
  product,
  range,
  rankOf,
  shapeOf,
  type T,
} from './common.ts';

/** Row-major numbers of the elements that index tuples name: indices [n…, m] over the first m of `sizes`. */
function flatRows(c: Call, indices: T, sizes: readonly number[]): I {
  const m = shapeOf(indices).at(-1)!;
  const axis = rankOf(indices) - 1;
  let flat: T | null = null;
  for (let k = 0; k < m; k++) {
    const one = h.squeeze(
      h.slice(
        indices,
        shapeOf(indices).map((_, d) => (d === axis ? k : 0)),
        shapeOf(indices).map((n, d) => (d === axis ? k + 1 : n)),
      ) as T,
      [axis],
    ) as T;
    const step = product(sizes.slice(k + 1, m));
    const checked = h.checkIndex(fromStart(c, one, sizes[k]!), {
      size: sizes[k]!,
      label: `${c.where} indices`,
    }) as T;
    const term = step === 1 ? checked : (h.mul(checked, step) as T);
    flat = flat === null ? term : (h.add(flat, term) as T);
  }
  return (flat ?? h.full(shapeOf(indices).slice(0, -1), 0, 'i32')) as I;
}

function gatherND(c: Call): T {
  const [x, indices] = [c.x(0), asInt(c.x(1))];
  const batch = c.int('batch_dims', 0);
  const m = shapeOf(indices).at(-1)!;
  const [lead, sizes, rest] = [
    shapeOf(x).slice(0, batch),
    shapeOf(x).slice(batch, batch + m),
    shapeOf(x).slice(batch + m),
  ];
  const rows = product(sizes);
  let flat: T = flatRows(c, indices, sizes);
  if (batch > 0) {
    // Each batch has rows of its own.
    const shape = shapeOf(flat);
    let start: T = h.full([...shape], 0, 'i32') as T;
    for (let d = 0; d < batch; d++) {
      const step = product(lead.slice(d + 1)) * rows;
      start = h.add(start, h.mul(h.iota([...shape], d) as T, step) as T) as T;
    }
    flat = h.add(flat, start) as T;
  }
  const table = h.reshape(x, [product(lead) * rows, ...rest]) as T;
  return h.gather(table, flat as I, 0) as T;
}

type Combine = 'none' | 'add' | 'mul' | 'max' | 'min';

/** Rows of x [size, width] with updates [n, width] put in place of, or combined with, those that indices [n] name. */
export function scatterRows(x: T, indices: I, updates: T, how: Combine): T {
  if (how === 'none') return h.scatterUpdate(x, indices, updates) as T;
  if (how === 'add') return h.scatterAdd(x, indices, updates) as T;
  if (how === 'max') return h.scatterMax(x, indices, updates) as T;
  if (how === 'min') return h.scatterMin(x, indices, updates) as T;
  const [size, width] = shapeOf(x) as [number, number];
  const n = shapeOf(indices)[0]!;
  if (n === 0) return x;
  const checked = h.checkIndex(indices, { size, label: 'scatter indices' }) as T;
  const shape = [size, n, width];
  const isMeant = h.eq(h.iota([size, n], 0) as T, h.reshape(checked, [1, n]) as T) as T;
  const meant = h.where(
    h.broadcastTo(h.unsqueeze(isMeant, -1) as T, shape) as B,
    h.broadcastTo(h.unsqueeze(updates, 0) as T, shape) as T,
    h.full(shape, 1, x.type.dtype) as T,
  ) as T;
  return h.mul(x, h.prod(meant, [1]) as T) as T;
}

function combineOf(c: Call): Combine {
  const how = c.text('reduction', 'none');
  if (!['none', 'add', 'mul', 'max', 'min'].includes(how)) {
    c.refuse(`reduction '${how}' is not known`, "use 'none', 'add', 'mul', 'max' or 'min'");
  }
  return how as Combine;
}

function scatterElements(c: Call): T {
  const [x, indices, updates] = [c.x(0), asInt(c.x(1)), c.x(2)];
  const rank = rankOf(x);
  const axis = c.axis(c.int('axis', 0), rank);
  const shape = shapeOf(indices);
  const size = shapeOf(x)[axis]!;
  const own = h.checkIndex(fromStart(c, indices, size), { size, label: `${c.where} indices` }) as T;
  let flat: T = h.full([...shape], 0, 'i32') as T;
  for (let d = 0; d < rank; d++) {
    const step = product(shapeOf(x).slice(d + 1));
    flat = h.add(flat, h.mul(d === axis ? own : (h.iota([...shape], d) as T), step) as T) as T;
  }
  const n = product(shape);
  const y = scatterRows(
    h.reshape(x, [product(shapeOf(x)), 1]) as T,
    h.reshape(flat, [n]) as I,
    h.reshape(updates, [n, 1]) as T,
    combineOf(c),
  );
  return h.reshape(y, [...shapeOf(x)]) as T;
}

function scatterND(c: Call): T {
  const [x, indices, updates] = [c.x(0), asInt(c.x(1)), c.x(2)];
  const m = shapeOf(indices).at(-1)!;
  const sizes = shapeOf(x).slice(0, m);
  const width = product(shapeOf(x).slice(m));
  const flat = flatRows(c, indices, sizes);
  const n = product(shapeOf(flat));
  const y = scatterRows(
    h.reshape(x, [product(sizes), width]) as T,
    h.reshape(flat, [n]) as I,
    h.reshape(updates, [n, width]) as T,
    combineOf(c),
  );
  return h.reshape(y, [...shapeOf(x)]) as T;
}

function oneHot(c: Call): T {
  const labels = asInt(c.x(0));
  const depth = c.scalar(1);
  const values = c.x(2);
  const rank = rankOf(labels) + 1;
  const axis = c.axis(c.int('axis', -1), rank);
  const shape = [...shapeOf(labels).slice(0, axis), depth, ...shapeOf(labels).slice(axis)];
  const own = h.unsqueeze(fromStart(c, labels, depth), axis) as T;
  const value = (i: number): T => h.reshape(h.slice(values, [i], [i + 1]) as T, []) as T;
  const isHot = h.eq(h.iota(shape, axis) as T, h.broadcastTo(own, shape) as T);
  return h.where(isHot as B, h.broadcastTo(value(1), shape) as T, h.broadcastTo(value(0), shape) as T) as T;
}

/** x with the first lengths[b] elements of a time axis reversed. */
export function reverseSequences(x: T, lengths: T, time: number, batch: number): T {
  const shape = [...shapeOf(x)];
  const rank = rankOf(x);
  const length = h.broadcastTo(along(asInt(lengths), batch, rank), shape) as T;
  const t = h.iota(shape, time) as T;
  const back = h.sub(h.sub(length, 1) as T, t) as T;
  const source = h.where(h.lt(t, length) as B, back, t) as T;
  return h.gatherElements(x, source as I, time) as T;
}

function tensorScatter(c: Call): T {
  const [past, update] = [c.x(0), c.x(1)];
  const rank = rankOf(past);
  const axis = c.axis(c.int('axis', -2), rank);
  const mode = c.text('mode', 'linear');
  const shape = [...shapeOf(past)];
  const size = shape[axis]!;
  const n = shapeOf(update)[axis]!;
  const first = h.broadcastTo(
    c.has(2)
      ? along(asInt(c.x(2)), 0, rank)
      : (h.full(
          shape.map(() => 1),
          0,
          'i32',
        ) as T),
    shape,
  ) as T;
  const behind = h.sub(h.iota(shape, axis) as T, first) as T;
  const step =
    mode === 'circular' ? (h.where(h.lt(behind, 0) as B, h.add(behind, size) as T, behind) as T) : behind;
  const isNew = h.logicalAnd(h.ge(step, 0) as B, h.lt(step, n) as B) as B;
  const source = h.where(isNew, step, h.full(shape, 0, 'i32') as T) as I;
  return h.where(isNew, h.gatherElements(update, source, axis) as T, past) as T;
}

function compress(c: Call): T {
  const x = c.given('axis') ? c.x(0) : (h.reshape(c.x(0), [product(c.shape(0))]) as T);
  const axis = c.given('axis') ? c.axis(c.int('axis'), rankOf(x)) : 0;
  const kept = c.numbers(1).flatMap((v, i) => (v === 0 ? [] : [i]));
  return h.gather(x, ints(kept) as I, axis) as T;
}

function nonZero(c: Call): T {
  const values = c.numbers(0);
  const shape = c.shape(0);
  const hits = values.flatMap((v, i) => (v === 0 ? [] : [i]));
  const rank = shape.length;
  const rows = range(rank).flatMap((d) =>
    hits.map((i) => Math.floor(i / product(shape.slice(d + 1))) % shape[d]!),
  );
  return ints(rows, [rank, hits.length]);
}

export const indexingOps: readonly OnnxOp[] = [
  op('Gather', {}, (c) => {
    const x = c.x(0);
    const axis = c.axis(c.int('axis', 0), rankOf(x));
    return like(c, 0, h.gather(x, fromStart(c, c.x(1), shapeOf(x)[axis]!), axis) as T);
  }),
  op('GatherElements', {}, (c) => {
    const x = c.x(0);
    const axis = c.axis(c.int('axis', 0), rankOf(x));
    return like(c, 0, h.gatherElements(x, fromStart(c, c.x(1), shapeOf(x)[axis]!), axis) as T);
  }),
  op('GatherND', { versions: { 11: 'indices are tuples', 12: '`batch_dims`' } }, (c) =>
    like(c, 0, gatherND(c)),
  ),
  op('ArrayFeatureExtractor', { domain: 'ai.onnx.ml' }, (c) => {
    const x = c.x(0);
    const wide = rankOf(x) === 1 ? (h.reshape(x, [1, shapeOf(x)[0]!]) as T) : x;
    const indices = h.reshape(c.x(1), [product(c.shape(1))]) as T;
    return like(c, 0, h.gather(wide, fromStart(c, indices, shapeOf(wide).at(-1)!), rankOf(wide) - 1) as T);
  }),
  op('Scatter', {}, (c) => like(c, 0, scatterElements(c))),
  op('ScatterElements', { versions: { 11: 'overwrites', 16: '`reduction`', 18: 'max and min' } }, (c) =>
    like(c, 0, scatterElements(c)),
  ),
  op('ScatterND', { versions: { 11: 'overwrites', 16: '`reduction`', 18: 'max and min' } }, (c) =>
    like(c, 0, scatterND(c)),
  ),
  op('OneHot', {}, (c) => ({ node: oneHot(c), elem: c.elem(2) })),
  op('ReverseSequence', {}, (c) =>
    like(c, 0, reverseSequences(c.x(0), c.x(1), c.int('time_axis', 0), c.int('batch_axis', 1))),
  ),
  op('TensorScatter', {}, (c) => like(c, 0, tensorScatter(c))),
  op('Compress', { limits: 'the condition must be known: it decides the shape' }, (c) =>
    like(c, 0, compress(c)),
  ),
  op('NonZero', { limits: 'its operand must be known: it decides the shape' }, (c) => ({
    node: nonZero(c),
    elem: 'int64',
  })),
];
