// One loop in place of two that take the same steps over the same values, and differ in what they give of them: the loop that
// a user wrote, and the one like it whose carries the gradient wants to know before each step.
//
// Loops count as alike when their bodies share the inputs and carry the same nodes on: bodies made from one another do.

import type { Graph, Node } from '../../graph/ir.ts';
import { applyDrafts, draftLoops, type LoopDraft, type LoopResult } from './draft.ts';

/** Makes one loop of those that take the same steps. */
export function mergeLoops(graph: Graph): Graph {
  const drafts = draftLoops(graph);
  const merged: { readonly loop: LoopDraft; readonly results: Map<Node, LoopResult> }[] = [];
  for (const draft of drafts) {
    const like = merged.find(({ loop }) => isAlike(loop, draft));
    if (like === undefined) {
      merged.push({ loop: draft, results: new Map(draft.results) });
      continue;
    }
    const { loop, results } = like;
    for (const node of draft.outputs) if (!loop.outputs.includes(node)) loop.outputs.push(node);
    for (const [r, what] of draft.results) {
      results.set(r, 'next' in what ? loop.carries.find((c) => c.input === what.input)! : what);
    }
  }
  if (merged.length === drafts.length) return graph;
  return applyDrafts(
    graph,
    merged.map(({ loop, results }) => ({ ...loop, results })),
  );
}

function isAlike(a: LoopDraft, b: LoopDraft): boolean {
  const sources = ({ carries, rows, captured }: LoopDraft): unknown[] =>
    [...carries, ...rows, ...captured].flatMap((x) => [x.from, x.input]);
  const nexts = ({ carries }: LoopDraft): unknown[] => carries.map((c) => c.next);
  return (
    a.op === b.op &&
    isSame(sources(a), sources(b)) &&
    isSame(nexts(a), nexts(b)) &&
    Object.keys(a.attrs).every((k) => k === 'result' || Object.is(a.attrs[k], b.attrs[k]))
  );
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
