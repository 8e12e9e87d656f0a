// What changed between two graphs. Nodes are paired by what they compute, then by what they are called; numbers do not
// count. In: two graphs, of one compilation (before and after a pass) or of two. Out: pairs, and what has no partner.
//
//   1. equal values    op, attributes, type and, all the way up, operands are the same: leaves by their names
//   2. equal places    of the rest, those of the same scope, name and op, in order: first of equal attributes and type,
//                      then of any
//
// A pair of the second kind has changed unless its attributes and type are equal and its operands are pairs.

import { formatAttr } from '../graph/build.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { printGraph } from '../graph/print.ts';
import { formatType } from '../graph/types.ts';

export interface GraphDiff {
  readonly removed: readonly Node[];
  readonly added: readonly Node[];
  /** Of the same place, with other attributes, another type or other operands. */
  readonly changed: readonly (readonly [before: Node, after: Node])[];
  /** From nodes of the first graph to nodes of the second, changed or not. */
  readonly pairs: ReadonlyMap<Node, Node>;
}

/** Pairs the nodes of two graphs. */
export function diffGraphs(a: Graph, b: Graph): GraphDiff {
  const pairs = new Map<Node, Node>();
  const isTaken = new Set<Node>();
  const pair = (keyOf: (n: Node) => string): void => {
    const waiting = new Map<string, Node[]>();
    for (const n of b.nodes) {
      if (isTaken.has(n)) continue;
      const key = keyOf(n);
      const list = waiting.get(key);
      if (list) list.push(n);
      else waiting.set(key, [n]);
    }
    for (const list of waiting.values()) list.reverse();
    for (const n of a.nodes) {
      if (pairs.has(n)) continue;
      const partner = waiting.get(keyOf(n))?.pop();
      if (partner === undefined) continue;
      pairs.set(n, partner);
      isTaken.add(partner);
    }
  };
  const values = valueKeys([a, b]);
  // Equal values that stand in equal places go together before equal values that do not.
  pair((n) => `${values.get(n)} ${placeOf(n)}`);
  pair((n) => `${values.get(n)}`);
  pair((n) => `${placeOf(n)} ${recordOf(n)}`);
  pair(placeOf);
  return {
    pairs,
    removed: a.nodes.filter((n) => !pairs.has(n)),
    added: b.nodes.filter((n) => !isTaken.has(n)),
    changed: a.nodes.flatMap((n) => {
      const m = pairs.get(n);
      return m !== undefined && hasChanged(n, m, pairs) ? [[n, m] as const] : [];
    }),
  };
}

function hasChanged(n: Node, m: Node, pairs: ReadonlyMap<Node, Node>): boolean {
  return (
    recordOf(n) !== recordOf(m) ||
    n.operands.length !== m.operands.length ||
    n.operands.some((o, i) => pairs.get(o) !== m.operands[i])
  );
}

function placeOf({ scope, name, op }: Node): string {
  return JSON.stringify([scope, name, op.name]);
}

/** All of a node but its operands and its place. */
function recordOf(n: Node): string {
  const attrs = Object.entries(n.attrs).map(([key, value]) => `${key}=${formatAttr(value)}`);
  const regions = n.regions.map((r) => printGraph(r, { locations: false }));
  return [n.op.name, formatType(n.type), n.payload?.hash ?? '', ...attrs.sort(), ...regions].join(' ');
}

/** A number for each value: equal for nodes that compute the same from the same leaves. */
function valueKeys(graphs: readonly Graph[]): ReadonlyMap<Node, number> {
  const known = new Map<string, number>();
  const keys = new Map<Node, number>();
  for (const { nodes } of graphs) {
    for (const n of nodes) {
      const leaf = n.operands.length === 0 ? (n.name ?? '') : '';
      const text = `${recordOf(n)} ${leaf} ${n.operands.map((o) => keys.get(o)).join(',')}`;
      const key = known.get(text) ?? known.size;
      known.set(text, key);
      keys.set(n, key);
    }
  }
  return keys;
}
