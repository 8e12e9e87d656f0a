// Algebraic simplification: replaces values by equal ones that are cheaper. The rules are a table, each with a name and
// its formula, so that a viewer can show every step; they stand in algebra/, by what they are about. Only rewrites that
// IEEE arithmetic allows are in the table: NaN and infinities go through as before. One liberty is taken with the sign
// of zero: a sum of one number is that number, also when it is −0.

import type { Graph, Node } from '../graph/ir.ts';
import { arithmeticRules } from './algebra/arithmetic.ts';
import { logicRules } from './algebra/logic.ts';
import { applyRules, type Rule, type RuleStep } from './algebra/rule.ts';
import { viewRules } from './algebra/views.ts';
import type { GraphPass } from './manager.ts';

export const algebraRules: readonly Rule[] = [...viewRules, ...arithmeticRules, ...logicRules];

export const simplifyAlgebra: GraphPass = {
  name: 'algebra',
  doc: 'Replaces values by equal ones that are cheaper.',
  run: (graph) => simplify(graph),
};

/** The pass for one compilation, which runs it again and again: nodes that no rule fits are looked at once. */
export function repeatedAlgebra(): GraphPass {
  const settled = new Set<Node>();
  return { ...simplifyAlgebra, run: (graph) => applyRules(graph, algebraRules, undefined, settled) };
}

/** The pass as a function; `onStep` is told of every rule that is applied. */
export function simplify(graph: Graph, onStep?: (step: RuleStep) => void): Graph {
  return applyRules(graph, algebraRules, onStep);
}
