// Sampling pictures at places that are computed. A sample is a sum over the corners around it (all 2^r of them in r
// dimensions, or 4^r for cubic), each a gather times a weight.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import {
  at,
  type B,
  type F,
  filled,
  floats,
  type I,
  product,
  range,
  rankOf,
  shapeOf,
  type T,
} from './common.ts';

const mul = (a: T, b: T | number): T => h.mul(a, b) as T;
const add = (a: T, b: T | number): T => h.add(a, b) as T;
const sub = (a: T | number, b: T | number): T => h.sub(a, b) as T;

/** What stands beyond the border: zeros, the border itself, or the picture mirrored. */
type Beyond = 'zeros' | 'border' | 'reflection';

/** Elements of x [N, C, …sizes] at integer places, one list [N, P] for each dimension: [N, C, P]. Outside it is 0. */
export function pick(x: T, places: readonly T[]): T {
  const [batch, channels, ...sizes] = shapeOf(x) as [number, number, ...number[]];
  const count = shapeOf(places[0]!)[1]!;
  let flat: T | null = null;
  let isInside: T | null = null;
  places.forEach((p, d) => {
    const inside = h.logicalAnd(h.ge(p, 0) as B, h.lt(p, sizes[d]!) as B) as T;
    const term = mul(h.where(inside as B, p, filled(p, 0)) as T, product(sizes.slice(d + 1)));
    flat = flat === null ? term : add(flat, term);
    isInside = isInside === null ? inside : (h.logicalAnd(isInside as B, inside as B) as T);
  });
  const rows = h.reshape(x, [batch, channels, product(sizes)]) as T;
  const index = h.broadcastTo(h.reshape(flat!, [batch, 1, count]) as T, [batch, channels, count]) as I;
  const taken = h.gatherElements(rows, index, 2) as T;
  const mask = h.broadcastTo(h.reshape(isInside!, [batch, 1, count]) as T, [batch, channels, count]) as B;
  return h.where(mask, taken, filled(taken, 0)) as T;
}

/** x mirrored at both ends until it lies between them. */
function reflected(x: T, lo: number, hi: number): T {
  const span = hi - lo;
  if (span === 0) return filled(x, lo);
  const distance = h.abs(sub(x, lo)) as F;
  const turns = h.floor(h.div(distance, span) as F) as T;
  const rest = sub(distance, mul(turns, span));
  const isOdd = h.ne(sub(turns, mul(h.floor(mul(turns, 0.5) as F) as T, 2)), 0) as B;
  return h.where(isOdd, sub(hi, rest), add(rest, lo)) as T;
}

/** A place along one dimension, brought inside as the border mode says. */
function bound(x: T, size: number, beyond: Beyond, alignCorners: boolean): T {
  if (beyond === 'zeros') return x;
  if (beyond === 'border') return h.clip(x as F, 0, size - 1) as T;
  return alignCorners ? reflected(x, 0, size - 1) : reflected(x, -0.5, size - 0.5);
}

export const asPlace = (x: T): T => h.cast(x, 'i32') as T;

/** Keys' cubic with a = −3/4: weights of the four neighbours of a place `t` in [0, 1) after the second. */
function cubicWeights(t: T): T[] {
  const a = -0.75;
  const far = (d: T): T => sub(mul(add(mul(sub(mul(d, a), 5 * a), d), 8 * a), d), 4 * a);
  const near = (d: T): T => add(mul(mul(sub(mul(d, a + 2), a + 3), d), d), 1);
  const back = sub(1, t);
  return [far(add(t, 1)), near(t), near(back), far(add(back, 1))];
}

