// What people and tools ask of a graph: components, reachability, neighbourhoods, the nodes of a cycle. The questions go
// through graphlib's data structure, so that other tools can take it from there. Its algorithms are another matter:
// `components`, `tarjan`, `findCycles`, `topsort` and the traversals recurse once per node of a path and overflow the
// stack from about 3,000 nodes, at random; so the walk here is our own, over graphlib's neighbour lists.

import { Graph as Graphlib } from 'graphlib';
import type { Graph, Node } from './ir.ts';
import { formatType } from './types.ts';

/** What graphlib's node labels hold. */
export interface GraphlibNode {
  readonly op: string;
  readonly type: string;
  readonly name: string | null;
  readonly scope: string;
}

export type GraphlibGraph = Graphlib<string, GraphlibNode, null>;

/** Which way to go from a node. */
type Direction = 'predecessors' | 'successors' | 'neighbors';

/**
 * The graph for graphlib and its relatives: a directed multigraph with an edge per read, from operand to reader, named
 * by the operand's position (`mul(x, x)` has two edges). Node 12 has the id `n12`, since ids that look like integers
 * would lose their order.
 */
export function toGraphlib(graph: Graph): GraphlibGraph {
  const g: GraphlibGraph = new Graphlib<string, GraphlibNode, null>({ directed: true, multigraph: true });
  g.setGraph(graph.name);
  const ids = new Map<Node, string>();
  graph.nodes.forEach((n, i) => {
    ids.set(n, nodeId(i));
    g.setNode(nodeId(i), { op: n.op.name, type: formatType(n.type), name: n.name, scope: n.scope });
  });
  for (const n of graph.nodes) {
    n.operands.forEach((o, position) => {
      g.setEdge(ids.get(o)!, ids.get(n)!, null, String(position));
    });
  }
  return g;
}

/**
 * The parts of the graph that share no value (an input that nothing reads is a part of its own): each part's nodes in
 * graph order, parts in the order of their first nodes.
 */
export function connectedComponents(graph: Graph): Node[][] {
  const g = toGraphlib(graph);
  const component = new Map<string, Node[]>();
  const components: Node[][] = [];
  graph.nodes.forEach((node, i) => {
    let members = component.get(nodeId(i));
    if (members === undefined) {
      members = [];
      components.push(members);
      for (const id of reach(g, nodeId(i), 'neighbors').keys()) component.set(id, members);
    }
    members.push(node);
  });
  return components;
}

/** The nodes that `node` depends on, directly or not, in graph order; without the node itself. */
export function ancestors(graph: Graph, node: Node): Node[] {
  return around(graph, node, 'predecessors');
}

/** The nodes that depend on `node`, directly or not, in graph order; without the node itself. */
export function descendants(graph: Graph, node: Node): Node[] {
  return around(graph, node, 'successors');
}

/** The nodes at most `radius` reads away, in either direction, in graph order; with the node itself. */
export function neighbourhood(graph: Graph, node: Node, radius: number): Node[] {
  return nodesOf(graph, reach(toGraphlib(graph), idOf(graph, node), 'neighbors', radius));
}

/**
 * The records that lie on a cycle with record `member`, ascending, where `operands[i]` lists the records that i reads:
 * its strongly connected component. Empty when the record is on no cycle.
 *
 *   cyclicComponent([[1], [0], [1]], 0) // [0, 1]
 */
export function cyclicComponent(operands: readonly (readonly number[])[], member: number): number[] {
  const g = new Graphlib<string, null, null>({ directed: true });
  operands.forEach((list, reader) => {
    g.setNode(nodeId(reader), null);
    for (const o of list) g.setEdge(nodeId(o), nodeId(reader), null);
  });
  const before = reach(g, nodeId(member), 'predecessors');
  const after = reach(g, nodeId(member), 'successors');
  const both = [...operands.keys()].filter((i) => before.has(nodeId(i)) && after.has(nodeId(i)));
  return both.length > 1 || operands[member]?.includes(member) ? both : [];
}

function nodeId(index: number): string {
  return `n${index}`;
}

function idOf(graph: Graph, node: Node): string {
  const i = graph.index.get(node);
  if (i === undefined) throw new RangeError(`the node is not in graph '${graph.name}'`);
  return nodeId(i);
}

function nodesOf(graph: Graph, ids: ReadonlyMap<string, number>): Node[] {
  return graph.nodes.filter((_, i) => ids.has(nodeId(i)));
}

function around(graph: Graph, node: Node, direction: Direction): Node[] {
  const found = reach(toGraphlib(graph), idOf(graph, node), direction);
  return nodesOf(graph, found).filter((n) => n !== node);
}

/** Breadth first: the ids within `radius` steps of `start`, with their distance. */
function reach<N>(
  g: Graphlib<string, N, null>,
  start: string,
  direction: Direction,
  radius: number = Number.POSITIVE_INFINITY,
): Map<string, number> {
  const distance = new Map([[start, 0]]);
  // A Map iterates over entries that are added on the way, so it is the queue as well.
  for (const [id, steps] of distance) {
    if (steps >= radius) continue;
    for (const other of g[direction](id) ?? []) {
      if (!distance.has(other)) distance.set(other, steps + 1);
    }
  }
  return distance;
}
