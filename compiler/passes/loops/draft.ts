// Loops while passes change them: lists instead of positions, so that what is added or taken away needs no renumbering. In: a
// graph. Out: drafts of its loops, and the graph that follows from them. Values around loops are nodes of the old graph, or
// new nodes over such; a row may also be an output that another loop, before this one, is to get.

import { makeNode } from '../../graph/build.ts';
import { makeGraph, withOperands } from '../../graph/graph.ts';
import type { Attrs, Graph, Node, OpDef } from '../../graph/ir.ts';
import { type Carry, type LoopInput, loopsOf, resultIndex } from '../../graph/loop.ts';
import { topologicalOrder } from '../../graph/order.ts';
import { absoluteScope, atLocation } from '../../graph/scope.ts';

/** An output, by the node of the body that gives its rows. */
export interface OutputOf {
  readonly loop: LoopDraft;
  readonly node: Node;
}

export interface RowDraft {
  readonly from: Node | OutputOf;
  readonly input: Node;
}

/** A carry after the last step, or an output, by the node of the body that gives its rows. */
export type LoopResult = Carry | Node;

export interface LoopDraft {
  readonly op: OpDef;
  readonly name: string;
  readonly length: number;
  /** All attributes; counts and the result are made anew. */
  readonly attrs: Attrs;
  /** Nodes of the old graph, and what they are. */
  readonly results: ReadonlyMap<Node, LoopResult>;
  carries: Carry[];
  rows: RowDraft[];
  captured: LoopInput[];
  outputs: Node[];
  /** Nodes of the body that others take the place of. */
  readonly instead: Map<Node, Node>;
}

/** By the first result of each loop. */
export function draftLoops(graph: Graph): LoopDraft[] {
  return loopsOf(graph).map((loop) => {
    const [first] = loop.results as readonly [Node];
    const { carries, rows, captured, outputs, results, length, body } = loop;
    return {
      op: first.op,
      name: body.name,
      length,
      attrs: first.attrs,
      results: new Map(
        results.map((r) => [r, carries[resultIndex(r)] ?? outputs[resultIndex(r) - carries.length]!]),
      ),
      carries: [...carries],
      rows: [...rows],
      captured: [...captured],
      outputs: [...outputs],
      instead: new Map(),
    };
  });
}

export function isOutputOf(from: Node | OutputOf): from is OutputOf {
  return 'loop' in from;
}

/** All nodes of a body, as it is now. */
export function bodyNodes(loop: LoopDraft): readonly Node[] {
  return topologicalOrder([...inputsOf(loop), ...loop.carries.map((c) => c.next), ...loop.outputs]);
}

function inputsOf({ carries, rows, captured }: LoopDraft): Node[] {
  return [...carries, ...rows, ...captured].map((x) => x.input);
}

/** The graph with its loops as the drafts say. */
export function applyDrafts(graph: Graph, drafts: readonly LoopDraft[]): Graph {
  const of = new Map<Node, LoopDraft>();
  for (const draft of drafts) for (const r of draft.results.keys()) of.set(r, draft);
  const made = new Map<LoopDraft, Made>();
  const map = new Map<Node, Node>();
  const follow = (n: Node): Node => {
    const known = map.get(n);
    if (known !== undefined) return known;
    const node = withOperands(n, n.operands.map(follow));
    map.set(n, node);
    return node;
  };
  for (const n of graph.nodes) {
    const draft = of.get(n);
    if (draft === undefined) {
      follow(n);
      continue;
    }
    let loop = made.get(draft);
    if (loop === undefined) {
      loop = makeLoop(draft, n, follow, (from) => made.get(from.loop)!.output(from.node));
      made.set(draft, loop);
    }
    const what = draft.results.get(n)!;
    const node = 'next' in what ? loop.carry(what) : loop.output(what);
    map.set(n, n.name === null || node.name !== null ? node : Object.freeze({ ...node, name: n.name }));
  }
  return makeGraph(graph.name, {
    inputs: graph.inputs.map(follow),
    outputs: graph.outputs.map((o) => ({ name: o.name, node: follow(o.node) })),
    updates: graph.updates.map((u) => ({ variable: follow(u.variable), value: follow(u.value) })),
  });
}

interface Made {
  readonly carry: (carry: Carry) => Node;
  readonly output: (node: Node) => Node;
}

function makeLoop(
  draft: LoopDraft,
  first: Node,
  follow: (n: Node) => Node,
  outputOf: (from: OutputOf) => Node,
): Made {
  const { op, name, carries, rows, captured, outputs, instead } = draft;
  const inside = new Map<Node, Node>();
  const results = [...carries.map((c) => c.next), ...outputs];
  const resolve = (n: Node): Node => {
    const other = instead.get(n);
    return other === undefined ? n : resolve(other);
  };
  const visit = (n: Node): Node => inside.get(resolve(n))!;
  for (const n of orderWith(results, resolve)) inside.set(n, withOperands(n, n.operands.map(visit)));
  for (const n of inputsOf(draft)) inside.set(n, n);
  const region = makeGraph(name, {
    inputs: inputsOf(draft),
    outputs: results.map((n, i) => ({ name: `result${i}`, node: visit(n) })),
  });
  const operands = [
    ...carries.map((c) => follow(c.from)),
    ...rows.map(({ from }) => (isOutputOf(from) ? outputOf(from) : follow(from))),
    ...captured.map((c) => follow(c.from)),
  ];
  const attrs = { ...draft.attrs, carries: carries.length, sequences: rows.length };
  const nodes = new Map<number, Node>();
  const result = (index: number): Node => {
    const known = nodes.get(index);
    if (known !== undefined) return known;
    const node = absoluteScope(first.scope, () =>
      atLocation(first.loc, () => makeNode(op, operands, { ...attrs, result: index }, { regions: [region] })),
    );
    nodes.set(index, node);
    return node;
  };
  return {
    carry: (carry) => {
      const index = carries.findIndex((c) => c.input === carry.input);
      // A carry that went away never changed.
      return index < 0 ? follow(carry.from) : result(index);
    },
    output: (node) => result(carries.length + outputs.indexOf(node)),
  };
}

/** Nodes under the roots, operands first, where others stand in the place of some. */
function orderWith(roots: readonly Node[], resolve: (n: Node) => Node): Node[] {
  const done = new Set<Node>();
  const order: Node[] = [];
  const stack: { readonly node: Node; next: number }[] = [];
  const open = (n: Node): void => {
    const node = resolve(n);
    if (done.has(node)) return;
    done.add(node);
    stack.push({ node, next: 0 });
  };
  for (const root of roots) {
    open(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      if (top.next < top.node.operands.length) open(top.node.operands[top.next++]!);
      else order.push(stack.pop()!.node);
    }
  }
  return order;
}
