// Deviations: x − mean(x). Found by what variances (split-variance.ts) and gradients of normalization (factor-sums.ts) know
// about them: that the sum of their squares goes by parts, and that their own sum is zero.

import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { broadcastInDimOp, reduceSumOp } from '../ops/broadcast.ts';
import { integers, splatOf } from './rewrite.ts';

export interface Deviation {
  readonly x: Node;
  /** Over which the mean goes. */
  readonly axes: readonly number[];
  /** The mean over them, its dimensions of one element anywhere. */
  readonly mean: Node;
}

/** `c` as x − mean of x over some axes, the mean repeated along them; null for anything else. */
export function deviationOf(c: Node): Deviation | null {
  if (c.op.name !== 'sub' || c.type.dtype !== 'f32') return null;
  const [x, spread] = c.operands as [Node, Node];
  const { shape } = x.type;
  if (spread.op !== broadcastInDimOp || shape.includes(0)) return null;
  const mean = spread.operands[0]!;
  const axes = meanAxes(mean, x);
  if (axes === null) return null;
  // It runs along the other dimensions, in order; those of one element aside.
  const dims = integers(spread, 'dims').filter((_, i) => mean.type.shape[i] !== 1);
  const kept = shape.flatMap((d, i) => (axes.includes(i) || d === 1 ? [] : [i]));
  return dims.length === kept.length && dims.every((at, i) => at === kept[i]) ? { x, axes, mean } : null;
}

/** The axes of Σ x / count, seen through reshapes; null when the value is no mean of x. */
function meanAxes(value: Node, x: Node): readonly number[] | null {
  let factor = 1;
  for (let n = value; ; ) {
    const [a, b] = n.operands;
    if (n.op === reduceSumOp) {
      if (a !== x) return null;
      const axes = integers(n, 'axes');
      const count = axes.reduce((k, d) => k * x.type.shape[d]!, 1);
      return Math.abs(factor * count - 1) < 1e-6 ? axes : null;
    }
    // A broadcast may add dimensions of one element.
    const isView = n.op.name === 'reshape' || n.op === broadcastInDimOp;
    if (isView && elementCount(n.type.shape) === elementCount(a!.type.shape)) n = a!;
    else if (n.op.name === 'mul' && splat(b!) !== null) {
      factor *= splat(b!)!;
      n = a!;
    } else if (n.op.name === 'mul' && splat(a!) !== null) {
      factor *= splat(a!)!;
      n = b!;
    } else if (n.op.name === 'div' && splat(b!) !== null) {
      factor /= splat(b!)!;
      n = a!;
    } else return null;
  }
}

/** A number that is the same everywhere, seen through broadcasts and reshapes. */
function splat(node: Node): number | null {
  if (node.op === broadcastInDimOp || node.op.name === 'reshape') return splat(node.operands[0]!);
  return splatOf(node);
}
