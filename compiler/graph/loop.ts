// Loops as graphs hold them: nodes of an op whose `lower` is 'loop', one for each result that is wanted. Here their parts get
// names. Operands and inputs of the region are carries, rows, captured values, in this order; results and outputs of the
// region are carries, then outputs of one row each.

import type { Graph, Node } from './ir.ts';
import { isSameComputation } from './region.ts';

/** Whether the node is a result of a loop. */
export function isLoop(node: Node): boolean {
  return node.op.lower === 'loop';
}

/** An operand and the input of the region that stands for it, or for a row of it. */
export interface LoopInput {
  readonly from: Node;
  readonly input: Node;
}

export interface Carry extends LoopInput {
  /** What the next step gets. */
  readonly next: Node;
}

export interface Loop {
  /** Those results that are wanted, in order of appearance. */
  readonly results: readonly Node[];
  readonly body: Graph;
  readonly length: number;
  /** Whether rows are counted from the last. */
  readonly reverse: boolean;
  readonly carries: readonly Carry[];
  readonly rows: readonly LoopInput[];
  readonly captured: readonly LoopInput[];
  /** What gives the rows of outputs, in the body. */
  readonly outputs: readonly Node[];
}

/** The number of a result: carries come first. */
export function resultIndex(node: Node): number {
  return Number(node.attrs['result'] ?? 0);
}

/** The loops of a graph, in order of first appearance. */
export function loopsOf(graph: Graph): Loop[] {
  const found = new Map<Graph, Node[][]>();
  const all: Node[][] = [];
  for (const n of graph.nodes) {
    if (!isLoop(n)) continue;
    const region = n.regions[0]!;
    const list = found.get(region) ?? [];
    found.set(region, list);
    const known = list.find(([first]) => isSameComputation(first!, n));
    if (known) {
      known.push(n);
      continue;
    }
    const results = [n];
    list.push(results);
    all.push(results);
  }
  return all.map(readLoop);
}

function readLoop(results: readonly Node[]): Loop {
  const { operands, regions, attrs } = results[0]!;
  const body = regions[0]!;
  const carries = Number(attrs['carries']);
  const first = carries + Number(attrs['sequences']);
  const pairs = operands.map((from, i): LoopInput => ({ from, input: body.inputs[i]! }));
  return {
    results,
    body,
    length: Number(attrs['length']),
    reverse: attrs['reverse'] === true,
    carries: pairs.slice(0, carries).map((pair, i) => ({ ...pair, next: body.outputs[i]!.node })),
    rows: pairs.slice(carries, first),
    captured: pairs.slice(first),
    outputs: body.outputs.slice(carries).map((o) => o.node),
  };
}
