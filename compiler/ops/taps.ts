// Reading along an axis at fixed positions: each place of the result combines a few elements of its row, its taps. Resizing
// and adaptive pools are made of this. Positions and weights are constants of the graph.

import type { Node } from '../graph/ir.ts';
import type { Shape } from '../graph/types.ts';
import { mul } from './arithmetic.ts';
import { sum } from './broadcast.ts';
import { constant } from './constant.ts';
import { gatherAt } from './gather.ts';
import { repeat } from './repeat.ts';
import { slice } from './slice.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * Elements at `positions[place][tap]` of an axis: the dimensions [places, taps] stand in place of it. One position for each
 * place leaves the taps out. Regular positions become views.
 */
export function takeTaps(x: Node, axis: number, positions: readonly (readonly number[])[]): Node {
  const most = positions[0]?.length ?? 1;
  const flat = positions.flat();
  if (most === 1) return viewOf(x, axis, flat) ?? gatherRows(x, axis, flat, [flat.length]);
  return gatherRows(x, axis, flat, [positions.length, most]);
}

/** Σ over taps of weight · element: the places stand in place of the axis. f32. */
export function combineTaps(
  x: Floats,
  axis: number,
  positions: readonly (readonly number[])[],
  weights: readonly (readonly number[])[],
): Floats {
  const taken = takeTaps(x, axis, positions) as Floats;
  const taps = positions[0]?.length ?? 1;
  const flat = weights.flat();
  const behind = x.type.shape.slice(axis + 1).map(() => 1);
  if (taps === 1) {
    if (flat.every((w) => w === 1)) return taken;
    return mul(taken, constant(flat, [flat.length, ...behind])) as Floats;
  }
  return sum(mul(taken, constant(flat, [weights.length, taps, ...behind])) as Floats, axis + 1) as Floats;
}

function gatherRows(x: Node, axis: number, flat: readonly number[], shape: readonly number[]): Node {
  return gatherAt(x, constant(flat, shape, 'i32'), { axis, batch: 0 });
}

/** Positions that repeat each element equally often, or step through the axis: no lookup. Null for others. */
function viewOf(x: Node, axis: number, at: readonly number[]): Node | null {
  const n = x.type.shape[axis]!;
  const times = at.length / n;
  if (Number.isInteger(times) && times > 0 && at.every((p, o) => p === Math.floor(o / times))) {
    return times === 1 ? x : (repeat(x, times, axis) as Node);
  }
  const [first, second] = at;
  if (first === undefined) return null;
  const step = second === undefined ? 1 : second - first;
  if (step < 1 || at.some((p, o) => p !== first + o * step)) return null;
  const shape = x.type.shape;
  return slice(
    x,
    shape.map((_, d) => (d === axis ? first : 0)),
    shape.map((size, d) => (d === axis ? at[at.length - 1]! + 1 : size)),
    shape.map((_, d) => (d === axis ? step : 1)),
  );
}
