// What tests of passes share: graphs from nodes, dumps as text, and the promise that all passes make: the same values.

import { makeGraph } from '../../compiler/graph/graph.ts';
import { type Bindings, interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, HostTensor, Node } from '../../compiler/graph/ir.ts';
import { printGraph } from '../../compiler/graph/print.ts';

/** A graph with outputs `y0`, `y1`, … */
export function graphOf(...nodes: readonly Node[]): Graph {
  return makeGraph('g', { outputs: nodes.map((node, i) => ({ name: `y${i}`, node })) });
}

/** The nodes of a graph, one per line, without locations and labels: what a pass made of it. */
export function show(graph: Graph): string {
  return printGraph(graph, { locations: false })
    .split('\n')
    .slice(1, -2)
    .map((line) =>
      line
        .trim()
        .replace(/ +/g, ' ')
        .replace(/ [@].*$/, ''),
    )
    .join('\n');
}

export interface Mismatch {
  readonly output: string;
  readonly element: number;
  readonly before: number;
  readonly after: number;
}

/**
 * The elements in which two graphs differ by more than `tolerance` (relative, absolute near zero), for the same bindings.
 * A tolerance of 0 asks for the same bits, up to the payload of NaN.
 */
export function mismatches(
  before: Graph,
  after: Graph,
  bindings: Bindings,
  tolerance: number,
  mode: 'f64' | 'f32' = 'f64',
): Mismatch[] {
  const [a, b] = [before, after].map((g) => interpretGraph(g, bindings, { mode })) as [
    ReturnType<typeof interpretGraph>,
    ReturnType<typeof interpretGraph>,
  ];
  const found: Mismatch[] = [];
  const compare = (output: string, x: HostTensor, y: HostTensor): void => {
    x.data.forEach((v, element) => {
      const w = y.data[element]!;
      const close = Object.is(v, w) || Math.abs(v - w) <= tolerance * Math.max(1, Math.abs(v));
      if (!close) found.push({ output, element, before: v, after: w });
    });
  };
  for (const [name, x] of Object.entries(a.outputs)) compare(name, x, b.outputs[name]!);
  for (const [name, x] of Object.entries(a.updates)) compare(`update ${name}`, x, b.updates[name]!);
  return found;
}
