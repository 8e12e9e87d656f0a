// Labels: what a kernel is called in dumps and errors, in the user's words: the scope of its first root and the ops that
// it computes, most telling first.

import type { Node } from '../graph/ir.ts';
import type { Prober } from './probe.ts';

/** The values that a kernel computes on its way to the roots; `isRead` says which ones it finds in memory. */
export function contentsOf(roots: readonly Node[], isRead: (n: Node) => boolean): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const stack = roots.filter((n) => !isRead(n)).reverse();
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (seen.has(n)) continue;
    seen.add(n);
    for (const o of [...n.operands].reverse()) if (!isRead(o)) stack.push(o);
  }
  return seen;
}

/** `block1/conv1: convolution + add + maximum`; `contents` are all values that are computed (`contentsOf`). */
export function labelOf(roots: readonly Node[], contents: ReadonlySet<Node>, prober: Prober): string {
  const ops: { name: string; weight: number }[] = [];
  for (const n of contents) {
    const p = prober.probe(n);
    if (p.cost > 0 || p.reduction || p.guarded || p.looksUp)
      ops.push({ name: n.op.name, weight: p.reduction ? 2 : 1 });
  }
  const names = [
    ...new Set(
      [...ops.filter((o) => o.weight === 2), ...ops.filter((o) => o.weight === 1)].map((o) => o.name),
    ),
  ];
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const root = roots[0]!;
  const main = [...contents].find((n) => prober.probe(n).reduction) ?? root;
  return `${main.scope || root.scope || root.name || 'top'}: ${shown.join(' + ') || 'copy'}`;
}

/** How a value is called in dumps of memory: the user's name, or scope and op. */
export function valueName(n: Node): string {
  if (n.name) return n.name;
  return n.scope ? `${n.scope}/${n.op.name}` : n.op.name;
}
