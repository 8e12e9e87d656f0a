// Pools, over any number of spatial dimensions.

import * as h from '../../../compiler/ops/index.ts';
import { reduceWindow } from '../../../compiler/ops/window.ts';
import type { WindowAttrs } from '../../../compiler/ops/window-attrs.ts';
import { windowArgmax } from '../../../compiler/ops/window-choice.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import { asInt, type F, type I, like, product, range, rankOf, shapeOf, type T } from './common.ts';
import { scatterRows } from './indexing.ts';
import { type Windows, windowsOf } from './spatial.ts';

interface Pool extends Windows {
  readonly attrs: WindowAttrs;
}

/** Windows of a pool; with `ceil_mode` the last ones may reach beyond the padding, but begin before its end. */
function poolOf(c: Call, x: T): Pool {
  const sizes = shapeOf(x).slice(2);
  const kernel =
    c.ints('kernel_shape') ?? c.refuse("attribute 'kernel_shape' is missing", 'export the model again');
  const w = windowsOf(c, sizes, kernel);
  const isCeil = c.flag('ceil_mode');
  const hi = w.hi.map((p, d) => {
    if (!isCeil) return p;
    const [n, stride, reach] = [sizes[d]! + w.lo[d]!, w.strides[d]!, w.reach[d]!];
    let count = Math.ceil((n + p - reach) / stride) + 1;
    if ((count - 1) * stride >= n) count--;
    return (count - 1) * stride + reach - n;
  });
  const attrs: WindowAttrs = {
    window: [1, 1, ...kernel],
    strides: [1, 1, ...w.strides],
    padLo: [0, 0, ...w.lo],
    padHi: [0, 0, ...hi],
    dilation: [1, 1, ...w.dilations],
  };
  return { ...w, attrs };
}

function maxPool(c: Call): Results {
  const x = c.x(0);
  const pool = poolOf(c, x);
  const y = reduceWindow(x, 'max', pool.attrs) as T;
  const isByColumn = c.flag('storage_order');
  if (!c.wants(1)) return like(c, 0, y);
  return [like(c, 0, y), { node: positions(x, y, pool, isByColumn), elem: 'int64' }];
}

/** Row-major number in the whole of x of the element that each window chose. */
function positions(x: T, y: T, pool: Pool, isByColumn: boolean): T {
  const shape = [...shapeOf(y)];
  const sizes = shapeOf(x).slice(2);
  const tap = windowArgmax(x, pool.attrs) as T;
  const coordinate = sizes.map((_, d) => {
    const step = product(pool.kernel.slice(d + 1));
    const k = h.mod(h.div(tap, step) as I, pool.kernel[d]!) as T;
    const start = h.sub(h.mul(h.iota(shape, d + 2) as T, pool.strides[d]!) as T, pool.lo[d]!) as T;
    return h.add(start, h.mul(k, pool.dilations[d]!) as T) as T;
  });
  const [channels, area] = [shapeOf(x)[1]!, product(sizes)];
  const plane = h.add(h.mul(h.iota(shape, 0) as T, channels) as T, h.iota(shape, 1) as T) as T;
  return coordinate.reduce(
    (sum, at, d) =>
      h.add(sum, h.mul(at, product(isByColumn ? sizes.slice(0, d) : sizes.slice(d + 1))) as T) as T,
    h.mul(plane, area) as T,
  );
}

function averagePool(c: Call): T {
  const x = c.x(0) as F;
  const { attrs, lo, hi } = poolOf(c, x);
  const total = reduceWindow(x, 'sum', attrs) as T;
  const countsPadding = c.flag('count_include_pad');
  // How many elements each window covers is the same in all planes; what lies beyond the padding never counts.
  const sizes = shapeOf(x).slice(2);
  const isCovered = [...attrs.padLo, ...attrs.padHi].every((p) => p <= 0);
  if (isCovered) return h.div(total, product(attrs.window)) as T;
  const ones = h.full([1, 1, ...sizes], 1) as T;
  const widths = lo.map((p, d): [number, number] => [p, hi[d]!]);
  const counted = countsPadding ? (h.pad(ones, [[0, 0], [0, 0], ...widths], 1) as T) : ones;
  const rest = countsPadding
    ? {
        ...attrs,
        padLo: attrs.padLo.map(() => 0),
        padHi: attrs.padHi.map((p, d) => (d < 2 ? 0 : p - hi[d - 2]!)),
      }
    : attrs;
  return h.div(total, reduceWindow(counted, 'sum', rest) as T) as T;
}

