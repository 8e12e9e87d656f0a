// Resizing images: nearest, linear or cubic interpolation, one axis after the other. For each place of the result the
// position in the operand is computed here, when the graph is built; what runs is a sum of few elements with fixed weights.
//
//   halfPixel         x = (o + 1/2) / scale − 1/2     centres of pixels (the default; also PyTorch's alignCorners: false)
//   pytorchHalfPixel  the same, but 0 where the result has one pixel
//   alignCorners      x = o (n − 1) / (size − 1)      the corner pixels of both lie on each other
//   asymmetric        x = o / scale                   top left corners

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Resized } from '../graph/shape-types-box.ts';
import type { Shape } from '../graph/types.ts';
import { requireFloats } from './attrs.ts';
import { combineTaps, takeTaps } from './taps.ts';

export type ResizeMode = 'nearest' | 'linear' | 'cubic';
export type ResizeCoordinates = 'halfPixel' | 'pytorchHalfPixel' | 'alignCorners' | 'asymmetric';
export type ResizeRounding = 'roundPreferFloor' | 'roundPreferCeil' | 'floor' | 'ceil';

export interface ResizeOptions {
  /** `nearest` (default; any dtype), `linear` (bilinear for pictures) or `cubic` (Keys, 1981). */
  readonly mode?: ResizeMode;
  /** Where pixels lie (default `halfPixel`). */
  readonly coordinates?: ResizeCoordinates;
  /** Which neighbour is the nearest (default `roundPreferFloor`: of two at one distance the first). */
  readonly rounding?: ResizeRounding;
  /** Ratio of sizes for each spatial dimension where it is not that of the sizes themselves. */
  readonly scale?: readonly number[];
  /** Coefficient of cubic interpolation (default −0.75). */
  readonly cubic?: number;
}

/**
 * Images of another size: `x` is [N, C, spatial…], `size` has one number for each spatial dimension. Places beyond the edge
 * repeat it. Any dtype for `nearest`, f32 for the others. Throws HDL0002, HDL0003.
 *
 *     resize(x, [56, 56]);                     // f32[8, 3, 28, 28] → f32[8, 3, 56, 56]
 *     resize(x, [40, 40], { mode: 'linear' });
 */
export function resize<X extends Node, const Z extends Shape>(
  x: X,
  size: Z,
  options: ResizeOptions = {},
): Node<Resized<ShapeOf<X>, Z>, DTypeOf<X>> {
  const mode = options.mode ?? 'nearest';
  checkResize(x, size, options);
  if (mode !== 'nearest') requireFloats('resize', x);
  const y = scope('resize', () =>
    size.reduce((v: Node, count: number, d: number) => {
      const n = v.type.shape[d + 2]!;
      const scale = options.scale?.[d] ?? count / n;
      if (count === n && scale === 1) return v;
      const at = Array.from({ length: count }, (_, o) =>
        position(options.coordinates ?? 'halfPixel', o, n, count, scale),
      );
      const axis = d + 2;
      const clamp = (p: number): number => Math.min(Math.max(p, 0), n - 1);
      if (mode === 'nearest') {
        const round = rounding[options.rounding ?? 'roundPreferFloor'];
        const nearest = at.map((p) => [clamp(round(p))]);
        return takeTaps(v, axis, nearest);
      }
      const kernel = mode === 'linear' ? linearTaps : cubicTaps(options.cubic ?? -0.75);
      const taps = at.map(kernel);
      const positions = taps.map((t) => t.map(([p]) => clamp(p)));
      return combineTaps(
        v as Node<Shape, 'f32'>,
        axis,
        positions,
        taps.map((t) => t.map(([, w]) => w)),
      );
    }, x as Node),
  );
  return y as Node as Node<Resized<ShapeOf<X>, Z>, DTypeOf<X>>;
}

function position(mode: ResizeCoordinates, o: number, n: number, count: number, scale: number): number {
  switch (mode) {
    case 'halfPixel':
      return (o + 0.5) / scale - 0.5;
    case 'pytorchHalfPixel':
      return count > 1 ? (o + 0.5) / scale - 0.5 : 0;
    case 'alignCorners':
      return count > 1 ? (o * (n - 1)) / (count - 1) : 0;
    case 'asymmetric':
      return o / scale;
    default:
      return mode satisfies never;
  }
}

const rounding: Readonly<Record<ResizeRounding, (p: number) => number>> = {
  roundPreferFloor: (p) => Math.ceil(p - 0.5),
  roundPreferCeil: (p) => Math.floor(p + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** [position, weight] of the two neighbours of p. */
function linearTaps(p: number): [number, number][] {
  const first = Math.floor(p);
  return [
    [first, 1 - (p - first)],
    [first + 1, p - first],
  ];
}

/** Of the four neighbours, by Keys' kernel: near is |t| ≤ 1, far 1 < |t| < 2. */
function cubicTaps(a: number): (p: number) => [number, number][] {
  const near = (t: number): number => (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
  const far = (t: number): number => a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a;
  return (p) => {
    const first = Math.floor(p);
    const t = p - first;
    return [
      [first - 1, far(1 + t)],
      [first, near(t)],
      [first + 1, near(1 - t)],
      [first + 2, far(2 - t)],
    ];
  };
}

function checkResize(x: Node, size: readonly number[], options: ResizeOptions): void {
  const sizes = x.type.shape.slice(2);
  const fail = (rule: string, hint: string): never => {
    throw compilerError('HDL0003', {
      what: `resize(${describeNode(x)}, [${size.join(', ')}])`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  if (size.length !== sizes.length || !size.every((n) => Number.isInteger(n) && n >= 1)) {
    fail(
      `the size is ${sizes.length} integers of at least 1, one for each spatial dimension`,
      'x is [N, C, spatial…]; N and C stay as they are',
    );
  }
  if (sizes.includes(0)) fail('a picture without pixels has nothing to repeat', 'resize before slicing');
  const { scale } = options;
  if (scale !== undefined && !(scale.length === sizes.length && scale.every((s) => s > 0))) {
    fail(`scale is [${scale.join(', ')}], not ${sizes.length} positive numbers`, 'leave it out: size / n');
  }
}
