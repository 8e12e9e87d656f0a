// Two graphs side by side, as rows: what a person reads of a pass. Rows follow the second graph; what was removed stands
// where it was. Of long stretches without changes the ends are shown.
//
//     %0 = input …                 %0 = input …
//   - %1 = constant …
//   ~ %2 = mul(%0, %1) …           %1 = add(%0, %0) …
//   … 120 nodes unchanged

import type { Graph } from '../graph/ir.ts';
import { printGraph } from '../graph/print.ts';
import { diffGraphs, type GraphDiff } from './diff-graphs.ts';

export interface DiffRow {
  readonly kind: 'same' | 'changed' | 'removed' | 'added' | 'skipped';
  /** Lines of the texts; null where there is none. Of `skipped`: how many rows are left out, in `before`. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Unchanged rows around those that changed. */
const context = 2;

/** Rows of what changed, with some rows around them; empty for equal graphs. */
export function diffRows(a: Graph, b: Graph, diff: GraphDiff = diffGraphs(a, b)): DiffRow[] {
  const changed = new Set(diff.changed.map(([n]) => n));
  const removed = new Set(diff.removed);
  const [before, after] = [nodeLines(a), nodeLines(b)];
  const partner = new Map([...diff.pairs].map(([n, m]) => [m, n]));
  const rows: DiffRow[] = [];
  let at = 0;
  /** What was removed before its neighbour; nodes that moved up stand where they are now. */
  const removeUpTo = (end: number): void => {
    for (; at < end; at++)
      if (removed.has(at)) rows.push({ kind: 'removed', before: before[at]!, after: null });
  };
  after.forEach((line, m) => {
    const n = partner.get(m);
    if (n === undefined) {
      rows.push({ kind: 'added', before: null, after: line });
      return;
    }
    removeUpTo(n);
    rows.push({ kind: changed.has(n) ? 'changed' : 'same', before: before[n]!, after: line });
  });
  removeUpTo(before.length);
  return shorten(rows);
}

/** The rows as text, for terminals: one line for each side. */
export function diffText(a: Graph, b: Graph): string {
  const diff = diffGraphs(a, b);
  const rows = diffRows(a, b, diff);
  const lines = rows.flatMap(({ kind, before, after }) => {
    if (kind === 'skipped') return [`  … ${before} nodes unchanged`];
    if (kind === 'same') return [`  ${after}`];
    return [...(before === null ? [] : [`- ${before}`]), ...(after === null ? [] : [`+ ${after}`])];
  });
  const { added, removed, changed } = diff;
  const head = `; ${removed.length} nodes removed, ${added.length} added, ${changed.length} changed`;
  return `${[head, ...lines].join('\n')}\n`;
}

function shorten(rows: readonly DiffRow[]): DiffRow[] {
  const isNear = new Uint8Array(rows.length);
  rows.forEach(({ kind }, i) => {
    if (kind !== 'same') isNear.fill(1, Math.max(0, i - context), i + context + 1);
  });
  const shown: DiffRow[] = [];
  for (let i = 0; i < rows.length; ) {
    let end = i;
    while (end < rows.length && !isNear[end]) end++;
    if (end - i > 1) shown.push({ kind: 'skipped', before: String(end - i), after: null });
    else if (end > i) shown.push(rows[i]!);
    for (; end < rows.length && isNear[end]; end++) shown.push(rows[end]!);
    i = end;
  }
  return rows.every((r) => r.kind === 'same') ? [] : shown;
}

/** The line of each node in the graph's text, without its indentation and without that of its regions. */
function nodeLines(graph: Graph): string[] {
  return printGraph(graph, { locations: false })
    .split('\n')
    .filter((line) => /^ {2}%\d+ += /.test(line))
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' '));
}
