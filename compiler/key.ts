// The key of a compilation: equal keys, equal plans, byte for byte, in this process and in others. It is the hash of all
// that a plan is a function of: the graph's text, in which large constants stand by the hash of their elements, the
// options, and the version of the compiler. Of locations it has those alone that get into a plan, because errors of a run
// name them: a program may move in its file, or be called from elsewhere.

import { planFormat } from '../runtime/plan.ts';
import { sha256 } from '../runtime/sha256.ts';
import { type CompileOptions, planOptions } from './compile.ts';
import type { Graph, Node } from './graph/ir.ts';
import { printGraph } from './graph/print.ts';
import { checksFamily } from './ops/check.ts';
import { registry } from './ops/registry.ts';
import { compilerVersion } from './version.ts';

export { compilerVersion } from './version.ts';

/**
 * 64 hexadecimal digits, or null for a graph that has no key: it applies an op that is not one of Heddle's own, and what
 * such an op does is not in the text. Throws HDL0003 as `compileGraph` does.
 *
 *   compilationKey(graph, { workers: [1, 2] }) === compilationKey(graph, { workers: [2, 1] }) // true
 */
export function compilationKey(graph: Graph, options: CompileOptions = {}): string | null {
  if (!isOurs(graph)) return null;
  const text = new TextEncoder().encode(compilationText(graph, options));
  return Array.from(sha256(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What the key is the hash of; large constants stand in it by their own hashes. Throws HDL0003. */
export function compilationText(graph: Graph, options: CompileOptions = {}): string {
  const plain = planOptions(options);
  const locations = (node: Node): boolean => plain.checkNumerics || node.op.family === checksFamily;
  // In an order that does not depend on how they were given.
  const given = Object.entries(plain).filter(([, value]) => value !== undefined);
  const head = Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ version: compilerVersion, planFormat, ...head })}\n${printGraph(graph, { locations })}`;
}

function isOurs(graph: Graph): boolean {
  return graph.nodes.every((n) => registry.get(n.op.name) === n.op && n.regions.every(isOurs));
}
