// What a loop of a gradient computes again of the loop that it is the gradient of, and which is dear, that loop gives as an
// output instead. Cheap arithmetic is done again where that takes no more bytes than to keep its result.
//
//   forward   z = x + h · u     i = σ(z)     h' = i · …            gives h before each step; and now i
//   backward  z, i again from h, x, u; then dh, du                 reads i; z is gone
//
// A value of the backward body equals one of the forward body when both are computed alike from the same rows of the same
// sequences, the same captured values, and what the forward loop gives of itself. Behind a barrier (checkpoint.ts) nothing
// is alike, so that is computed again.

import type { Node } from '../../graph/ir.ts';
import { elementCount } from '../../graph/types.ts';
import { input } from '../../ops/leaf.ts';
import { ValueNumbers } from '../cse.ts';
import type { GraphPass } from '../manager.ts';
import { applyDrafts, bodyNodes, draftLoops, isOutputOf, type LoopDraft } from './draft.ts';
import { isView } from './hoist.ts';

export const keepResiduals: GraphPass = {
  name: 'keep-residuals',
  doc: 'Lets loops give what the loops of their gradients would compute again.',
  run(graph) {
    const drafts = draftLoops(graph);
    let isChanged = false;
    drafts.forEach((loop, i) => {
      for (const before of drafts.slice(0, i)) {
        if (before.length === loop.length && readsFrom(loop, before))
          isChanged = keepFor(loop, before) || isChanged;
      }
    });
    return isChanged ? applyDrafts(graph, drafts) : graph;
  },
};

function readsFrom(loop: LoopDraft, before: LoopDraft): boolean {
  return loop.rows.some(({ from }) => (isOutputOf(from) ? from.loop === before : before.results.has(from)));
}

/** Arithmetic that costs about as much as reading what it gives. */
const cheap: ReadonlySet<string> = new Set([
  'add', 'sub', 'mul', 'neg', 'abs', 'sign', 'maximum', 'minimum', 'select', 'and', 'or', 'xor', 'not',
  'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'constant', 'iota',
]); // biome-ignore format: a list

function keepFor(loop: LoopDraft, before: LoopDraft): boolean {
  const numbers = new ValueNumbers();
  const given = new Map<number, Node>();
  for (const n of bodyNodes(before)) {
    const number = numbers.add(n);
    if (!given.has(number)) given.set(number, n);
  }
  for (const { from, input: row } of loop.rows) {
    const like = rowOf(before, from);
    if (like !== null) numbers.same(row, like);
  }
  for (const { from, input: own } of loop.captured) {
    const like = before.captured.find((c) => c.from === from);
    if (like) numbers.same(own, like.input);
  }
  const nodes = bodyNodes(loop);
  for (const n of nodes) numbers.add(n);
  const isInput = (n: Node): boolean => n.op.name === 'input';
  const isKnown = (n: Node): boolean => given.has(numbers.of(n)) && !isInput(n) && !loop.instead.has(n);
  const wanted = new Set([
    ...nodes.filter((n) => !isKnown(n)).flatMap((n) => n.operands),
    ...loop.carries.map((c) => c.next),
    ...loop.outputs,
  ]);
  const rows = new Set(loop.rows.map((r) => r.input));
  /** What the body reads from memory in any case. */
  const read = new Set([...loop.instead.keys(), ...[...wanted].filter((n) => rows.has(n))]);
  const isCheap = (n: Node): boolean => isView(n) || cheap.has(n.op.name);
  const kept: Node[] = [];
  const keep = (n: Node): void => {
    read.add(n);
    kept.push(n);
  };
  /** Bytes to be read, and kept for that long, to have a value: those of what it is computed from, or its own. */
  const prices = new Map<Node, number>();
  const priceOf = (n: Node): number => {
    const known = prices.get(n);
    if (known !== undefined) return known;
    let price = 0;
    if (read.has(n)) price = 0;
    else if (isInput(n)) price = rows.has(n) ? bytesOf(n) : 0;
    else {
      const parts = isCheap(n)
        ? n.operands.reduce((sum, o) => sum + priceOf(o), 0)
        : Number.POSITIVE_INFINITY;
      price = isView(n) ? parts : Math.min(parts, bytesOf(n));
    }
    prices.set(n, price);
    return price;
  };
  const provide = (n: Node): void => {
    if (read.has(n)) return;
    prices.clear();
    const isComputed =
      isCheap(n) && (isView(n) || n.operands.reduce((sum, o) => sum + priceOf(o), 0) <= bytesOf(n));
    if (isInput(n)) read.add(n);
    else if (isComputed) n.operands.forEach(provide);
    else keep(n);
  };
  const frontier = [...wanted].filter(isKnown);
  for (const n of frontier) if (!isCheap(n)) keep(n);
  for (const n of frontier) if (isCheap(n)) provide(n);
  for (const n of kept) {
    const node = given.get(numbers.of(n))!;
    if (!before.outputs.includes(node)) before.outputs.push(node);
    const own = input(`kept${loop.rows.length}`, n.type.shape, n.type.dtype) as Node;
    loop.rows.push({ from: { loop: before, node }, input: own });
    loop.instead.set(n, own);
  }
  return kept.length > 0;
}

function bytesOf({ type }: Node): number {
  return elementCount(type.shape) * (type.dtype === 'bool' || type.dtype === 'u8' ? 1 : 4);
}

/** The value in a body that is the row of what another loop reads at the same place; null for none. */
function rowOf(before: LoopDraft, from: LoopDraft['rows'][number]['from']): Node | null {
  if (isOutputOf(from)) return from.loop === before ? from.node : null;
  const result = before.results.get(from);
  if (result !== undefined) return 'next' in result ? null : result;
  return before.rows.find((r) => r.from === from)?.input ?? null;
}
