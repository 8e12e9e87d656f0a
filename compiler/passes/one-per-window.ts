// The gradient of pooling has one element in each window that may be other than 0. What adds up all of a picture, or makes the
// gradient to a convolution's weights of it, needs the others no more:
//
//   reduceSum(windowScatter(d, index))                             →  reduceSum(d)
//   convolution(x, transpose(windowScatter(d, index)))             →  windowConvolution(x, transpose(d), transpose(index))
//
// where windows lie side by side and cover the picture. Values stay, save for one case, as at borders (legalize.ts): an
// infinite element or NaN of x meets no zero.

import { makeNode } from '../graph/build.ts';
import type { Node } from '../graph/ir.ts';
import { transpose } from '../ops/shape.ts';
import { windowConvolution } from '../ops/window-convolution.ts';
import { padBelow } from './legalize.ts';
import type { GraphPass } from './manager.ts';
import { integers, rewriteNodes } from './rewrite.ts';

export const onePerWindow: GraphPass = {
  name: 'one-per-window',
  doc: 'Leaves out products with the zeros of the gradient of pooling.',
  run: (graph) =>
    rewriteNodes(
      graph,
      (node) => rules[node.op.name]!(node) ?? node,
      (node) => Object.hasOwn(rules, node.op.name),
    ),
};

const rules: Readonly<Record<string, (node: Node) => Node | null>> = {
  reduceSum(node) {
    const spread = node.operands[0]!;
    if (!isSideBySide(spread)) return null;
    const axes = integers(node, 'axes');
    const isWhole = integers(spread, 'window').every((k, d) => k === 1 || axes.includes(d));
    return isWhole ? makeNode(node.op, [spread.operands[0]!], node.attrs) : null;
  },
  convolution(node) {
    const [x, filters] = node.operands as [Node, Node];
    const turned = filters.op.name === 'transpose';
    const spread = turned ? filters.operands[0]! : filters;
    if (!isSideBySide(spread) || !isPlain(node)) return null;
    const perm = turned ? integers(filters, 'perm') : spread.type.shape.map((_, d) => d);
    const window = integers(spread, 'window');
    // Windows extend in space only, and stay where they are.
    if (window[0] !== 1 || window[1] !== 1 || perm.some((from, d) => d > 1 && from !== d)) return null;
    if (neighbours(node) < fewestNeighbours) return null;
    const [d, index] = spread.operands.map((o) => (turned ? transpose(o, perm) : o)) as [Node, Node];
    const [lo, hi] = ['padLo', 'padHi'].map((side) => [0, 0, ...integers(node, side)]) as [
      number[],
      number[],
    ];
    const padded = padBelow(x, { lo, hi, interior: lo.map(() => 0) });
    return windowConvolution(padded, d, index, window.slice(2));
  },
};

/** Lanes run across elements of x that are neighbours and stay so wherever the chosen element lies. */
const fewestNeighbours = 4;

/** Elements of x that taps of one row read side by side: images lie channels-last, save for those that are fed. */
function neighbours(node: Node): number {
  let x = node.operands[0]!;
  while (x.op.name === 'transpose' || x.op.name === 'reshape') x = x.operands[0]!;
  const channels = x.op.lower === 'leaf' ? 1 : node.type.shape[0]!;
  return channels * node.type.shape.at(-1)!;
}

/** A scatter to windows that an argmax chose in, and that cover all of the picture once. */
function isSideBySide(node: Node): boolean {
  if (node.op.name !== 'windowScatter' || node.operands[1]!.op.name !== 'windowArgmax') return false;
  const [window, strides, dilation] = ['window', 'strides', 'dilation'].map((a) => integers(node, a));
  const windows = node.operands[0]!.type.shape;
  return (
    [...integers(node, 'padLo'), ...integers(node, 'padHi')].every((p) => p === 0) &&
    window!.some((k) => k > 1) &&
    window!.every((k, d) => k === strides![d] && dilation![d] === 1 && windows[d]! * k === node.type.shape[d])
  );
}

function isPlain(node: Node): boolean {
  const is = (attr: string, value: number): boolean => integers(node, attr).every((v) => v === value);
  return is('strides', 1) && is('dilation', 1) && is('inputDilation', 1) && node.attrs['groups'] === 1;
}
