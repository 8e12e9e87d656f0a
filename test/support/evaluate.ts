// Values of nodes, by the reference interpreter: for tests of ops on a handful of numbers.

import { makeGraph } from '../../compiler/graph/graph.ts';
import { type HostValue, interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';

/** Elements of a node for the given inputs, row-major. `evaluate(add(x, 1), { x: [1, 2] })` is [2, 3]. */
export function evaluate(node: Node, inputs: Readonly<Record<string, HostValue>> = {}): number[] {
  const graph = makeGraph('test', { outputs: [{ name: 'y', node }] });
  return [...interpretGraph(graph, { inputs }).outputs['y']!.data];
}
