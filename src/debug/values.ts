// Values of any nodes of an entry's graph, for given feeds and the variables as they are: compiles a graph of which they are
// the outputs, and runs it once. It has no updates, so nothing changes.

import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import type { PlanTensor } from '../../runtime/plan.ts';
import type { RunInput, RunTensor } from '../../runtime/tensor.ts';
import type { Engine } from '../engine.ts';

/** An entry that is looked at: its graph for certain sizes, and what it is run with. */
export interface Subject {
  readonly engine: Engine;
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, RunInput>>;
  /** First values of variables that nothing has loaded yet. */
  readonly initial: (variable: PlanTensor) => RunInput;
}

/** The values, in the order of the nodes. Throws as a run does. */
export async function valuesOf(
  { engine, graph, inputs, initial }: Subject,
  nodes: readonly Node[],
): Promise<RunTensor[]> {
  const outputs = nodes.map((node, i) => ({ name: `v${i}`, node }));
  const debug = makeGraph(graph.name, { inputs: graph.inputs, outputs });
  const loaded = await engine.load(engine.compileUnchecked(debug), initial);
  try {
    const values = await loaded.run(inputs);
    return outputs.map(({ name }) => values[name]!);
  } finally {
    await loaded.unload?.();
  }
}
