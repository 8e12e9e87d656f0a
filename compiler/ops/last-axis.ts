// Functions that work along the last axis, along any axis: moving it there and back. Both are views.

import type { Node } from '../graph/ir.ts';
import { transpose } from './shape.ts';

/** x with the axis moved to the end. */
export function lastAxis(x: Node, axis: number): Node {
  const rank = x.type.shape.length;
  return transpose(x, [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis]);
}

/** x with its last axis moved to a place. */
export function backFromLast(x: Node, axis: number): Node {
  const last = x.type.shape.length - 1;
  const order = Array.from({ length: last }, (_, i) => i);
  return transpose(x, [...order.slice(0, axis), last, ...order.slice(axis)]);
}
