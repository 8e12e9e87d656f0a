// Makes padding explicit, so that inner loops never test for borders: afterwards convolutions have neither padding nor
// input dilation, and sums and extremes under windows have no padding. A `pad` fuses with whatever produces its operand,
// and its guards split loops at the border; the op itself reads plain memory.
//
//   convolution(x, w, {padLo, padHi, inputDilation})  →  convolution(pad(x, 0, {lo, hi, interior}), w)
//   reduceWindow(x, {monoid: max, padLo, padHi})      →  reduceWindow(pad(x, −∞), {monoid: max})
//   windowArgmax(x, {padLo, padHi})                   →  windowArgmax(pad(x, −∞))
//
// Negative padding crops, as `pad` does. Values stay, save for one case: a padded 0 meets its filter element, so that
// an infinite or NaN weight reaches outputs at the border as NaN. `windowGather` and `windowScatter` keep their padding:
// few of their elements lie on it, and their lowering guards those.

import { makeNode } from '../graph/build.ts';
import type { Node } from '../graph/ir.ts';
import { type Monoid, neutral, type ScalarType } from '../kernel/expr.ts';
import { transpose } from '../ops/shape.ts';
import { padBy } from '../ops/slice.ts';
import type { GraphPass } from './manager.ts';
import { integers, rewriteNodes } from './rewrite.ts';

export const legalize: GraphPass = {
  name: 'legalize',
  doc: 'Makes the padding of convolutions and windows explicit.',
  run: (graph) =>
    rewriteNodes(
      graph,
      (node) => explicitPadding[node.op.name]!(node) ?? node,
      (node) => Object.hasOwn(explicitPadding, node.op.name),
    ),
};

/** For each op that has padding, the node without it, or null when there is none. */
const explicitPadding: Readonly<Record<string, (node: Node) => Node | null>> = {
  convolution(node) {
    const spread = integers(node, 'inputDilation').map((d) => d - 1);
    if (!hasPadding(node) && spread.every(isZero)) return null;
    const padded = padBelow(node.operands[0]!, {
      lo: [0, 0, ...integers(node, 'padLo')],
      hi: [0, 0, ...integers(node, 'padHi')],
      interior: [0, 0, ...spread],
    });
    return over(padded, node, { inputDilation: spread.map(() => 1) });
  },
  reduceWindow: (node) => padWindows(node, node.attrs['monoid'] as Monoid),
  windowArgmax: (node) => padWindows(node, 'max'),
};

/**
 * Pads below a transpose: transpose(pad(x)) instead of pad(transpose(x)). The gradient to a convolution's weights reads
 * the same padded picture as the convolution itself, seen from another side; so both are one value.
 */
export function padBelow(
  x: Node,
  amounts: { readonly lo: number[]; readonly hi: number[]; readonly interior: number[] },
): Node {
  if (x.op.name !== 'transpose') return padBy(x, amounts);
  const perm = integers(x, 'perm');
  const moved = (list: readonly number[]): number[] => {
    const out = new Array<number>(list.length);
    perm.forEach((from, d) => {
      out[from] = list[d]!;
    });
    return out;
  };
  const inner = padBelow(x.operands[0]!, {
    lo: moved(amounts.lo),
    hi: moved(amounts.hi),
    interior: moved(amounts.interior),
  });
  return transpose(inner, perm);
}

function padWindows(node: Node, monoid: Monoid): Node | null {
  if (!hasPadding(node)) return null;
  const x = node.operands[0]!;
  const value = neutral(monoid, x.type.dtype as ScalarType);
  return over(padBy(x, { lo: integers(node, 'padLo'), hi: integers(node, 'padHi') }, value), node);
}

/** The node without padding, over a padded first operand. */
function over(padded: Node, node: Node, attrs: Node['attrs'] = {}): Node {
  const none = integers(node, 'padLo').map(() => 0);
  const operands = [padded, ...node.operands.slice(1)];
  return makeNode(node.op, operands, { ...node.attrs, padLo: none, padHi: none, ...attrs });
}

function hasPadding(node: Node): boolean {
  return ![...integers(node, 'padLo'), ...integers(node, 'padHi')].every(isZero);
}

function isZero(v: number): boolean {
  return v === 0;
}
