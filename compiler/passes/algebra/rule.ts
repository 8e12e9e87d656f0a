// What a rule of the algebra pass is, and the function that applies a table of them.

import type { Graph, Node } from '../../graph/ir.ts';
import { rewriteNodes } from '../rewrite.ts';

export interface Rule {
  /** Unique in the table; what a viewer shows. */
  readonly name: string;
  /** The identity, as a formula. */
  readonly formula: string;
  /** Names of the ops whose nodes the rule looks at. */
  readonly ops: readonly string[];
  /** What stands for the node, or null when the rule does not fit. Must make progress: no rule undoes another. */
  readonly apply: (node: Node) => Node | null;
}

/** One application of a rule. */
export interface RuleStep {
  readonly rule: string;
  readonly before: Node;
  readonly after: Node;
}

/**
 * Applies the first rule that fits to each node, operands first, until none fits. Returns the same graph if none did.
 * `settled`: nodes that none of these rules fits; those that are found are added.
 */
export function applyRules(
  graph: Graph,
  rules: readonly Rule[],
  onStep?: (step: RuleStep) => void,
  settled?: Set<Node>,
): Graph {
  const byOp = new Map<string, Rule[]>();
  for (const r of rules) {
    for (const op of r.ops) {
      const known = byOp.get(op);
      if (known) known.push(r);
      else byOp.set(op, [r]);
    }
  }
  const step = (node: Node): Node | null => {
    for (const rule of byOp.get(node.op.name) ?? []) {
      const after = rule.apply(node);
      if (after === null) continue;
      onStep?.({ rule: rule.name, before: node, after });
      return after;
    }
    return null;
  };
  const settle = (node: Node): Node => {
    let current = node;
    for (let next = step(current); next !== null; next = step(current)) current = next;
    return current;
  };
  return rewriteNodes(graph, settle, (node) => byOp.has(node.op.name), settled);
}
