// What is the same in every iteration is computed once, before the loop. Views stay inside, where they cost nothing, and so do
// values of constants alone that the passes fold there.

import { withOperands } from '../../graph/graph.ts';
import type { Node } from '../../graph/ir.ts';
import { input } from '../../ops/leaf.ts';
import type { GraphPass } from '../manager.ts';
import { applyDrafts, bodyNodes, draftLoops, type LoopDraft } from './draft.ts';

export const hoistFromLoops: GraphPass = {
  name: 'hoist',
  doc: 'Computes before a loop what is the same in all of its iterations.',
  run(graph) {
    const drafts = draftLoops(graph);
    const isChanged = drafts.map(hoist).some((c) => c);
    return isChanged ? applyDrafts(graph, drafts) : graph;
  },
};

/** Views of shape alone: their readers read what they show. */
export function isView(n: Node): boolean {
  return n.op.family === 'shape' && n.op.name !== 'concat' && n.op.name !== 'pad';
}

function hoist(draft: LoopDraft): boolean {
  const around = new Map<Node, Node>(draft.captured.map(({ input: own, from }) => [own, from]));
  const moved = new Map<Node, Node>();
  /** The value before the loop that equals one in it, for those that are the same in all iterations. */
  const same = new Map<Node, Node>();
  const nodes = bodyNodes(draft);
  for (const n of nodes) {
    const from = around.get(n);
    if (from !== undefined) same.set(n, from);
    else if (n.op.name === 'constant' || n.op.name === 'iota') same.set(n, n);
    else if (n.operands.length > 0 && n.operands.every((o) => same.has(o)))
      same.set(
        n,
        withOperands(
          n,
          n.operands.map((o) => same.get(o)!),
        ),
      );
  }
  const read = new Set<Node>();
  const move = (n: Node): void => {
    if (!same.has(n) || n.operands.length === 0 || read.has(n)) return;
    read.add(n);
    if (isView(n)) {
      for (const o of n.operands) move(o);
      return;
    }
    const own = input(`hoisted${moved.size}`, n.type.shape, n.type.dtype) as Node;
    moved.set(n, own);
    draft.instead.set(n, own);
    draft.captured.push({ from: same.get(n)!, input: own });
  };
  for (const n of nodes) if (!same.has(n)) n.operands.forEach(move);
  for (const n of [...draft.carries.map((c) => c.next), ...draft.outputs]) move(n);
  return moved.size > 0;
}
