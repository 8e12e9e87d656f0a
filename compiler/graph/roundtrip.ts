// The promise that text loses nothing: what a graph prints as reads back as an equal graph. Checked wherever graphs are
// verified between passes.

import { equalGraphs } from './equal.ts';
import { compilerError } from './errors.ts';
import type { Graph, OpDef, Payload } from './ir.ts';
import { parseGraph } from './parse.ts';
import { printGraph } from './print.ts';

/** Throws HDL0099 when the graph's text does not read back as an equal graph with the same text. */
export function checkRoundTrip(graph: Graph): void {
  const ops = new Map<string, OpDef>();
  const payloads = new Map<string, Payload>();
  const collect = (g: Graph): void => {
    for (const n of g.nodes) {
      ops.set(n.op.name, n.op);
      if (n.payload) payloads.set(n.payload.hash, n.payload);
      n.regions.forEach(collect);
    }
  };
  collect(graph);
  const text = printGraph(graph);
  const back = parseGraph(text, { ops, payloads });
  if (equalGraphs(graph, back) && printGraph(back) === text) return;
  throw compilerError('HDL0099', {
    what: `internal: the text of graph '${graph.name}' does not read back as the same graph`,
    rule: 'printing and parsing lose nothing',
  });
}