/** p-th root of the sum of p-th powers of magnitudes. */
function powerSum(x: F, p: number, sum: (v: T) => T): T {
  if (p === 1) return sum(h.abs(x) as T);
  if (p === 2) return h.sqrt(sum(h.square(x) as T) as F) as T;
  return h.pow(sum(h.pow(h.abs(x) as F, p) as T) as F, 1 / p) as T;
}

function orderOf(c: Call): number {
  return c.opset < 2 ? c.float('p', 2) : c.int('p', 2);
}

const spatialAxes = (x: T): number[] => range(rankOf(x)).slice(2);

/** Undoes a max pool: each value goes to the place that its index names. */
function unpool(c: Call): T {
  const [x, indices] = [c.x(0), asInt(c.x(1))];
  const kernel = c.ints('kernel_shape')!;
  const strides = c.ints('strides') ?? kernel.map(() => 1);
  const pads = c.ints('pads') ?? [...kernel, ...kernel].map(() => 0);
  const inferred = kernel.map(
    (k, d) => (shapeOf(x)[d + 2]! - 1) * strides[d]! + k - pads[d]! - pads[d + kernel.length]!,
  );
  const inner = [...shapeOf(x).slice(0, 2), ...inferred];
  const shape = c.has(2) ? c.numbers(2) : inner;
  const n = product(shapeOf(x));
  const flat = scatterRows(
    h.full([product(inner), 1], 0, x.type.dtype) as T,
    h.reshape(indices, [n]) as I,
    h.reshape(x, [n, 1]) as T,
    'none',
  );
  const y = h.reshape(flat, inner) as T;
  // A larger output has the same pixels in its corner.
  return h.pad(
    y,
    shape.map((d, i): [number, number] => [0, d - inner[i]!]),
  ) as T;
}

/** A mean of window under a count that may be asked for twice. */
export const poolOps: readonly OnnxOp[] = [
  op(
    'MaxPool',
    { versions: { 1: 'largest elements', 8: 'and their positions', 10: 'ceil_mode and dilations' } },
    maxPool,
  ),
  op(
    'AveragePool',
    { versions: { 1: 'padding never counts', 7: 'count_include_pad', 10: 'ceil_mode', 19: 'dilations' } },
    averagePool,
  ),
  op(
    'LpPool',
    { versions: { 1: 'p is a float', 2: 'p is an integer', 18: 'ceil_mode and dilations' } },
    (c) => {
      const x = c.x(0) as F;
      const { attrs } = poolOf(c, x);
      return powerSum(x, orderOf(c), (v) => reduceWindow(v, 'sum', attrs) as T);
    },
  ),
  op('GlobalAveragePool', {}, (c) => h.mean(c.x(0) as F, spatialAxes(c.x(0)), { keepDims: true }) as T),
  op('GlobalMaxPool', {}, (c) => h.max(c.x(0), spatialAxes(c.x(0)), { keepDims: true }) as T),
  op('GlobalLpPool', { versions: { 1: 'p is a float', 2: 'p is an integer' } }, (c) => {
    const x = c.x(0) as F;
    return powerSum(x, orderOf(c), (v) => h.sum(v, spatialAxes(x), { keepDims: true }) as T);
  }),
  op('MaxUnpool', {}, unpool),
  op('Col2Im', {}, (c) => {
    const [image, kernel] = [c.numbers(1), c.numbers(2)];
    const pads = c.ints('pads') ?? [...image, ...image].map(() => 0);
    return h.fold(c.x(0), image, {
      kernel,
      strides: c.ints('strides') ?? image.map(() => 1),
      dilation: c.ints('dilations') ?? image.map(() => 1),
      padding: image.map((_, d): [number, number] => [pads[d]!, pads[d + image.length]!]),
    }) as T;
  }),
];
