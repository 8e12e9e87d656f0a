// Passes inside of loops: a pass over a graph, and over the body of each loop in it.

import type { Graph, Node } from '../../graph/ir.ts';
import { isLoop } from '../../graph/loop.ts';
import type { GraphPass } from '../manager.ts';
import { rewriteNodes } from '../rewrite.ts';

/** The pass, which also runs on the bodies of loops. */
export function insideLoops(pass: GraphPass): GraphPass {
  return { ...pass, run: (graph) => mapBodies(pass.run(graph), pass.run) };
}

/** The graph with other bodies; each is changed once, and the same object when `change` leaves them. */
export function mapBodies(graph: Graph, change: (body: Graph) => Graph): Graph {
  if (!graph.nodes.some(isLoop)) return graph;
  const bodies = new Map<Graph, Graph>();
  return rewriteNodes(
    graph,
    (node): Node => {
      const regions = node.regions.map((body) => {
        const known = bodies.get(body) ?? change(body);
        bodies.set(body, known);
        return known;
      });
      return regions.every((r, i) => r === node.regions[i]) ? node : Object.freeze({ ...node, regions });
    },
    isLoop,
  );
}
