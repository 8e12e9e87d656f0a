// Common subexpressions: nodes that compute the same from the same become one. Equality is that of op records, operands,
// attributes, types and large constants (by content hash); nodes are numbered in graph order, so that operands have
// their numbers before their users, and one sweep finds all. Bits do not change.

import { formatAttr } from '../graph/build.ts';
import { rewriteGraph, withOperands } from '../graph/graph.ts';
import type { Attrs, Graph, Node, OpDef } from '../graph/ir.ts';
import { formatType } from '../graph/types.ts';
import type { GraphPass } from './manager.ts';

/** Leaves with an identity of their own: two inputs of one type are two values. */
const unique: ReadonlySet<string> = new Set(['input', 'variable']);

/** Ops that give the same bits for swapped operands. Not min and max: of 0 and −0 they may keep either. */
const commutative: ReadonlySet<string> = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne']);

export const mergeCommonSubexpressions: GraphPass = {
  name: 'cse',
  doc: 'Merges nodes that compute the same value.',
  run(graph) {
    const { numbers, count } = numberValues(graph);
    if (count === graph.nodes.length) return graph;
    const labels = new Array<Node | undefined>(count);
    for (const n of graph.nodes) {
      const number = numbers.get(n)!;
      const label = labels[number];
      if (label === undefined || (label.name === null && n.name !== null)) labels[number] = n;
    }
    const merged = new Array<Node | undefined>(count);
    return rewriteGraph(graph, (node, operands) => {
      const number = numbers.get(node)!;
      merged[number] ??= relabel(withOperands(node, operands), labels[number]!);
      return merged[number];
    });
  },
};

/** Equal values get equal numbers. */
function numberValues(graph: Graph): { numbers: ReadonlyMap<Node, number>; count: number } {
  const numbers = new Map<Node, number>();
  const seen = new Map<string, number>();
  const identities = new Map<object, number>();
  const identity = (x: OpDef | Graph | Node): number => {
    const known = identities.get(x);
    if (known !== undefined) return known;
    identities.set(x, identities.size);
    return identities.size - 1;
  };
  /** Numbers of the operands; where their order does not matter, the smaller one first. */
  const operandsKey = ({ op, operands }: Node): string => {
    if (commutative.has(op.name) && operands.length === 2) {
      const a = numbers.get(operands[0]!)!;
      const b = numbers.get(operands[1]!)!;
      return a <= b ? `${a},${b}` : `${b},${a}`;
    }
    let text = '';
    for (let i = 0; i < operands.length; i++) text += `${numbers.get(operands[i]!)!},`;
    return text;
  };
  for (const n of graph.nodes) {
    const rest = n.regions.length === 0 ? '' : n.regions.map(identity).join(',');
    const key = unique.has(n.op.name)
      ? `#${identity(n)}`
      : `${identity(n.op)}|${operandsKey(n)}|${attrsKey(n.attrs)}|${formatType(n.type)}|${n.payload?.hash ?? ''}|${rest}`;
    const number = seen.get(key) ?? seen.size;
    seen.set(key, number);
    numbers.set(n, number);
  }
  return { numbers, count: seen.size };
}

/** The same for equal attributes, in whatever order they were written. */
function attrsKey(attrs: Attrs): string {
  const keys = Object.keys(attrs);
  if (keys.length > 1) keys.sort();
  let text = '';
  for (let i = 0; i < keys.length; i++) text += `${keys[i]}=${formatAttr(attrs[keys[i]!]!)},`;
  return text;
}

/** The node as the user called it: labels of the first node of its class that has a name, else of the first. */
function relabel(node: Node, label: Node): Node {
  if (node.name === label.name && node.scope === label.scope) return node;
  return Object.freeze({ ...node, name: label.name, scope: label.scope, loc: label.loc });
}
