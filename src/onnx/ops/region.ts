// What samples a picture at places of its own: regions of interest, and filters whose taps are moved.

import * as h from '../../../compiler/ops/index.ts';
import { pick, sampleAt } from '../../../compiler/ops/sample-places.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import { at, type B, type F, filled, floats, fromStart, product, range, shapeOf, type T } from './common.ts';

const asPlace = (x: T): T => h.cast(x, 'i32') as T;

const mul = (a: T, b: T | number): T => h.mul(a, b) as T;
const add = (a: T, b: T | number): T => h.add(a, b) as T;
const sub = (a: T | number, b: T | number): T => h.sub(a, b) as T;

const plainly = { mode: 'linear', padding: 'zeros', alignCorners: true } as const;

function deformConv(c: Call): T {
  const [x, w, offset] = [c.x(0), c.x(1), c.x(2)];
  const [batch, channels, ...sizes] = shapeOf(x) as [number, number, ...number[]];
  const rank = sizes.length;
  const kernel = shapeOf(w).slice(2);
  c.ignore('kernel_shape');
  const strides = c.ints('strides') ?? sizes.map(() => 1);
  const dilations = c.ints('dilations') ?? sizes.map(() => 1);
  const pads = c.ints('pads') ?? [...sizes, ...sizes].map(() => 0);
  const [groups, offsetGroups] = [c.int('group', 1), c.int('offset_group', 1)];
  const out = shapeOf(offset).slice(2);
  const [count, taps] = [product(out), product(kernel)];
  const shifts = h.reshape(offset, [batch, offsetGroups, taps, rank, count]) as T;
  const masks = c.has(4) ? (h.reshape(c.x(4), [batch, offsetGroups, taps, count]) as T) : null;
  const perGroup = channels / offsetGroups;
  // Pictures of each offset group by themselves: [N · G, C / G, …].
  const pictures = h.reshape(x, [batch * offsetGroups, perGroup, ...sizes]) as T;
  const columns = range(taps).map((k) => {
    const places = sizes.map((_, d) => {
      const tap = Math.floor(k / product(kernel.slice(d + 1))) % kernel[d]!;
      const base = range(count).map((o) => {
        const i = Math.floor(o / product(out.slice(d + 1))) % out[d]!;
        return i * strides[d]! - pads[d]! + tap * dilations[d]!;
      });
      const moved = h.reshape(at(at(shifts, 2, k), 2, d), [batch * offsetGroups, count]) as T;
      return add(moved, floats(base, [1, count]));
    });
    const value = sampleAt(pictures, places, plainly) as T;
    const weighed =
      masks === null ? value : mul(value, h.reshape(at(masks, 2, k), [batch * offsetGroups, 1, count]) as T);
    return h.reshape(weighed, [batch, channels, count]) as T;
  });
  // [N, g, C / g · taps, count] under weights [g, O / g, C / g · taps].
  const all = h.stack(columns, 2) as T;
  const rows = h.reshape(all, [batch, groups, (channels / groups) * taps, count]) as T;
  const outputs = shapeOf(w)[0]!;
  const weights = h.reshape(w, [1, groups, outputs / groups, (channels / groups) * taps]) as T;
  const y = h.reshape(h.matmul(weights, rows) as T, [batch, outputs, ...out]) as T;
  return c.has(3) ? add(y, h.reshape(c.x(3), [outputs, ...out.map(() => 1)]) as T) : y;
}

