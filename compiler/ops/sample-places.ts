// Reading pictures [N, C, sizes…] at places that are computed, one list [N, P] for each spatial dimension, in units of pixels. A
// sample is a sum over the pixels around it (2 in each dimension, 4 for cubic), each a lookup times a weight.
//
// A lookup reads all channels at once. Its gradient to the picture compares every pixel with every place, so it is dear for
// large pictures; that to the places is not.

import type { Node } from '../graph/ir.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { logicalAnd } from './binary.ts';
import { ge, gt, lt, where } from './compare.ts';
import { cast } from './convert.ts';
import { gatherAt } from './gather.ts';
import { zeros } from './leaf.ts';
import { clip } from './math.ts';
import { floorMod } from './remainder.ts';
import { reshape } from './shape.ts';
import { abs, floor, round } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Ints = Node<Shape, 'i32'>;
type Bools = Node<Shape, 'bool'>;

/** Between pixels: a line, the nearest one, or Keys' cubic with a = −3/4. */
export type SampleMode = 'linear' | 'nearest' | 'cubic';

/** What stands beyond the edge: zeros, the pixel at the edge, or the picture mirrored. */
export type SamplePadding = 'zeros' | 'edge' | 'reflect';

export interface Sampling {
  readonly mode: SampleMode;
  readonly padding: SamplePadding;
  /** Whether pictures are mirrored at the centres of the outermost pixels, or at their outer edges. */
  readonly alignCorners: boolean;
}

/** Pixels at whole places, zeros outside of the picture: [N, C, P]. */
export function pick(x: Node, places: readonly Node[]): Floats {
  const [batch, channels, ...sizes] = x.type.shape as unknown as [number, number, ...number[]];
  const count = places[0]!.type.shape[1]!;
  if (sizes.includes(0)) return zeros([batch, channels, count]) as Node as Floats;
  const parts = places.map((p, d) => {
    const place = p as Ints;
    const isInside = logicalAnd(ge(place, 0) as Bools, lt(place, sizes[d]!) as Bools) as Bools;
    const step = elementCount(sizes.slice(d + 1));
    return { isInside, term: mul(where(isInside, place, 0) as Ints, step) as Ints };
  });
  const index = parts.map((p) => p.term).reduce((a, b) => add(a, b) as Ints);
  const isInside = parts.map((p) => p.isInside).reduce((a, b) => logicalAnd(a, b) as Bools);
  const pixels = reshape(x, [batch, channels, elementCount(sizes)]) as Node;
  const taken = gatherAt(pixels, index, { axis: 2, batch: 1 }) as Floats;
  return where(reshape(isInside, [batch, 1, count]) as Bools, taken, 0) as Floats;
}

/** Pictures at any places: [N, C, P]. */
export function sampleAt(x: Node, places: readonly Node[], how: Sampling): Floats {
  const sizes = x.type.shape.slice(2);
  const inside = (p: Floats, d: number): Floats => bound(p, sizes[d]!, how);
  const given = places as readonly Floats[];
  if (how.mode === 'nearest') {
    return pick(
      x,
      given.map((p, d) => settled(inside(round(p) as Floats, d), d)),
    );
  }
  const taps = given.map((p, d) => {
    // Cubic taps are brought inside one by one, as PyTorch and onnxruntime do: the curve goes on beyond the edge.
    const place = how.mode === 'cubic' ? p : inside(p, d);
    const first = floor(place) as Floats;
    const t = sub(place, first) as Floats;
    const weights = how.mode === 'linear' ? [sub(1, t) as Floats, t] : cubicWeights(t);
    const before = weights.length / 2 - 1;
    return weights.map((weight, k) => ({ at: settled(add(first, k - before) as Floats, d), weight }));
  });
  // All combinations of a tap in each dimension.
  const corners = taps.reduce<{ readonly at: readonly Ints[]; readonly weight: Floats | null }[]>(
    (list, tap) =>
      list.flatMap(({ at, weight }) =>
        tap.map((one) => ({
          at: [...at, one.at],
          weight: weight === null ? one.weight : (mul(weight, one.weight) as Floats),
        })),
      ),
    [{ at: [], weight: null }],
  );
  const [batch, count] = places[0]!.type.shape as readonly [number, number];
  return corners
    .map(({ at, weight }) => mul(pick(x, at), reshape(weight!, [batch, 1, count]) as Floats) as Floats)
    .reduce((a, b) => add(a, b) as Floats);

  /** A whole place, brought inside: taps around a place at the edge lie beyond it. */
  function settled(p: Floats, d: number): Ints {
    const place = how.padding === 'reflect' ? (round(inside(p, d)) as Floats) : inside(p, d);
    const kept = how.padding === 'reflect' ? clip(place, 0, sizes[d]! - 1) : place;
    return cast(kept as Node, 'i32') as Ints;
  }
}

/** A place along one dimension, brought inside as the padding says. */
function bound(p: Floats, size: number, { padding, alignCorners }: Sampling): Floats {
  if (padding === 'zeros') return p;
  if (padding === 'edge') return clip(p, 0, size - 1) as Floats;
  const lo = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span <= 0) return mul(p, 0) as Floats;
  // To and fro: a way of twice the span, the second half of it backwards.
  const rest = floorMod(abs(sub(p, lo) as Floats) as Floats, 2 * span) as Floats;
  const back = sub(2 * span, rest) as Floats;
  return add(where(gt(rest, span) as Bools, back, rest) as Floats, lo) as Floats;
}

/** Weights of the four neighbours of a place `t` in [0, 1) after the second (Keys, 1981). */
function cubicWeights(t: Floats): Floats[] {
  const a = -0.75;
  /** ((c₃ d + c₂) d + c₁) d + c₀ */
  const polynomial = (d: Floats, c3: number, ...rest: readonly number[]): Floats => {
    const [c2, ...others] = rest as [number, ...number[]];
    const first = add(mul(d, c3) as Floats, c2) as Floats;
    return others.reduce((p, c) => add(mul(p, d) as Floats, c) as Floats, first);
  };
  const far = (d: Floats): Floats => polynomial(d, a, -5 * a, 8 * a, -4 * a);
  const near = (d: Floats): Floats => polynomial(d, a + 2, -(a + 3), 0, 1);
  const back = sub(1, t) as Floats;
  return [far(add(t, 1) as Floats), near(t), near(back), far(add(back, 1) as Floats)];
}
