// Regions become plain nodes: loops are unrolled, checkpoints and functions with gradients of their own are copied in place.
// In: any graph. Out: one without regions, which is what all later passes, and lowering, work on. Each computation is
// expanded once, for all its results; regions in regions are expanded in the next round.

import type { Graph, Node } from '../graph/ir.ts';
import { isSameComputation } from '../graph/region.ts';
import type { GraphPass } from './manager.ts';
import { rewriteNodes } from './rewrite.ts';

export const expandRegions: GraphPass = {
  name: 'expand-regions',
  doc: 'Unrolls loops and copies other regions in place.',
  run(graph) {
    let current = graph;
    while (current.nodes.some((n) => n.op.region !== undefined)) current = expandOnce(current);
    return current;
  },
};

function expandOnce(graph: Graph): Graph {
  const done = new Map<Graph, { readonly node: Node; readonly results: readonly Node[] }[]>();
  return rewriteNodes(graph, (node) => {
    const rules = node.op.region;
    if (rules === undefined) return node;
    const known = done.get(node.regions[0]!) ?? [];
    done.set(node.regions[0]!, known);
    let found = known.find((k) => isSameComputation(k.node, node));
    if (found === undefined) {
      found = { node, results: rules.expand(node) };
      known.push(found);
    }
    return found.results[Number(node.attrs['result'] ?? 0)]!;
  });
}
