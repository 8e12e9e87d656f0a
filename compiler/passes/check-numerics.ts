// The check of every number that a program computes: a debugging aid. Each f32 value, forwards and backwards, goes through
// `checkFinite` under its own name, so that a run stops before it commits and names the first op, in graph order, that
// made a NaN or an infinity, instead of the loss in which it ended. Leaves and views compute nothing and are left out.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { checkFinite, checksFamily } from '../ops/check.ts';
import type { GraphPass } from './manager.ts';
import { rewriteNodes } from './rewrite.ts';

const computeNothing: ReadonlySet<string> = new Set(['leaf', 'shape', checksFamily]);

export const checkNumerics: GraphPass = {
  name: 'check-numerics',
  doc: 'Checks every computed f32 value to be finite.',
  run: (graph) => rewriteNodes(graph, check),
};

function check(node: Node): Node {
  if (node.type.dtype !== 'f32' || computeNothing.has(node.op.family)) return node;
  return checkFinite(node, { label: describeNode(node) });
}
