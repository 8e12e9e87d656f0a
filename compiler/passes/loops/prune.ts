// Loops without what nobody wants: outputs that are not read, carries that only keep themselves going, operands that the body
// does not read, operands that stand twice. A carry that never changes is a captured value; a constant belongs to the body.

import type { Graph, Node } from '../../graph/ir.ts';
import type { Carry, LoopInput } from '../../graph/loop.ts';
import { topologicalOrder } from '../../graph/order.ts';
import { full } from '../../ops/leaf.ts';
import type { GraphPass } from '../manager.ts';
import { splatOf } from '../rewrite.ts';
import { applyDrafts, draftLoops, isOutputOf, type LoopDraft } from './draft.ts';

/** A loop that needs less may let another one give less: loops before it, so each round sees one more. */
const mostRounds = 8;

export const pruneLoops: GraphPass = {
  name: 'prune-loops',
  doc: 'Takes from loops what nobody wants.',
  run(graph) {
    let current = graph;
    for (let round = 0; round < mostRounds; round++) {
      const next = pruneOnce(current);
      if (next === current) break;
      current = next;
    }
    return current;
  },
};

function pruneOnce(graph: Graph): Graph {
  const drafts = draftLoops(graph);
  let isChanged = false;
  for (const draft of drafts) {
    // Each of them runs.
    const changes = [keepConstants, dropOutputs, keepUnchanged, dropCarries, joinOperands, dropInputs].map(
      (change) => change(draft),
    );
    isChanged ||= changes.some((c) => c);
  }
  return isChanged ? applyDrafts(graph, drafts) : graph;
}

/** Whether it changed the loop. */
type Change = (draft: LoopDraft) => boolean;

const keepConstants: Change = (draft) => {
  const isConstant = (n: Node): boolean =>
    (n.op.name === 'constant' && n.payload === null) || n.op.name === 'iota';
  const rest = draft.captured.filter(({ from, input }) => {
    if (isConstant(from)) draft.instead.set(input, from);
    return !isConstant(from);
  });
  const rows = draft.rows.filter(({ from, input }) => {
    const value = isOutputOf(from) ? null : splatOf(from);
    if (value !== null) draft.instead.set(input, full(input.type.shape, value, input.type.dtype) as Node);
    return value === null;
  });
  const isLess = rest.length < draft.captured.length || rows.length < draft.rows.length;
  draft.captured = rest;
  draft.rows = rows;
  return isLess;
};

const dropOutputs: Change = (draft) => {
  const wanted = new Set<unknown>(draft.results.values());
  const rest = [...new Set(draft.outputs)].filter((n) => wanted.has(n));
  const isLess = rest.length < draft.outputs.length;
  draft.outputs = rest;
  return isLess;
};

const keepUnchanged: Change = (draft) => {
  const rest = draft.carries.filter(({ next, input }) => next !== input);
  const kept = draft.carries.filter((c) => !rest.includes(c));
  // As rows of an output it is still one: the body gives its input.
  draft.captured.push(...kept.map(({ from, input }): LoopInput => ({ from, input })));
  draft.carries = rest;
  return kept.length > 0;
};

const dropCarries: Change = (draft) => {
  const inputs = new Map(draft.carries.map((c) => [c.input, c]));
  const wanted = new Set<unknown>(draft.results.values());
  const needed = new Set<Carry>();
  const open: Node[] = [...draft.outputs];
  const need = (carry: Carry): void => {
    if (needed.has(carry)) return;
    needed.add(carry);
    open.push(carry.next);
  };
  for (const c of draft.carries) if ([...wanted].some((w) => isCarry(w, c))) need(c);
  while (open.length > 0) {
    for (const n of topologicalOrder(open.splice(0))) {
      const carry = inputs.get(n);
      if (carry) need(carry);
    }
  }
  const isLess = needed.size < draft.carries.length;
  draft.carries = draft.carries.filter((c) => needed.has(c));
  return isLess;
};

function isCarry(result: unknown, carry: Carry): boolean {
  return typeof result === 'object' && result !== null && 'input' in result && result.input === carry.input;
}

const joinOperands: Change = (draft) => {
  let isChanged = false;
  const join = <T extends { readonly from: unknown; readonly input: Node }>(list: readonly T[]): T[] =>
    list.filter((x, i) => {
      const same = list.findIndex((y) => y.from === x.from);
      if (same === i) return true;
      draft.instead.set(x.input, list[same]!.input);
      isChanged = true;
      return false;
    });
  draft.captured = join(draft.captured);
  draft.rows = join(draft.rows);
  return isChanged;
};

const dropInputs: Change = (draft) => {
  const resolve = (n: Node): Node => {
    const other = draft.instead.get(n);
    return other === undefined ? n : resolve(other);
  };
  const roots = [...draft.carries.map((c) => c.next), ...draft.outputs];
  const read = new Set(topologicalOrder(roots).map(resolve));
  const isRead = ({ input }: { readonly input: Node }): boolean => read.has(input);
  const before = draft.rows.length + draft.captured.length;
  draft.rows = draft.rows.filter(isRead);
  draft.captured = draft.captured.filter(isRead);
  return draft.rows.length + draft.captured.length < before;
};
