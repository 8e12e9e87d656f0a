// Stable names of a graph's nodes: scope and the user's name, or scope and op, and a number where several would be called
// the same. Numbers such as %12 change with every node that is added before; these names seldom do.

import type { Graph, Node } from '../graph/ir.ts';

/**
 * A name for each node, unique within the graph: `stem/conv2d/convolution`, `stem/relu/maximum#2`.
 *
 *   nodeNames(graph).get(node)
 */
export function nodeNames(graph: Graph): ReadonlyMap<Node, string> {
  const names = new Map<Node, string>();
  const taken = new Map<string, number>();
  for (const n of graph.nodes) {
    const base = baseName(n);
    const count = (taken.get(base) ?? 0) + 1;
    taken.set(base, count);
    let name = count === 1 ? base : `${base}#${count}`;
    // A user's own name may look like one of ours.
    while (count > 1 && taken.has(name)) name += "'";
    if (name !== base) taken.set(name, 1);
    names.set(n, name);
  }
  return names;
}

/** Leaves have the user's whole path as their name already. */
function baseName({ name, scope, op }: Node): string {
  const last = name ?? op.name;
  return scope === '' || last.startsWith(`${scope}/`) ? last : `${scope}/${last}`;
}
