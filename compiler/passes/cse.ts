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
  run: (graph) => merge(graph, new ValueNumbers()),
};

/** The pass for one compilation, which runs it again and again: a node gets its number once. */
export function repeatedMerging(): GraphPass {
  const values = new ValueNumbers();
  return { ...mergeCommonSubexpressions, run: (graph) => merge(graph, values) };
}

function merge(graph: Graph, values: ValueNumbers): Graph {
  /** For each value the node whose labels it keeps. */
  const labels = new Map<number, Node>();
  for (const n of graph.nodes) {
    const number = values.add(n);
    const label = labels.get(number);
    if (label === undefined || (label.name === null && n.name !== null)) labels.set(number, n);
  }
  if (labels.size === graph.nodes.length) return graph;
  const merged = new Map<number, Node>();
  return rewriteGraph(graph, (node, operands) => {
    const number = values.of(node);
    let result = merged.get(number);
    if (result === undefined) {
      result = relabel(withOperands(node, operands), labels.get(number)!);
      merged.set(number, result);
    }
    return result;
  });
}

/** Numbers of values, of one graph or of several. */
export class ValueNumbers {
  readonly #numbers = new Map<Node, number>();
  readonly #seen = new Map<string, number>();
  readonly #identities = new Map<object, number>();
  readonly #texts = new Map<Attrs, string>();

  of(node: Node): number {
    return this.#numbers.get(node)!;
  }

  /** The number of a node whose operands have theirs. */
  add(n: Node): number {
    const known = this.#numbers.get(n);
    if (known !== undefined) return known;
    const rest = n.regions.length === 0 ? '' : n.regions.map((r) => this.#identity(r)).join(',');
    const key = unique.has(n.op.name)
      ? `#${this.#identity(n)}`
      : `${this.#identity(n.op)}|${this.#operandsKey(n)}|${this.#textOf(n.attrs)}|${formatType(n.type)}|${n.payload?.hash ?? ''}|${rest}`;
    const number = this.#seen.get(key) ?? this.#seen.size;
    this.#seen.set(key, number);
    this.#numbers.set(n, number);
    return number;
  }

  /** Gives a node the number of another. */
  same(node: Node, as: Node): void {
    this.#numbers.set(node, this.of(as));
  }

  #identity(x: OpDef | Graph | Node): number {
    const known = this.#identities.get(x);
    if (known !== undefined) return known;
    this.#identities.set(x, this.#identities.size);
    return this.#identities.size - 1;
  }

  #textOf(attrs: Attrs): string {
    const known = this.#texts.get(attrs);
    if (known !== undefined) return known;
    const text = attrsKey(attrs);
    this.#texts.set(attrs, text);
    return text;
  }

  /** Numbers of the operands; where their order does not matter, the smaller one first. */
  #operandsKey({ op, operands }: Node): string {
    if (commutative.has(op.name) && operands.length === 2) {
      const a = this.of(operands[0]!);
      const b = this.of(operands[1]!);
      return a <= b ? `${a},${b}` : `${b},${a}`;
    }
    let text = '';
    for (let i = 0; i < operands.length; i++) text += `${this.of(operands[i]!)},`;
    return text;
  }
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
