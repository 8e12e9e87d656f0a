// Axes in another order, named by what moves: `transpose` for those who would rather not write all of it. Any dtype.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Moved, Swapped } from '../graph/shape-types-axis.ts';
import { normalizeAxis } from './attrs.ts';
import { refuse } from './refuse.ts';
import { transpose } from './shape.ts';

/**
 * Two axes exchanged; negative ones count from the end. Any dtype. Throws HDL0003 for axes that do not exist.
 *
 * @formula y[…, iᵦ, …, iₐ, …] = x[…, iₐ, …, iᵦ, …]
 * @example swapAxes(x, 1, 2) // f32[8, 16, 64] → f32[8, 64, 16]
 */
export function swapAxes<X extends Node, const A extends number, const B extends number>(
  x: X,
  a: A,
  b: B,
): Node<Swapped<ShapeOf<X>, A, B>, DTypeOf<X>> {
  const [p, q] = [normalizeAxis('swapAxes', x, a), normalizeAxis('swapAxes', x, b)];
  const perm = x.type.shape.map((_, d) => (d === p ? q : d === q ? p : d));
  const y = scope('swapAxes', () => transpose(x as Node, perm));
  return y as Node as Node<Swapped<ShapeOf<X>, A, B>, DTypeOf<X>>;
}

/**
 * Axes moved to other places; the others keep their order. Negative ones count from the end. Any dtype. Throws HDL0003.
 *
 * @example moveAxis(x, 1, -1) // f32[8, 3, 28, 28] → f32[8, 28, 28, 3]
 */
export function moveAxis<
  X extends Node,
  const From extends number | readonly number[],
  const To extends number | readonly number[],
>(x: X, from: From, to: To): Node<Moved<ShapeOf<X>, From, To>, DTypeOf<X>> {
  const list = (axes: number | readonly number[]): number[] =>
    (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis('moveAxis', x, a));
  const [sources, places] = [list(from), list(to)];
  const isOnce = (axes: readonly number[]): boolean => new Set(axes).size === axes.length;
  if (sources.length !== places.length || !isOnce(sources) || !isOnce(places)) {
    refuse(
      'HDL0003',
      `moveAxis(${describeNode(x)}, ${JSON.stringify(from)}, ${JSON.stringify(to)})`,
      'each axis that moves is named once and has a place of its own',
      'name as many places as axes: moveAxis(x, [0, 1], [-1, -2])',
    );
  }
  const others = x.type.shape.map((_, d) => d).filter((d) => !sources.includes(d));
  const perm = x.type.shape.map((_, d) => {
    const k = places.indexOf(d);
    return k >= 0 ? sources[k]! : others.shift()!;
  });
  const y = scope('moveAxis', () => transpose(x as Node, perm));
  return y as Node as Node<Moved<ShapeOf<X>, From, To>, DTypeOf<X>>;
}
