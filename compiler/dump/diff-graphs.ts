// What changed between two graphs. Nodes are paired by what they compute, then by what they are called; numbers do not
// count. In: two lists of nodes, of one compilation (before and after a pass) or of two. Out: pairs, and what has no partner.
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

/** What pairing asks of a node. Operands are positions in the same list, before the node itself. */
export interface DiffNode {
  /** Scope, name and op. */
  readonly place: string;
  /** All of it but its operands and its place. */
  readonly record: string;
  /** Of a node without operands, its name. */
  readonly leaf: string;
  readonly operands: readonly number[];
}

/** Positions in the two lists. */
export interface GraphDiff {
  readonly removed: readonly number[];
  readonly added: readonly number[];
  /** Of the same place, with other attributes, another type or other operands. */
  readonly changed: readonly (readonly [before: number, after: number])[];
  /** By position in the first list: the partner in the second, changed or not. */
  readonly pairs: ReadonlyMap<number, number>;
}

export function diffGraphs(a: Graph, b: Graph): GraphDiff {
  return diffNodes(diffNodesOf(a), diffNodesOf(b));
}

/** Pairs the nodes of two lists. */
export function diffNodes(a: readonly DiffNode[], b: readonly DiffNode[]): GraphDiff {
  const known = new Map<string, number>();
  const [valuesA, valuesB] = [valueKeys(a, known), valueKeys(b, known)];
  const pairs = new Map<number, number>();
  const taken = new Set<number>();
  const pair = (keyOf: (node: DiffNode, value: number) => string): void => {
    const waiting = new Map<string, number[]>();
    b.forEach((node, i) => {
      if (taken.has(i)) return;
      const key = keyOf(node, valuesB[i]!);
      const list = waiting.get(key);
      if (list) list.push(i);
      else waiting.set(key, [i]);
    });
    for (const list of waiting.values()) list.reverse();
    a.forEach((node, i) => {
      if (pairs.has(i)) return;
      const partner = waiting.get(keyOf(node, valuesA[i]!))?.pop();
      if (partner === undefined) return;
      pairs.set(i, partner);
      taken.add(partner);
    });
  };
  // Equal values that stand in equal places go together before equal values that do not.
  pair(({ place }, value) => `${value} ${place}`);
  pair((_, value) => `${value}`);
  pair(({ place, record }) => `${place} ${record}`);
  pair(({ place }) => place);
  const hasChanged = (n: DiffNode, m: DiffNode): boolean =>
    n.record !== m.record ||
    n.operands.length !== m.operands.length ||
    n.operands.some((o, i) => pairs.get(o) !== m.operands[i]);
  return {
    pairs,
    removed: [...a.keys()].filter((i) => !pairs.has(i)),
    added: [...b.keys()].filter((i) => !taken.has(i)),
    changed: [...a.keys()].flatMap((i) => {
      const partner = pairs.get(i);
      return partner !== undefined && hasChanged(a[i]!, b[partner]!) ? [[i, partner] as const] : [];
    }),
  };
}

function diffNodesOf({ nodes, index }: Graph): DiffNode[] {
  return nodes.map((n) => ({
    place: JSON.stringify([n.scope, n.name, n.op.name]),
    record: recordOf(n),
    leaf: n.operands.length === 0 ? (n.name ?? '') : '',
    operands: n.operands.map((o) => index.get(o)!),
  }));
}

function recordOf(n: Node): string {
  const attrs = Object.entries(n.attrs).map(([key, value]) => `${key}=${formatAttr(value)}`);
  const regions = n.regions.map((r) => printGraph(r, { locations: false }));
  return [n.op.name, formatType(n.type), n.payload?.hash ?? '', ...attrs.sort(), ...regions].join(' ');
}

/** A number for each value: equal for nodes that compute the same from the same leaves. */
function valueKeys(nodes: readonly DiffNode[], known: Map<string, number>): number[] {
  const keys: number[] = [];
  for (const { record, leaf, operands } of nodes) {
    const text = JSON.stringify([record, leaf, ...operands.map((o) => keys[o])]);
    const key = known.get(text) ?? known.size;
    known.set(text, key);
    keys.push(key);
  }
  return keys;
}
