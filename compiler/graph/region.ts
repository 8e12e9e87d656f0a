// Regions: graphs that a node runs. In: a function from symbolic values to symbolic values. Out: a closed graph of its own,
// and the values from outside that the function used, which become operands of the node. Invariant: a region reads
// nothing but its inputs, so it may be copied anywhere (`inlineRegion`), also into another region.

import { makeGraph, withOperands } from './graph.ts';
import type { Graph, Node } from './ir.ts';
import { topologicalOrder } from './order.ts';
import type { TensorType } from './types.ts';

/** Makes an input node; handed in, since ops stand above this file. */
export type MakeInput = (name: string, type: TensorType) => Node;

export interface Traced {
  /** Inputs: the parameters, then one for each captured value, `captured0`, …; outputs `result0`, …. */
  readonly region: Graph;
  readonly captured: readonly Node[];
}

/** Leaves that a region has for itself: they are what they are everywhere. */
const copied: ReadonlySet<string> = new Set(['constant', 'iota']);

/**
 * Runs `build` once on fresh inputs of the given names and types. What it computes from them is the region; what it only
 * reads is captured. A result that does not depend on the parameters is captured too.
 */
export function traceRegion(
  name: string,
  parameters: readonly { readonly name: string; readonly type: TensorType }[],
  build: (inputs: readonly Node[]) => readonly Node[],
  makeInput: MakeInput,
): Traced {
  const inputs = parameters.map((p) => makeInput(p.name, p.type));
  const results = build(inputs);
  const inside = new Map<Node, Node>(inputs.map((n) => [n, n]));
  const outside = new Map<Node, Node>();
  const own = (n: Node): Node => {
    const known = inside.get(n) ?? outside.get(n);
    if (known !== undefined) return known;
    const stands = copied.has(n.op.name) ? n : makeInput(`captured${outside.size}`, n.type);
    outside.set(n, stands);
    return stands;
  };
  for (const n of topologicalOrder(results)) {
    if (n.operands.some((o) => inside.has(o))) inside.set(n, withOperands(n, n.operands.map(own)));
  }
  const outputs = results.map((n, i) => ({ name: `result${i}`, node: own(n) }));
  const captured = [...outside].filter(([n, stands]) => stands !== n);
  return {
    region: makeGraph(name, { inputs: [...inputs, ...captured.map(([, stands]) => stands)], outputs }),
    captured: captured.map(([n]) => n),
  };
}

/** A copy of the region's nodes over other values, in the order of its inputs; returns its results. */
export function inlineRegion(region: Graph, values: readonly Node[]): Node[] {
  const map = new Map<Node, Node>(region.inputs.map((n, i) => [n, values[i]!]));
  for (const n of region.nodes) {
    if (map.has(n)) continue;
    map.set(
      n,
      withOperands(
        n,
        n.operands.map((o) => map.get(o)!),
      ),
    );
  }
  return region.outputs.map((o) => map.get(o.node)!);
}

/** Whether two nodes are results of one computation of an op with regions. */
export function isSameComputation(a: Node, b: Node): boolean {
  return (
    a.op === b.op &&
    sameItems(a.regions, b.regions) &&
    sameItems(a.operands, b.operands) &&
    Object.keys(a.attrs).every((k) => k === 'result' || Object.is(a.attrs[k], b.attrs[k]))
  );
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
