// Gradients to the weights of convolutions by fewer products. What is summed for three taps runs over a picture; of four of its
// places, three sums of four products need six products of sums (winograd.ts, transposed: the same coefficients):
//
//   v = Bᵀ d      six sums of the six inputs that four places see        once for each four places, channel and row
//   z = A e       six sums of what the gradient is at the four           once for each four places, feature and row
//   m = Σ v · z   a plain convolution, with one result along the last dimension, for each of the six
//   y = Gᵀ m      three sums of the six
//
// So half of the products, for what it costs to write and read v and z. In the graph it is a convolution with three results and as
// many taps as the picture has columns.

import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { concat } from '../ops/concat.ts';
import { type ConvolutionAttrs, convolution } from '../ops/convolution.ts';
import { padBelow } from './legalize.ts';
import {
  combine,
  every,
  filterSums,
  inputSums,
  inputs,
  isFaster,
  outputSums,
  outputs,
  taps,
} from './winograd-sums.ts';

/** Fewer places are not worth six sums. */
const leastTaps = 2 * outputs;

/** Whether it has three results along the last dimension, of many taps side by side. */
export function fitsWeights({ type, operands }: Node): boolean {
  return type.shape.at(-1) === taps && operands[1]!.type.shape.at(-1)! >= leastTaps;
}

/** Elements of v and z; of which two of the twelve are needed at once. */
export function sumsOfWeights({ operands }: Node): number {
  const [x, w] = operands.map((o) => o.type.shape) as [readonly number[], readonly number[]];
  const width = w.at(-1)!;
  return (inputs * Math.ceil(width / outputs) * (elementCount(x) + elementCount(w))) / width;
}

/** Whether half of the products saves more than moving v and z costs. */
export function isWorthWeights(node: Node): boolean {
  const [x, w] = node.operands.map((o) => o.type.shape) as [readonly number[], readonly number[]];
  const width = w.at(-1)!;
  const tiles = Math.ceil(width / outputs);
  const plain = elementCount(node.type.shape) * elementCount(w.slice(1));
  const products = (plain * inputs * tiles) / (taps * width);
  const given = elementCount(x) + elementCount(w);
  return isFaster(plain, products, 4 * (given + 2 * sumsOfWeights(node)));
}

export function rewriteWeights(node: Node): Node {
  const attrs = node.attrs as ConvolutionAttrs;
  const [x, w] = node.operands as [Node, Node];
  const last = node.type.shape.length - 1;
  const none = node.type.shape.map(() => 0);
  const tiles = Math.ceil(w.type.shape[last]! / outputs);
  const more = tiles * outputs - w.type.shape[last]!;
  const padded = padBelow(x, {
    lo: [0, 0, ...attrs.padLo],
    hi: [0, 0, ...attrs.padHi.slice(0, -1), attrs.padHi.at(-1)! + more],
    interior: none,
  });
  const filled = padBelow(w, { lo: none, hi: none.map((n, d) => (d === last ? more : n)), interior: none });
  const seen = Array.from({ length: inputs }, (_, i) => every(padded, i, tiles, outputs));
  const met = Array.from({ length: outputs }, (_, j) => every(filled, j, tiles, outputs));
  const open = attrs.padLo.map(() => 0);
  const m = inputSums.map((row, a) => {
    const v = combine(row, seen);
    const z = combine(
      outputSums.map((sum) => sum[a]!),
      met,
    );
    return convolution(v, z, { ...attrs, padLo: open, padHi: open });
  });
  const sums = Array.from({ length: taps }, (_, k) =>
    combine(
      filterSums.map((row) => row[k]!),
      m,
    ),
  );
  return concat(sums, last) as Node;
}