function roiAlign(c: Call): T {
  const [x, rois, indices] = [c.x(0), c.x(1), c.x(2)];
  const isHalf =
    c.text('coordinate_transformation_mode', c.opset < 16 ? 'output_half_pixel' : 'half_pixel') ===
    'half_pixel';
  const mode = c.text('mode', 'avg');
  const scale = c.float('spatial_scale', 1);
  const [rows, columns] = [c.int('output_height', 1), c.int('output_width', 1)];
  const [height, width] = shapeOf(x).slice(2) as [number, number];
  const ratio = c.int('sampling_ratio', 0);
  const count = shapeOf(rois)[0]!;
  const shift = isHalf ? 0.5 : 0;
  const corner = (k: number): T => sub(mul(at(rois, 1, k), scale), shift);
  const [x1, y1, x2, y2] = range(4).map(corner) as [T, T, T, T];
  const extent = (from: T, to: T): T => (isHalf ? sub(to, from) : (h.maximum(sub(to, from), 1) as T));
  const [wide, tall] = [extent(x1, x2), extent(y1, y2)];
  const pictures = h.gather(x, fromStart(c, indices, shapeOf(x)[0]!), 0) as T;
  if (ratio > 0) return pooled(pictures, ratio, ratio);
  // Points of each region by its size: regions must be known, and each is done by itself.
  const known = [wide, tall].map((v) => Array.from(c.known(v, c.node.input[1] ?? '')));
  const each = range(count).map((r) => {
    const points = (n: number, bins: number): number => Math.max(1, Math.ceil(n / bins));
    return pooled(pictures, points(known[1]![r]!, rows), points(known[0]![r]!, columns), r);
  });
  return h.concat(each, 0) as T;

  /** The bins of all regions, or of one. */
  function pooled(images: T, down: number, across: number, only?: number): T {
    const own = (v: T): T => (only === undefined ? v : (h.slice(v, [only], [only + 1]) as T));
    const source =
      only === undefined
        ? images
        : (h.slice(images, [only, 0, 0, 0], [only + 1, ...shapeOf(images).slice(1)]) as T);
    const n = only === undefined ? count : 1;
    const line = (start: T, size: T, bins: number, points: number): T => {
      const fractions = range(bins * points).map(
        (k) => (Math.floor(k / points) + ((k % points) + 0.5) / points) / bins,
      );
      return add(
        h.reshape(own(start), [n, 1]) as T,
        mul(h.reshape(own(size), [n, 1]) as T, floats(fractions, [1, bins * points])),
      );
    };
    const [h2, w2] = [rows * down, columns * across];
    const full = (v: T, shape: readonly number[]): T =>
      h.reshape(h.broadcastTo(h.reshape(v, [...shape]) as T, [n, h2, w2]) as T, [n, h2 * w2]) as T;
    const ys = full(line(y1, tall, rows, down), [n, h2, 1]);
    const xs = full(line(x1, wide, columns, across), [n, 1, w2]);
    // Beyond one pixel of the border there is nothing; up to there the border counts.
    const near = (v: T, size: number): T => h.logicalAnd(h.ge(v, -1) as B, h.le(v, size) as B) as T;
    const isNear = h.logicalAnd(near(ys, height) as B, near(xs, width) as B) as T;
    const values = corners(source, ys, xs);
    const mask = h.reshape(isNear, [n, 1, h2 * w2]) as T;
    const channels = shapeOf(x)[1]!;
    const grid = (v: T): T => {
      const masked = h.where(h.broadcastTo(mask, [n, channels, h2 * w2]) as B, v, filled(v, 0)) as T;
      return h.reshape(masked, [n, channels, rows, down, columns, across]) as T;
    };
    if (mode === 'avg') return h.mean(grid(values.reduce(add)) as F, [3, 5]) as T;
    return h.max(
      values.map(grid).reduce((a, b) => h.maximum(a, b) as T),
      [3, 5],
    ) as T;
  }

  /** The four corners around each point, times their weights. */
  function corners(source: T, ys: T, xs: T): T[] {
    const axis = (v: T, size: number): { place: T; weight: T }[] => {
      const inside = h.clip(v as F, 0, size - 1) as T;
      const low = h.floor(inside as F) as T;
      const t = sub(inside, low);
      const high = h.minimum(add(low, 1), size - 1) as T;
      return [
        { place: asPlace(low), weight: sub(1, t) },
        { place: asPlace(high), weight: t },
      ];
    };
    const [vertical, horizontal] = [axis(ys, height), axis(xs, width)];
    return vertical.flatMap((a) =>
      horizontal.map((b) => {
        const [n, points] = shapeOf(ys) as [number, number];
        return mul(
          pick(source, [a.place, b.place]) as T,
          h.reshape(mul(a.weight, b.weight), [n, 1, points]) as T,
        );
      }),
    );
  }
}

export const regionOps: readonly OnnxOp[] = [
  op('DeformConv', {}, deformConv),
  op(
    'RoiAlign',
    {
      versions: { 10: 'places from corners', 16: 'places from centres, by default' },
      limits: 'with sampling_ratio 0 the regions must be known: they decide how many points are taken',
    },
    roiAlign,
  ),
];
