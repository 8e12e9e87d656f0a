// Repeating and rolling: tile, repeat and roll as views of broadcasts and as concatenations. Any dtype.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Repeated } from '../graph/shape-types-axis.ts';
import type { Tiled } from '../graph/shape-types-box.ts';
import type { Shape } from '../graph/types.ts';
import { normalizeAxis } from './attrs.ts';
import { broadcastInDim } from './broadcast.ts';
import { concat } from './concat.ts';
import { reshape } from './shape.ts';
import { slice } from './slice.ts';

/**
 * Copies of the whole value one after the other, `repeats[d]` of them along dimension d. More repeats than dimensions make
 * new dimensions in front; fewer leave the first dimensions as they are. Throws HDL0003 for negative numbers.
 *
 *     tile(x, [2, 3]); // f32[4, 5] → f32[8, 15]
 */
export function tile<X extends Node, const R extends Shape>(
  x: X,
  repeats: R,
): Node<Tiled<ShapeOf<X>, R>, DTypeOf<X>> {
  for (const r of repeats) checkCount('tile', x, r);
  return scope('tile', () => {
    const rank = Math.max(repeats.length, x.type.shape.length);
    const sizes = [...new Array<number>(rank - x.type.shape.length).fill(1), ...x.type.shape];
    const times = [...new Array<number>(rank - repeats.length).fill(1), ...repeats];
    // [n, m] → [r, n, s, m] → [r n, s m]
    const wide = broadcastInDim(
      reshape(x as Node, sizes),
      sizes.flatMap((n, d) => [times[d]!, n]),
      sizes.map((_, d) => 2 * d + 1),
    );
    const y = reshape(
      wide as Node,
      sizes.map((n, d) => n * times[d]!),
    );
    return y as Node as Node<Tiled<ShapeOf<X>, R>, DTypeOf<X>>;
  });
}

/**
 * Each element `times` times in a row, along an axis (the last by default; negative ones count from the end). Throws
 * HDL0003.
 *
 *     repeat(x, 2); // [1, 2, 3] → [1, 1, 2, 2, 3, 3]
 */
export function repeat<X extends Node, const T extends number, const A extends number = -1>(
  x: X,
  times: T,
  axis?: A,
): Node<Repeated<ShapeOf<X>, A, T>, DTypeOf<X>> {
  const a = normalizeAxis('repeat', x, axis ?? -1);
  checkCount('repeat', x, times);
  return scope('repeat', () => {
    const shape = x.type.shape;
    const wide = broadcastInDim(
      x as Node,
      [...shape.slice(0, a + 1), times, ...shape.slice(a + 1)],
      shape.map((_, d) => (d <= a ? d : d + 1)),
    );
    const y = reshape(
      wide as Node,
      shape.map((n, d) => (d === a ? n * times : n)),
    );
    return y as Node as Node<Repeated<ShapeOf<X>, A, T>, DTypeOf<X>>;
  });
}

/**
 * Elements moved `shift` places along an axis (the last by default); what leaves at one end comes in at the other. Negative
 * shifts move towards the start. Throws HDL0003.
 *
 *     roll(x, 1); // [1, 2, 3] → [3, 1, 2]
 */
export function roll<X extends Node>(x: X, shift: number, axis: number = -1): Node<ShapeOf<X>, DTypeOf<X>> {
  const a = normalizeAxis('roll', x, axis);
  const shape = x.type.shape;
  const n = shape[a]!;
  if (!Number.isInteger(shift)) {
    throw compilerError('HDL0003', {
      what: `roll(${describeNode(x)}, ${shift})`,
      rule: 'the shift is a whole number of places',
      hint: 'round it, or use gather for other moves',
      loc: callerLocation(),
    });
  }
  const by = n === 0 ? 0 : ((shift % n) + n) % n;
  const part = (start: number, limit: number): Node =>
    slice(
      x as Node,
      shape.map((_, d) => (d === a ? start : 0)),
      shape.map((size, d) => (d === a ? limit : size)),
    );
  const y: Node = by === 0 ? x : scope('roll', () => concat([part(n - by, n), part(0, n - by)], a));
  return y as Node<ShapeOf<X>, DTypeOf<X>>;
}

function checkCount(fn: string, x: Node, times: number): void {
  if (Number.isInteger(times) && times >= 0) return;
  throw compilerError('HDL0003', {
    what: `${fn}(${describeNode(x)}, ${times})`,
    rule: 'a number of copies is an integer of at least 0',
    hint: '1 leaves a dimension as it is',
    loc: callerLocation(),
  });
}
