// Padding by a value, or by elements of the value itself. The primitive, which adds a value, stands in slice.ts; the other
// modes join parts of the operand along one axis after the other, as NumPy does it.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Bordered, Lists, Widths } from '../graph/shape-types-box.ts';
import { concat } from './concat.ts';
import { repeat } from './repeat.ts';
import { reverse } from './shape.ts';
import { padBy, slice } from './slice.ts';

/**
 * `edge` repeats the outermost element, `reflect` mirrors at it (without repeating it), `wrap` goes on at the other end.
 */
export type PadMode = 'edge' | 'reflect' | 'wrap';

/**
 * Puts elements around those of `x`: `widths` says for each dimension how many go before and after; negative numbers remove
 * elements. They are `value`, a number (0 by default) or a scalar of the dtype of `x`; or elements of `x` by a `PadMode`.
 * Any dtype. Throws HDL0003 when more is removed than there is, and when a mode has not enough elements: `reflect` takes at
 * most one less than the size, `wrap` at most the size.
 *
 *     pad(image, [[0, 0], [0, 0], [1, 1], [1, 1]]); // f32[1, 3, 8, 8] → f32[1, 3, 10, 10]
 *     pad(row, [[2, 0]], 'reflect'); // [1, 2, 3] → [3, 2, 1, 2, 3]
 */
export function pad<X extends Node, const W extends Widths>(
  x: X,
  widths: W & Lists<'pad', 'pairs', ShapeOf<X>, W>,
  value: number | Node | PadMode = 0,
): Node<Bordered<ShapeOf<X>, W>, DTypeOf<X>> {
  return padded(x, widths, value) as Node<Bordered<ShapeOf<X>, W>, DTypeOf<X>>;
}

function padded(x: Node, widths: Widths, value: number | Node | PadMode): Node {
  if (typeof value !== 'string') {
    return padBy(x, { lo: widths.map(([lo]) => lo), hi: widths.map(([, hi]) => hi) }, value);
  }
  const refuse = (rule: string, hint: string): Error =>
    compilerError('HDL0003', {
      what: `pad(${describeNode(x)}, ${JSON.stringify(widths)}, '${value}')`,
      rule,
      hint,
      loc: callerLocation(),
    });
  if (!Object.hasOwn(spare, value)) {
    throw refuse("a mode is 'edge', 'reflect' or 'wrap'", 'leave it out to pad with zeros');
  }
  if (widths.length !== x.type.shape.length) {
    throw refuse(
      `widths has ${widths.length} pairs for ${x.type.shape.length} dimensions`,
      'write one pair [before, after] for each dimension',
    );
  }
  return scope('pad', () => {
    // What is removed goes first, so that modes see what is left.
    let y: Node = padBy(x, {
      lo: widths.map(([lo]) => Math.min(0, lo)),
      hi: widths.map(([, hi]) => Math.min(0, hi)),
    });
    widths.forEach(([lo, hi], axis) => {
      const n = y.type.shape[axis]!;
      const most = spare[value](n);
      if (Math.max(lo, hi) > most) {
        throw refuse(
          `dimension ${axis} has ${n} elements: '${value}' adds at most ${most} on a side`,
          "pad less, or use 'edge'",
        );
      }
      const parts = [...beside(y, axis, 'before', lo, value), y, ...beside(y, axis, 'after', hi, value)];
      if (parts.length > 1) y = concat(parts, axis);
    });
    return y;
  });
}

/** How many elements a mode can add on a side of n. */
const spare: Readonly<Record<PadMode, (n: number) => number>> = {
  edge: (n) => (n === 0 ? 0 : Number.POSITIVE_INFINITY),
  reflect: (n) => Math.max(0, n - 1),
  wrap: (n) => n,
};

/** The elements that go before or after along an axis; none for a width of 0 or less. */
function beside(x: Node, axis: number, side: 'before' | 'after', width: number, mode: PadMode): Node[] {
  if (width <= 0) return [];
  const n = x.type.shape[axis]!;
  const part = (start: number, limit: number): Node =>
    slice(
      x,
      x.type.shape.map((_, d) => (d === axis ? start : 0)),
      x.type.shape.map((size, d) => (d === axis ? limit : size)),
    );
  const isBefore = side === 'before';
  switch (mode) {
    case 'edge':
      return [repeat(isBefore ? part(0, 1) : part(n - 1, n), width, axis)];
    case 'reflect':
      return [reverse(isBefore ? part(1, width + 1) : part(n - 1 - width, n - 1), axis)];
    case 'wrap':
      return [isBefore ? part(n - width, n) : part(0, width)];
    default:
      return mode satisfies never;
  }
}
