// Makes padding explicit, so that inner loops never test for borders: afterwards convolutions have neither padding nor
// input dilation. A `pad` fuses with whatever produces its operand, and its guards split loops at the border; the
// convolution itself reads plain memory.
//
//   convolution(x, w, {padLo, padHi, inputDilation})  →  convolution(pad(x, 0, {lo, hi, interior}), w)
//
// Negative padding crops, as `pad` does. Values stay, save for one case: a padded 0 meets its filter element, so that
// an infinite or NaN weight reaches outputs at the border as NaN.

import { makeNode } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { padBy } from '../ops/slice.ts';
import type { GraphPass } from './manager.ts';
import { integers, rewriteNodes } from './rewrite.ts';

export const legalize: GraphPass = {
  name: 'legalize',
  doc: 'Makes the padding of convolutions explicit.',
  run(graph) {
    const after = rewriteNodes(graph, legalizeNode);
    checkLegal(after);
    return after;
  },
};

function legalizeNode(node: Node): Node {
  return isLegal(node) ? node : explicitPadding(node);
}

function isLegal(node: Node): boolean {
  if (node.op.name !== 'convolution') return true;
  const isPlain = (name: string, value: number): boolean => integers(node, name).every((v) => v === value);
  return isPlain('padLo', 0) && isPlain('padHi', 0) && isPlain('inputDilation', 1);
}

function explicitPadding(node: Node): Node {
  const [x, w] = node.operands;
  const inputDilation = integers(node, 'inputDilation');
  const padded = padBy(x!, {
    lo: [0, 0, ...integers(node, 'padLo')],
    hi: [0, 0, ...integers(node, 'padHi')],
    interior: [0, 0, ...inputDilation.map((d) => d - 1)],
  });
  const none = inputDilation.map(() => 0);
  const attrs = { ...node.attrs, padLo: none, padHi: none, inputDilation: none.map(() => 1) };
  return makeNode(node.op, [padded, w!], attrs);
}

function checkLegal(graph: Graph): void {
  const illegal = graph.nodes.find((n) => !isLegal(n));
  if (illegal === undefined) return;
  throw compilerError('HDL0099', {
    what: `internal: ${describeNode(illegal)} is still padded after legalize`,
    loc: illegal.loc,
  });
}