/** x [N, C, …sizes] at real places [N, P], one list for each dimension: [N, C, P]. */
export function sampleAt(
  x: T,
  places: readonly T[],
  mode: 'nearest' | 'linear' | 'cubic',
  beyond: Beyond,
  alignCorners: boolean,
): T {
  const sizes = shapeOf(x).slice(2);
  const inside = places.map((p, d) => bound(p, sizes[d]!, beyond, alignCorners));
  const settle = (p: T, d: number): T =>
    asPlace(
      beyond === 'reflection'
        ? (h.clip(h.round(bound(p, sizes[d]!, beyond, alignCorners) as F) as F, 0, sizes[d]! - 1) as T)
        : bound(p, sizes[d]!, beyond, alignCorners),
    );
  if (mode === 'nearest') {
    const whole = places.map((p, d) =>
      settle(bound(h.round(p as F) as T, sizes[d]!, beyond, alignCorners), d),
    );
    return pick(x, whole);
  }
  const taps = inside.map((p) => {
    const first = h.floor(p as F) as T;
    const t = sub(p, first);
    return mode === 'linear'
      ? [
          { place: first, weight: sub(1, t) },
          { place: add(first, 1), weight: t },
        ]
      : cubicWeights(t).map((weight, k) => ({ place: add(first, k - 1), weight }));
  });
  let total: T | null = null;
  const visit = (d: number, chosen: readonly T[], weight: T | null): void => {
    if (d === sizes.length) {
      const value = pick(x, chosen);
      const [batch, count] = shapeOf(weight!) as [number, number];
      const term = mul(value, h.reshape(weight!, [batch, 1, count]) as T);
      total = total === null ? term : add(total, term);
      return;
    }
    for (const tap of taps[d]!) {
      visit(d + 1, [...chosen, settle(tap.place, d)], weight === null ? tap.weight : mul(weight, tap.weight));
    }
  };
  visit(0, [], null);
  return total!;
}

function gridSample(c: Call): T {
  const [x, grid] = [c.x(0), c.x(1)];
  const name = c.text('mode', c.opset < 20 ? 'bilinear' : 'linear');
  const mode = name === 'bilinear' ? 'linear' : name === 'bicubic' ? 'cubic' : name;
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'cubic')
    c.refuse(`mode '${name}' is not known`, "use 'linear'");
  const beyond = c.text('padding_mode', 'zeros');
  if (beyond !== 'zeros' && beyond !== 'border' && beyond !== 'reflection') {
    c.refuse(`padding_mode '${beyond}' is not known`, "use 'zeros', 'border' or 'reflection'");
  }
  const aligned = c.flag('align_corners');
  const [batch, ...rest] = shapeOf(grid) as [number, ...number[]];
  const spatial = rest.slice(0, -1);
  const sizes = shapeOf(x).slice(2);
  const places = sizes.map((n, d) => {
    // The innermost dimension comes first in the grid.
    const g = h.reshape(at(grid, rankOf(grid) - 1, sizes.length - 1 - d), [batch, product(spatial)]) as T;
    const unit = add(g, 1);
    return aligned ? mul(unit, (n - 1) / 2) : mul(sub(mul(unit, n), 1), 0.5);
  });
  const y = sampleAt(x, places, mode as 'linear', beyond as Beyond, aligned);
  return h.reshape(y, [batch, shapeOf(x)[1]!, ...spatial]) as T;
}

function affineGrid(c: Call): T {
  const theta = c.x(0);
  const size = c.numbers(1).slice(2);
  const aligned = c.flag('align_corners');
  const axis = (n: number): number[] =>
    range(n).map((i) => (aligned ? (n === 1 ? -1 : -1 + (2 * i) / (n - 1)) : -1 + (2 * i + 1) / n));
  const count = product(size);
  // Homogeneous coordinates, the innermost dimension first.
  const rows = size.map((n, d) => {
    const inner = product(size.slice(d + 1));
    const values = axis(n);
    return range(count).map((k) => values[Math.floor(k / inner) % n]!);
  });
  const points = [...rows.reverse(), range(count).map(() => 1)];
  const matrix = floats(points.flat(), [points.length, count]);
  const moved = h.transpose(h.matmul(theta, matrix) as T, [0, 2, 1]) as T;
  return h.reshape(moved, [shapeOf(theta)[0]!, ...size, size.length]) as T;
}

export const sampleOps: readonly OnnxOp[] = [
  op('GridSample', { versions: { 16: 'pictures', 20: 'any number of dimensions' } }, gridSample),
  op('AffineGrid', {}, affineGrid),
];
