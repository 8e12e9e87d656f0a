// Convolutions with fewer products (Winograd 1980; for nets: Lavin and Gray 2016). Along the last dimension, four outputs of a
// filter of three taps need twelve products; of sums of six inputs with sums of the taps six are enough:
//
//   v = Bᵀ d      six sums of the six inputs that four outputs see       once for each place, channel and row
//   u = G g       six sums of the three taps                             once for each filter
//   m = Σ v · u   a plain convolution over channels and other dimensions for each of the six
//   y = Aᵀ m      four sums of the six
//
// So half of the products, for what it costs to write and read v and m (`isWorth`). Gradients to weights have a form of their own
// (winograd-weights.ts). Everything is made of primitives that fuse: v takes one kernel or six, u one, m six calls of one, and what follows the convolution is computed with the sums of y,
// where the four outputs of a place are put side by side.
//
// The error is about twice that of the plain sum, and an input that is not finite reaches the other outputs of its four
// (test/src/winograd.test.ts); so the option `winograd: false` refuses it. In training it adds to what rounding does anyhow: ten
// losses of ResNet-8 lie within 5e-5 of another system's, with it and without.

import { rewriteGraph, withOperands } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { absoluteScope, atLocation } from '../graph/scope.ts';
import { elementCount } from '../graph/types.ts';
import { isNear } from '../lower/cost.ts';
import { concat } from '../ops/concat.ts';
import { type ConvolutionAttrs, convolution } from '../ops/convolution.ts';
import { reshape, transpose } from '../ops/shape.ts';
import { slice } from '../ops/slice.ts';
import { padBelow } from './legalize.ts';
import type { GraphPass } from './manager.ts';
import {
  combine,
  every,
  filterSums,
  inputSums,
  inputs,
  isFaster,
  isPlainAlongLast,
  outputSums,
  outputs,
  taps,
} from './winograd-sums.ts';
import { fitsWeights, isWorthWeights, rewriteWeights, sumsOfWeights } from './winograd-weights.ts';

/** Convolutions that take fewer products, and what they become then. */
interface Form {
  /** Of convolutions that are plain along their last dimension. */
  readonly fits: (convolution: Node) => boolean;
  /** Whether it is faster: a function of shapes alone. */
  readonly pays: (convolution: Node) => boolean;
  /** What it needs at once beside what the convolution needs. */
  readonly scratchBytes: (convolution: Node) => number;
  readonly rewrite: (convolution: Node) => Node;
}

/** With `pays`, also where the cost model would not: for tests. */
export function winogradWhere(pays: (convolution: Node, form: Form) => boolean): GraphPass {
  return {
    name: 'winograd',
    doc: 'Computes four outputs of three taps by six products instead of twelve, where that is faster.',
    run: (graph) => run(graph, pays),
  };
}

function run(graph: Graph, pays: (convolution: Node, form: Form) => boolean): Graph {
  const formOf = (n: Node): Form | null =>
    (n.op.name === 'convolution' && isPlainAlongLast(n) && forms.find(({ fits }) => fits(n))) || null;
  const chosen = new Map(
    graph.nodes.flatMap((n): [Node, Form][] => {
      const form = formOf(n);
      return form !== null && pays(n, form) ? [[n, form]] : [];
    }),
  );
  if (chosen.size === 0) return graph;
  return rewriteGraph(graph, (node, operands) => {
    const same = withOperands(node, operands);
    const form = chosen.get(node);
    return form ? absoluteScope(node.scope, () => atLocation(node.loc, () => form.rewrite(same))) : same;
  });
}

/** Whether it has three taps, side by side, along the last dimension. */
function fits({ operands }: Node): boolean {
  return operands[1]!.type.shape.at(-1) === taps;
}

/** Elements of v, u and m. */
function movedElements(node: Node): number {
  const [x, w] = node.operands as [Node, Node];
  const { padLo, padHi } = node.attrs as ConvolutionAttrs;
  const { shape } = node.type;
  const width = shape.at(-1)!;
  const tiles = Math.ceil(width / outputs);
  const rows = x.type.shape.slice(2, -1).reduce((n, d, i) => n * (d + padLo[i]! + padHi[i]!), 1);
  const v = x.type.shape[0]! * x.type.shape[1]! * rows * tiles;
  const m = (elementCount(shape) / width) * tiles;
  return inputs * (v + elementCount(w.type.shape) / taps + m);
}

