// Halos: a value that is padded after it was computed lies inside of the padded value's buffer from the start. Its kernel
// writes the inside, small kernels write the border, and nothing is copied; who reads the value itself reads the inside.
//
//   y = relu(…)                    y is a view of p from (1, 1) on
//   p = pad(y, 0, 1 on each side)  p: only its border is written
//
// In: the values that have a buffer, and how they lie. Out: for a value the pad whose buffer it shares. One pad per value;
// further ones are copies.

import type { Graph, Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import type { LoopVar } from '../kernel/affine.ts';
import { addIndex, constIndex, type Index, offsetIndex, scaleIndex, varIndex } from '../kernel/affine.ts';
import type { VarSource } from '../kernel/definition.ts';
import type { Order } from './layout.ts';
import { isLeaf } from './probe.ts';

/** How far from the start of the padded value the inside begins, per dimension. */
export function haloOf(pad: Node): readonly number[] {
  return pad.attrs['lo'] as readonly number[];
}

/** Value → the pad that it lies in. */
export function chooseHalos(
  graph: Graph,
  stored: ReadonlySet<Node>,
  orders: ReadonlyMap<Node, Order>,
): ReadonlyMap<Node, Node> {
  const leaving = new Set([...graph.outputs.map((o) => o.node), ...graph.updates.map((u) => u.value)]);
  const halos = new Map<Node, Node>();
  for (const pad of graph.nodes) {
    if (pad.op.name !== 'pad' || !stored.has(pad) || leaving.has(pad)) continue;
    const [inside, fill] = pad.operands as [Node, Node];
    if (!stored.has(inside) || isLeaf(inside) || isLeaf(fill) || leaving.has(inside) || halos.has(inside))
      continue;
    const { lo, hi, interior } = pad.attrs as Record<'lo' | 'hi' | 'interior', readonly number[]>;
    const onlyGrows = [...lo, ...hi].every((n) => n >= 0) && interior.every((n) => n === 0);
    const sameOrder = orders.get(pad)!.every((d, i) => d === orders.get(inside)![i]);
    // A pad of a pad would have to lie in two places at once.
    const isFree = inside.op.name !== 'pad' && elementCount(inside.type.shape) > 0;
    if (onlyGrows && sameOrder && isFree) halos.set(inside, pad);
  }
  return halos;
}

/** A part of a border: its loops, and the place of each of its elements in the padded value. */
export interface BorderPart {
  readonly space: readonly LoopVar[];
  readonly at: readonly Index[];
}

/** The border in boxes that do not overlap; both sides of a dimension are one box where they are equally thick. */
export function borderParts(
  pad: Node,
  order: Order,
  make: () => VarSource,
): (BorderPart & { vars: VarSource })[] {
  const { lo, hi } = pad.attrs as Record<'lo' | 'hi', readonly number[]>;
  const { shape } = pad.type;
  const parts: (BorderPart & { vars: VarSource })[] = [];
  order.forEach((d, position) => {
    const sides: { readonly from: number; readonly thick: number; readonly both: boolean }[] = [];
    if (lo[d]! > 0 && lo[d] === hi[d]) sides.push({ from: 0, thick: lo[d]!, both: true });
    else {
      if (lo[d]! > 0) sides.push({ from: 0, thick: lo[d]!, both: false });
      if (hi[d]! > 0) sides.push({ from: shape[d]! - hi[d]!, thick: hi[d]!, both: false });
    }
    for (const { from, thick, both } of sides) {
      const vars = make();
      const space: LoopVar[] = [];
      const at: Index[] = shape.map(() => constIndex(0));
      order.forEach((e, p) => {
        if (e !== d) {
          // Dimensions outside of this one have given their own borders already.
          const inside = p < position;
          const v = vars.make(`d${e}`, inside ? shape[e]! - lo[e]! - hi[e]! : shape[e]!);
          space.push(v);
          at[e] = offsetIndex(varIndex(v), inside ? lo[e]! : 0);
          return;
        }
        const side = both ? vars.make(`side${e}`, 2) : null;
        const v = vars.make(`d${e}`, thick);
        space.push(...(side ? [side] : []), v);
        const far = side ? scaleIndex(varIndex(side), shape[e]! - thick) : constIndex(from);
        at[e] = addIndex(far, varIndex(v));
      });
      parts.push({ space, at, vars });
    }
  });
  return parts;
}
