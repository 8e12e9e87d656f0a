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
  /** What stands for nodes that have changed; the others stand for themselves. Most sweeps change nothing. */
  const map = new Map<Node, Node>();
  const now = (node: Node): Node => map.get(node) ?? node;
  /** Results other than nodes of the graph that stayed. */
  const made = new Set<Node>();
  const isResult = (node: Node, before: number): boolean =>
    made.has(node) || ((graph.index.get(node) ?? before) < before && !map.has(node));
  const put = (old: Node, result: Node): void => {
    map.set(old, result);
    made.add(result);
  };
  for (let i = 0; i < graph.nodes.length; i++) {
    const old = graph.nodes[i]!;
    const isAsWas = map.size === 0 || !old.operands.some((o) => map.has(o));
    const node = isAsWas ? old : withOperands(old, old.operands.map(now));
    if (settled.has(node) || !mayChange(node)) {
      if (node !== old) put(old, node);
      continue;
    }
    const found = absoluteScope(old.scope, () => atLocation(old.loc, () => rewrite(node)));
    if (found === node) settled.add(node);
    if (!sameType(found.type, old.type)) {
      throw compilerError('HDL0099', {
        what: `internal: ${describeNode(old)} was rewritten to ${describeNode(found)}`,
        rule: `its type ${formatType(old.type)} must stay`,
        loc: old.loc,
      });
    }
    const isFresh = found !== node && !isResult(found, i);
    const result = isFresh && found.name === null && old.name !== null ? named(found, old.name) : found;
    if (result !== old) put(old, result);
  }
  if (map.size === 0) return graph;
  return makeGraph(graph.name, {
    inputs: graph.inputs.map(now),
    outputs: graph.outputs.map((o) => ({ name: o.name, node: now(o.node) })),
    updates: graph.updates.map((u) => ({ variable: now(u.variable), value: now(u.value) })),
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
