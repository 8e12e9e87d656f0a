// Masks of rectifiers, read from their results: where y = (x ≤ 0 ? 0 : x), the question x ≤ 0 has the same answer as
// y ≤ 0, for NaN and for both zeros too. The gradient asks it again; asking it of y, which lives on for other reasons, the
// mask need not be stored, nor x.
//
//   m = le(x, 0)   y = select(m, 0, x)   d = select(m, 0, g)    →    d = select(le(y, 0), 0, g)
//
// Only where x would be computed in one kernel with y and be lost: a sum of products that nobody else reads. A normalized
// value is computed again from what is in memory anyway, and y need not live for it.

import { makeNode } from '../graph/build.ts';
import { rewriteGraph, usersOf, withOperands } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { absoluteScope, atLocation } from '../graph/scope.ts';
import { elementCount } from '../graph/types.ts';
import type { GraphPass } from './manager.ts';
import { splatOf } from './rewrite.ts';

export const reuseMasks: GraphPass = {
  name: 'reuse-masks',
  doc: 'Asks the result of a rectifier where it was cut, instead of keeping the mask.',
  run(graph) {
    const rectifiers = findRectifiers(graph);
    if (rectifiers.size === 0) return graph;
    const made = new Map<Node, Node>();
    let changed = false;
    const result = rewriteGraph(graph, (node, operands) => {
      const own = operands.map((operand, i) => {
        const mask = node.operands[i]!;
        const rectifier = rectifiers.get(mask);
        const y = rectifier && rectifier !== node ? made.get(rectifier) : undefined;
        if (y === undefined) return operand;
        changed = true;
        return absoluteScope(mask.scope, () =>
          atLocation(mask.loc, () => makeNode(mask.op, [y, operand.operands[1]!], mask.attrs)),
        );
      });
      const next = withOperands(node, own);
      made.set(node, next);
      return next;
    });
    return changed ? result : graph;
  },
};

/** Mask → the rectifier that it cuts. */
function findRectifiers(graph: Graph): Map<Node, Node> {
  const found = new Map<Node, Node>();
  const users = usersOf(graph);
  for (const node of graph.nodes) {
    if (node.op.name !== 'select') continue;
    const [mask, cut, kept] = node.operands as [Node, Node, Node];
    if (mask.op.name !== 'le' || node.type.dtype !== 'f32' || found.has(mask)) continue;
    const [x, limit] = mask.operands as [Node, Node];
    const isLost = users.get(x)!.every((u) => u === mask || u === node) && endsInProducts(x, users);
    if (x === kept && isZero(limit) && isZero(cut) && isLost) found.set(mask, node);
  }
  return found;
}

/** Whether a value is a sum of products with small things added: every step down has one reader and one large operand. */
function endsInProducts(value: Node, users: ReadonlyMap<Node, readonly Node[]>): boolean {
  for (let n = value; ; ) {
    if (n.op.name === 'dotGeneral' || n.op.name === 'convolution') return true;
    const size = elementCount(n.type.shape);
    const large = n.operands.filter(
      (o) => o.op.name !== 'broadcastInDim' && elementCount(o.type.shape) === size,
    );
    const below = large[0];
    if (large.length !== 1 || below === undefined || users.get(below)!.length !== 1) return false;
    n = below;
  }
}

/** 0 or −0 everywhere: both compare alike. */
function isZero(node: Node): boolean {
  if (node.op.name === 'broadcastInDim') return isZero(node.operands[0]!);
  return splatOf(node) === 0;
}
