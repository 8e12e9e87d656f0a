// Pictures read at places that are computed: what spatial transformers and warps need. Places are in units of the picture, −1 at
// one edge and 1 at the other, x (columns) before y (rows), as PyTorch has them.
//
// Reading is a lookup of four neighbours in each picture's row of pixels. Its gradient to the picture compares every pixel with
// every place, so it is dear for large pictures; that to the grid is not.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { logicalAnd } from './binary.ts';
import { ge, gt, le, lt, where } from './compare.ts';
import { cast, stopGradient } from './convert.ts';
import { gatherAt } from './gather.ts';
import { zeros } from './leaf.ts';
import { refuse } from './refuse.ts';
import { floorMod } from './remainder.ts';
import { reshape } from './shape.ts';
import { slice } from './slice.ts';
import { abs, floor, round } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Ints = Node<Shape, 'i32'>;
type Bools = Node<Shape, 'bool'>;

export interface GridSampleOptions {
  /** Between pixels: `linear` (default), or the `nearest` pixel, with no gradient to the grid. */
  readonly mode?: 'linear' | 'nearest';
  /** Beyond the edge: zeros (default), the pixel at the edge, or the picture mirrored there. */
  readonly padding?: 'zeros' | 'edge' | 'reflect';
  /** Whether −1 and 1 are the centres of the outermost pixels, or their outer edges (default). */
  readonly alignCorners?: boolean;
}

/** The shape of `gridSample`. */
export type Sampled<X extends Shape, G extends Shape> = X extends readonly [
  infer N extends number,
  infer C extends number,
  number,
  number,
]
  ? G extends readonly [number, infer H extends number, infer W extends number, number]
    ? readonly [N, C, H, W]
    : readonly [N, C, number, number]
  : readonly [number, number, number, number];

/**
 * The pixels of pictures at the places of a grid: x is f32[N, C, H, W], the grid f32[N, h, w, 2] has (x, y) for each pixel of the
 * result. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula y[n, c, i, j] = Σ x[n, c, q, p] max(0, 1 − |u − p|) max(0, 1 − |v − q|), (u, v) the pixel that grid[n, i, j] means
 * @example gridSample(x, grid) // f32[8, 3, 28, 28], f32[8, 14, 14, 2] → f32[8, 3, 14, 14]
 */
export function gridSample<X extends Node, G extends Node>(
  x: X & Accepts<'gridSample', X, 'f32'>,
  grid: G & Accepts<'gridSample', G, 'f32'>,
  options: GridSampleOptions = {},
): Node<Sampled<ShapeOf<X>, ShapeOf<G>>, 'f32'> {
  const { mode = 'linear', padding = 'zeros', alignCorners = false } = options;
  const operands = [x as Node, grid as Node] as const;
  for (const v of operands) requireFloats('gridSample', v);
  const [s, g] = operands.map((v) => v.type.shape) as [Shape, Shape];
  const what = `gridSample(${operands.map(describeNode).join(', ')})`;
  if (s.length !== 4 || g.length !== 4 || s[0] !== g[0] || g[3] !== 2) {
    const rule = 'pictures are [N, C, H, W], the grid [N, h, w, 2] for as many';
    refuse('HDL0001', what, rule, 'one grid for all: broadcastTo(grid, [N, h, w, 2])');
  }
  if (!['linear', 'nearest'].includes(mode) || !['zeros', 'edge', 'reflect'].includes(padding)) {
    const rule = `mode '${mode}' or padding '${padding}' does not exist`;
    refuse('HDL0003', what, rule, "modes: 'linear', 'nearest'; paddings: 'zeros', 'edge', 'reflect'");
  }
  const [n, c, height, width] = s as unknown as [number, number, number, number];
  const [, h, w] = g as unknown as [number, number, number];
  const y = scope('gridSample', (): Node => {
    if (height * width === 0) return zeros([n, c, h, w]) as Node;
    const count = h * w;
    const part = (k: number): Floats =>
      reshape(slice(grid as Node, [0, 0, 0, k], [n, h, w, k + 1]) as Node, [n, count]) as Floats;
    const u = pixelOf(part(0), width, padding, alignCorners);
    const v = pixelOf(part(1), height, padding, alignCorners);
    const pixels = reshape(x as Node, [n, c, height * width]) as Floats;
    /** Pixels of all channels at whole places (row, column), zeros beyond the picture: [N, C, count]. */
    const at = (row: Floats, column: Floats): Floats => {
      const isInside = logicalAnd(inside(row, height), inside(column, width)) as Bools;
      const index = add(mul(row, width) as Floats, column) as Floats;
      const known = cast(where(isInside, index, 0) as Node, 'i32') as Ints;
      const read = gatherAt(pixels, known, { axis: 2, batch: 1 }) as Floats;
      return where(reshape(isInside, [n, 1, count]) as Bools, read, 0) as Floats;
    };
    const result =
      mode === 'nearest' ? at(round(v) as Floats, round(u) as Floats) : blend(at, u, v, [n, 1, count]);
    return reshape(result, [n, c, h, w]);
  });
  return y as Node as Node<Sampled<ShapeOf<X>, ShapeOf<G>>, 'f32'>;
}

/** The four neighbours of (u, v), each by how near it is. */
function blend(at: (row: Floats, column: Floats) => Floats, u: Floats, v: Floats, spread: Shape): Floats {
  const sides = (p: Floats): readonly (readonly [Floats, Floats])[] => {
    const first = stopGradient(floor(p) as Floats) as Floats;
    const far = sub(p, first) as Floats;
    return [
      [first, sub(1, far) as Floats],
      [add(first, 1) as Floats, far],
    ];
  };
  const [rows, columns] = [sides(v), sides(u)];
  const terms = rows.flatMap(([row, a]) =>
    columns.map(
      ([column, b]) => mul(at(row, column), reshape(mul(a, b) as Floats, spread) as Floats) as Floats,
    ),
  );
  return terms.reduce((s, t) => add(s, t) as Floats);
}

/** Whether whole places are those of pixels; NaN is none. */
function inside(p: Floats, size: number): Bools {
  return logicalAnd(ge(p, 0) as Bools, lt(p, size) as Bools) as Bools;
}

/** The place of a coordinate among the pixels of a dimension, 0 at the centre of the first. */
function pixelOf(g: Floats, size: number, padding: string, alignCorners: boolean): Floats {
  const p = alignCorners
    ? (mul(add(g, 1) as Floats, (size - 1) / 2) as Floats)
    : (sub(mul(add(g, 1) as Floats, size / 2) as Floats, 0.5) as Floats);
  if (padding === 'zeros') return p;
  const mirrored = padding === 'reflect' ? mirror(p, size, alignCorners) : p;
  const isUnder = le(mirrored, 0) as Bools;
  const isOver = ge(mirrored, size - 1) as Bools;
  return where(isUnder, 0, where(isOver, size - 1, mirrored) as Floats) as Floats;
}

/** To and fro between the edges: the centres of the outermost pixels, or their outer ends. */
function mirror(p: Floats, size: number, alignCorners: boolean): Floats {
  const lo = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return mul(p, 0) as Floats;
  const from = abs(sub(p, lo) as Floats) as Floats;
  const rest = floorMod(from, 2 * span) as Floats;
  return add(where(gt(rest, span) as Bools, sub(2 * span, rest) as Floats, rest) as Floats, lo) as Floats;
}