/** Whether half of the products saves more than moving v, u and m costs. A function of shapes alone. */
function isWorth(node: Node): boolean {
  const [x, w] = node.operands as [Node, Node];
  const { shape } = node.type;
  const width = shape.at(-1)!;
  const plain = elementCount(shape) * elementCount(w.type.shape.slice(1));
  const products = (plain * Math.ceil(width / outputs) * inputs) / (width * taps);
  const moved = 4 * (elementCount(x.type.shape) + 2 * movedElements(node));
  return isFaster(plain, products, moved);
}

const forms: readonly Form[] = [
  { fits, pays: isWorth, scratchBytes: (node) => 4 * movedElements(node), rewrite },
  {
    fits: fitsWeights,
    pays: isWorthWeights,
    scratchBytes: (node) => (4 * sumsOfWeights(node)) / inputs,
    rewrite: rewriteWeights,
  },
];

/** The pass for plans in which a convolution may need so many bytes more. */
export function winogradWithin(mostBytes: number): GraphPass {
  return winogradWhere((node, { pays, scratchBytes }) => pays(node) && scratchBytes(node) <= mostBytes);
}

export const winograd: GraphPass = winogradWithin(Infinity);

function rewrite(node: Node): Node {
  const attrs = node.attrs as ConvolutionAttrs;
  const [x, w] = node.operands as [Node, Node];
  const { shape } = node.type;
  const last = shape.length - 1;
  const width = shape[last]!;
  const tiles = Math.ceil(width / outputs);
  const none = shape.map(() => 0);
  const padded = padBelow(x, {
    lo: [0, 0, ...attrs.padLo],
    hi: [0, 0, ...attrs.padHi.slice(0, -1), attrs.padHi.at(-1)! + tiles * outputs - width],
    interior: none,
  });
  const seen = Array.from({ length: inputs }, (_, i) => every(padded, i, tiles, outputs));
  const taken = Array.from({ length: taps }, (_, k) => every(w, k, 1, 1));
  const open = attrs.padLo.map(() => 0);
  // One value for u and one for m, side by side: one kernel makes all of u, and six calls of one make m.
  const u = concat(
    filterSums.map((row) => combine(row, taken)),
    0,
  ) as Node;
  // What stays near lies channel by channel, v too: one kernel reads each input once, and workers meet once for all of v. From
  // afar it would be fetched in pieces of a few channels, 384 bytes apart, and twice as slowly: there each lies on its own.
  const near = isNear(movedElements(node) * 4, 1);
  const parts = inputSums.map((row) => combine(row, seen));
  const v = near ? (concat(parts, 1) as Node) : null;
  const axis = near ? 1 : 0;
  const m = concat(
    parts.map((part, a) =>
      convolution(v === null ? part : partOf(v, 1, a), partOf(u, 0, a), {
        ...attrs,
        padLo: open,
        padHi: open,
      }),
    ),
    axis,
  ) as Node;
  const read = parts.map((_, a) => partOf(m, axis, a));
  const sums = outputSums.map((row) => combine(row, read));
  // [y₀ of all tiles, y₁ of all tiles, …] → y₀, y₁, … of the first tile, of the next one, …
  const side = concat(sums, last) as Node;
  const before = shape.slice(0, -1);
  const apart = reshape(side, [...before, outputs, tiles]) as Node;
  const swapped = transpose(apart, [...before.map((_, d) => d), last + 1, last]) as Node;
  const joined = reshape(swapped, [...before, tiles * outputs]) as Node;
  return every(joined, 0, width, 1);
}

/** One of the six that lie side by side along an axis. */
function partOf(whole: Node, axis: number, a: number): Node {
  const { shape } = whole.type;
  const size = shape[axis]! / inputs;
  const starts = shape.map((_, d) => (d === axis ? a * size : 0));
  return slice(
    whole,
    starts,
    shape.map((n, d) => (d === axis ? starts[d]! + size : n)),
  ) as Node;
}
