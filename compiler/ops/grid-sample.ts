// Pictures read at the places of a grid, and the grid of an affine map: what spatial transformers and warps need. Places are in
// units of the picture, −1 at one edge and 1 at the other; of each, the innermost dimension comes first: x (columns), then y
// (rows), as PyTorch has them.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, IsTuple, ShapeOf } from '../graph/shape-types.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { add, mul, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { broadcastInDim } from './broadcast.ts';
import { concat, stack } from './concat.ts';
import { matmul } from './contract.ts';
import { iota, ones } from './leaf.ts';
import { refuse } from './refuse.ts';
import { type SampleMode, type SamplePadding, sampleAt } from './sample-places.ts';
import { reshape, transpose } from './shape.ts';
import { slice } from './slice.ts';

type Floats = Node<Shape, 'f32'>;

export interface GridSampleOptions {
  /** Between pixels: `linear` (default), `cubic` (Keys, 1981), or the `nearest` pixel, with no gradient to the grid. */
  readonly mode?: SampleMode;
  /** Beyond the edge: `zeros` (default), the pixel at the `edge`, or the picture mirrored there (`reflect`). */
  readonly padding?: SamplePadding;
  /** Whether −1 and 1 are the centres of the outermost pixels, or their outer edges (default). */
  readonly alignCorners?: boolean;
}

/** [N, C, places…]. */
export type Sampled<X extends Shape, G extends Shape> =
  IsTuple<G> extends false
    ? Shape
    : X extends readonly [infer N extends number, infer C extends number, ...Shape]
      ? G extends readonly [number, ...infer Places extends Shape, number]
        ? readonly [N, C, ...Places]
        : Shape
      : Shape;

/** [N, sizes…, number of sizes]. */
export type AffineGrid<T extends Shape, Z extends Shape> =
  IsTuple<Z> extends false
    ? Shape
    : T extends readonly [infer N extends number, number, number]
      ? readonly [N, ...Z, Z['length']]
      : Shape;

/**
 * The pixels of pictures at the places of a grid: x is f32[N, C, H, W], the grid f32[N, h, w, 2] has (x, y) for each pixel of the
 * result; in general f32[N, C, sizes…] and f32[N, places…, number of sizes]. The gradient to x compares every pixel with every
 * place. Throws HDL0001, HDL0002, HDL0003.
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
  const rank = s.length - 2;
  if (rank < 1 || s[0] !== g[0] || g.length < 2 || g.at(-1) !== rank) {
    const rule = 'pictures are [N, C, H, W], the grid [N, h, w, 2] for as many; with other sizes alike';
    refuse('HDL0001', what, rule, 'one grid for all: broadcastTo(grid, [N, h, w, 2])');
  }
  if (!['linear', 'nearest', 'cubic'].includes(mode) || !['zeros', 'edge', 'reflect'].includes(padding)) {
    const rule = `mode '${mode}' or padding '${padding}' does not exist`;
    refuse(
      'HDL0003',
      what,
      rule,
      "modes: 'linear', 'nearest', 'cubic'; paddings: 'zeros', 'edge', 'reflect'",
    );
  }
  const [n, c, ...sizes] = s as unknown as [number, number, ...number[]];
  const places = g.slice(1, -1);
  const count = elementCount(places);
  const y = scope('gridSample', () => {
    const rows = reshape(grid as Node, [n, count, rank]) as Floats;
    const pixels = sizes.map((size, d) => {
      const k = rank - 1 - d;
      const own = reshape(slice(rows, [0, 0, k], [n, count, k + 1]) as Node, [n, count]) as Floats;
      const unit = add(own, 1) as Floats;
      if (alignCorners) return mul(unit, (size - 1) / 2) as Floats;
      return mul(sub(mul(unit, size) as Floats, 1) as Floats, 0.5) as Floats;
    });
    return reshape(sampleAt(x, pixels, { mode, padding, alignCorners }), [n, c, ...places]);
  });
  return y as Node as Node<Sampled<ShapeOf<X>, ShapeOf<G>>, 'f32'>;
}

/**
 * The grid for `gridSample` that an affine map makes: theta is f32[N, 2, 3] for pictures of sizes [h, w], and maps (x, y, 1) of each
 * pixel of the result to a place in the picture; in general f32[N, d, d + 1] for d sizes. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula grid[n, i, j] = theta[n] · (x[j], y[i], 1)
 * @example gridSample(x, affineGrid(theta, [28, 28])) // f32[8, 2, 3] → f32[8, 28, 28, 2]
 */
export function affineGrid<T extends Node, const Z extends Shape>(
  theta: T & Accepts<'affineGrid', T, 'f32'>,
  sizes: Z,
  options: Pick<GridSampleOptions, 'alignCorners'> = {},
): Node<AffineGrid<ShapeOf<T>, Z>, 'f32'> {
  requireFloats('affineGrid', theta);
  const [n, rows, columns] = theta.type.shape as readonly number[];
  const rank = sizes.length;
  const what = `affineGrid(${describeNode(theta)}, [${sizes.join(', ')}])`;
  if (!sizes.every((v) => Number.isInteger(v) && v >= 0)) {
    refuse('HDL0003', what, 'sizes are integers of at least 0', 'those of the result: [28, 28]');
  }
  if (theta.type.shape.length !== 3 || rank < 1 || rows !== rank || columns !== rank + 1) {
    refuse(
      'HDL0001',
      what,
      `theta is [N, ${rank}, ${rank + 1}] for ${rank} sizes`,
      'it maps (x, y, 1) to (x, y)',
    );
  }
  const y = scope('affineGrid', () => {
    const count = elementCount(sizes);
    const axes = sizes.map((size, d) => {
      const i = iota([size], 0, 'f32') as Floats;
      const line = options.alignCorners
        ? add(mul(i, size > 1 ? 2 / (size - 1) : 0) as Floats, size > 1 ? -1 : 0)
        : add(mul(i, 2 / Math.max(1, size)) as Floats, 1 / Math.max(1, size) - 1);
      return reshape(broadcastInDim(line as Node, sizes, [d]), [count]) as Node;
    });
    const points = stack(axes.reverse(), 1) as Node;
    const all = concat([points, ones([count, 1]) as Node], 1) as Floats;
    const turned = transpose(theta as Node, [0, 2, 1]) as Floats;
    return reshape(matmul(all, turned) as Node, [n!, ...sizes, rank]);
  });
  return y as Node as Node<AffineGrid<ShapeOf<T>, Z>, 'f32'>;
}
