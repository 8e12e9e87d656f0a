// A Graph: a closed, ordered set of nodes with named inputs, outputs and variable updates. Nodes are in a valid order
// (operands first) and are numbered densely; the order is a function of the roots alone, so the same program always
// yields the same graph. Building one is iterative: a chain of 20,000 nodes overflows no stack.

import { remembered } from '../remembered.ts';
import { describeNode } from './describe.ts';
import { compilerError } from './errors.ts';
import type { Graph, GraphOutput, GraphUpdate, Node } from './ir.ts';
import { topologicalOrder } from './order.ts';

/**
 * Collects the nodes under the roots and orders them. Throws HDL0007 with the path when the operands form a cycle
 * (possible only in a graph that was loaded or built by hand).
 */
export function makeGraph(
  name: string,
  roots: {
    readonly inputs?: readonly Node[];
    readonly outputs: readonly GraphOutput[];
    readonly updates?: readonly GraphUpdate[];
  },
): Graph {
  const inputs = roots.inputs ?? [];
  const updates = roots.updates ?? [];
  const nodes = topologicalOrder([
    ...inputs,
    ...roots.outputs.map((o) => o.node),
    ...updates.flatMap((u) => [u.variable, u.value]),
  ]);
  const index = new Map<Node, number>();
  const found: Node[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const n = nodes[i]!;
    index.set(n, i);
    if (n.op.name === 'input') found.push(n);
  }
  const declared = inputs.length > 0 ? inputs : found;
  for (const n of found) {
    if (!declared.includes(n)) {
      throw compilerError('HDL0008', {
        what: `graph '${name}' reads ${describeNode(n)}, which is not one of its inputs`,
        rule: 'every input that a graph reads must be declared',
        hint: `declared inputs: ${declared.map((d) => d.name ?? '?').join(', ') || 'none'}`,
        loc: n.loc,
      });
    }
  }
  return { name, nodes, inputs: declared, outputs: [...roots.outputs], updates: [...updates], index };
}

/** The variables that the graph reads or updates, in order of first appearance. */
export function graphVariables(graph: Graph): readonly Node[] {
  return graph.nodes.filter((n) => n.op.name === 'variable');
}

/** For each node, the nodes that read it (once per read, in order). */
export const usersOf: (graph: Graph) => ReadonlyMap<Node, readonly Node[]> = remembered((graph) => {
  const users = new Map<Node, Node[]>();
  for (const n of graph.nodes) users.set(n, []);
  for (const n of graph.nodes) for (const o of n.operands) users.get(o)!.push(n);
  return users;
});

/**
 * Rebuilds a graph bottom-up. `visit` gets each node with its operands already rewritten and returns the node to use
 * in its place; returning a node with the same op, operands and attributes keeps the identity (see `withOperands`).
 */
export function rewriteGraph(graph: Graph, visit: (node: Node, operands: readonly Node[]) => Node): Graph {
  const map = new Map<Node, Node>();
  for (const n of graph.nodes)
    map.set(
      n,
      visit(
        n,
        n.operands.map((o) => map.get(o)!),
      ),
    );
  return makeGraph(graph.name, {
    inputs: graph.inputs.map((n) => map.get(n)!),
    outputs: graph.outputs.map((o) => ({ name: o.name, node: map.get(o.node)! })),
    updates: graph.updates.map((u) => ({ variable: map.get(u.variable)!, value: map.get(u.value)! })),
  });
}

/** The same node over other operands; the very same object when nothing changed. */
export function withOperands(node: Node, operands: readonly Node[]): Node {
  if (operands.every((o, i) => o === node.operands[i])) return node;
  return { ...node, operands: [...operands] };
}
