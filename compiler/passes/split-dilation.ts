// The gradient to the input of a strided convolution is a convolution over a picture with zeros between its elements: with
// stride 2, three quarters of the products are with those zeros. Positions of the result that leave the same remainder
// modulo the stride meet the same part of the filter, so each such class is a plain convolution of the picture itself:
//
//   y[s q + ρ] = Σ_k w[k] x̂[s q + ρ + k − lo],   x̂[s i] = x[i], else 0
//              = Σ_j w[k₀ + s j] x[q + j + (ρ + k₀ − lo) / s],   k₀ = (lo − ρ) mod s
//
// The classes are spread to their places (`pad` with interior) and added: every place gets one of them, and zeros.

import type { Node } from '../graph/ir.ts';
import { add } from '../ops/arithmetic.ts';
import { convolution } from '../ops/convolution.ts';
import { zeros } from '../ops/leaf.ts';
import { padBy, slice } from '../ops/slice.ts';
import type { GraphPass } from './manager.ts';
import { integers, rewriteNodes } from './rewrite.ts';

export const splitDilation: GraphPass = {
  name: 'split-dilation',
  doc: 'Turns convolutions of pictures with zeros between their elements into convolutions without.',
  run: (graph) => rewriteNodes(graph, byResidue, (node) => node.op.name === 'convolution'),
};

/** What one dimension needs for one residue. */
interface Residue {
  readonly residue: number;
  /** First element of the filter that meets picture elements, and how many do. */
  readonly first: number;
  readonly taps: number;
  readonly outputs: number;
  readonly padLo: number;
  readonly padHi: number;
}

function byResidue(node: Node): Node {
  const spread = integers(node, 'inputDilation');
  const strides = integers(node, 'strides');
  const dilation = integers(node, 'dilation');
  if (spread.every((s) => s === 1)) return node;
  // Steps of more than one on either side mix the classes.
  if (
    strides.some((s, d) => s !== 1 && spread[d] !== 1) ||
    dilation.some((s, d) => s !== 1 && spread[d] !== 1)
  )
    return node;
  const [x, w] = node.operands as [Node, Node];
  const lo = integers(node, 'padLo');
  const size = node.type.shape.slice(2);
  const classes = spread.map((s, d) =>
    Array.from({ length: Math.min(s, size[d]!) }, (_, residue) =>
      s === 1
        ? whole(node, d)
        : residueOf(residue, s, lo[d]!, size[d]!, w.type.shape[2 + d]!, x.type.shape[2 + d]!),
    ),
  );
  const parts: Node[] = [];
  for (const choice of product(classes)) {
    // No filter element falls on this class: it stays zero.
    if (choice.some((c) => c.taps === 0 || c.outputs === 0)) continue;
    const filter = slice(
      w,
      [0, 0, ...choice.map((c) => c.first)],
      [w.type.shape[0]!, w.type.shape[1]!, ...choice.map((c, d) => c.first + (c.taps - 1) * spread[d]! + 1)],
      [1, 1, ...spread],
    );
    const y = convolution(x, filter, {
      strides,
      padLo: choice.map((c) => c.padLo),
      padHi: choice.map((c) => c.padHi),
      dilation,
      inputDilation: spread.map(() => 1),
      groups: node.attrs['groups'] as number,
    });
    parts.push(
      padBy(y, {
        lo: [0, 0, ...choice.map((c) => c.residue)],
        hi: [0, 0, ...choice.map((c, d) => size[d]! - 1 - (c.residue + (c.outputs - 1) * spread[d]!))],
        interior: [0, 0, ...spread.map((s) => s - 1)],
      }),
    );
  }
  return parts.length === 0 ? zeros(node.type.shape) : parts.reduce((a, b) => add(a, b) as Node);
}

/** A dimension without zeros between elements has one class: all of it. */
function whole(node: Node, d: number): Residue {
  return {
    residue: 0,
    first: 0,
    taps: node.operands[1]!.type.shape[2 + d]!,
    outputs: node.type.shape[2 + d]!,
    padLo: integers(node, 'padLo')[d]!,
    padHi: integers(node, 'padHi')[d]!,
  };
}

function residueOf(
  residue: number,
  s: number,
  lo: number,
  size: number,
  kernel: number,
  input: number,
): Residue {
  const first = (((lo - residue) % s) + s) % s;
  const taps = Math.max(0, Math.ceil((kernel - first) / s));
  const outputs = Math.ceil((size - residue) / s);
  const padLo = (lo - residue - first) / s;
  return { residue, first, taps, outputs, padLo, padHi: outputs - input - padLo + taps - 1 };
}

/** All choices of one element from each list. */
function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((head) => list.map((x) => [...head, x])), [[]]);
}
