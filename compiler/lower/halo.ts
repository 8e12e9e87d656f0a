// Halos: the border of a padded value, whose inside is written where it lies (subbuffers.ts). In: a pad, and the order of its
// dimensions in memory. Out: the border as boxes, so that a few small kernels write it and nothing else.

import type { Node } from '../graph/ir.ts';
import type { LoopVar } from '../kernel/affine.ts';
import { addIndex, constIndex, type Index, offsetIndex, scaleIndex, varIndex } from '../kernel/affine.ts';
import type { VarSource } from '../kernel/definition.ts';
import type { Order } from './layout.ts';

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
