// The sweep that all rewriting passes share. In: a graph and a function that says what stands in place of each node, given
// its operands already rewritten. Out: the new graph, or the very same object when nothing changed, so that passes can
// be repeated until they rest. Invariants: types stay; new nodes carry scope and location of the node that they replace,
// and the last of them its name.

import { named } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import { makeGraph, withOperands } from '../graph/graph.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { absoluteScope, atLocation } from '../graph/scope.ts';
import { formatType, sameType } from '../graph/types.ts';

/** Returns the node itself to leave it. The node's operands are rewritten already. */
export type Rewrite = (node: Node) => Node;

/**
 * `mayChange`: which nodes, with their operands rewritten, `rewrite` does not leave for sure; default: all. `settled`: nodes
 * that `rewrite`, which looks at nothing but the node and what is above it, is known to leave; those that it leaves are added.
 */
export function rewriteNodes(
  graph: Graph,
  rewrite: Rewrite,
  mayChange: (node: Node) => boolean = () => true,
  settled: Set<Node> = new Set(),
): Graph {
  const map = new Map<Node, Node>();
  const known = new Set<Node>();
  let changed = false;
  for (const old of graph.nodes) {
    const node = old.operands.every((o) => map.get(o) === o)
      ? old
      : withOperands(
          old,
          old.operands.map((o) => map.get(o)!),
        );
    if (settled.has(node) || !mayChange(node)) {
      map.set(old, node);
      known.add(node);
      changed ||= node !== old;
      continue;
    }
    const made = absoluteScope(old.scope, () => atLocation(old.loc, () => rewrite(node)));
    if (made === node) settled.add(node);
    if (!sameType(made.type, old.type)) {
      throw compilerError('HDL0099', {
        what: `internal: ${describeNode(old)} was rewritten to ${describeNode(made)}`,
        rule: `its type ${formatType(old.type)} must stay`,
        loc: old.loc,
      });
    }
    const isFresh = made !== node && !known.has(made);
    const result = isFresh && made.name === null && old.name !== null ? named(made, old.name) : made;
    map.set(old, result);
    known.add(result);
    changed ||= result !== old;
  }
  if (!changed) return graph;
  return makeGraph(graph.name, {
    inputs: graph.inputs.map((n) => map.get(n)!),
    outputs: graph.outputs.map((o) => ({ name: o.name, node: map.get(o.node)! })),
    updates: graph.updates.map((u) => ({ variable: map.get(u.variable)!, value: map.get(u.value)! })),
  });
}

/** An attribute that the type rule has checked to be a list of integers. */
export function integers(node: Node, name: string): readonly number[] {
  return node.attrs[name] as readonly number[];
}

/** The number that all elements of a constant are equal to, in its own precision; null for anything else. 0 is not −0. */
export function splatOf(node: Node): number | null {
  if (node.op.name !== 'constant') return null;
  const value = node.attrs['value'];
  if (typeof value === 'number') return value;
  if (!Array.isArray(value)) return null;
  const [first, ...rest] = value as number[];
  return first !== undefined && rest.every((v) => Object.is(v, first)) ? first : null;
}
