// How a value came to be: the tree of ops above it, in the words of the program, down to inputs and variables; with feeds,
// the numbers too. A value that is read twice is shown once.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Graph, Node, SourceLocation } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { nearestName } from '../../compiler/graph/nearest.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import type { AppliedLayer } from '../context.ts';
import { isVariable, variableName } from '../variable.ts';
import { atPlace, userTerms } from './describe.ts';
import { formatRange, type Range, rangeOf, shown } from './range.ts';
import { type Subject, valuesOf } from './values.ts';

/** Nobody reads deeper trees. */
const mostLevels = 200;

export interface ExplainOptions {
  /** Levels of operands; default 6. */
  readonly depth?: number;
}

/** A value and what it was made of. */
export interface Explained {
  /** Number in the graph, as `dump('source')` prints it. */
  readonly number: number;
  /** `log f32[4, 8] in block3/dense` */
  readonly what: string;
  readonly op: string;
  readonly loc: SourceLocation | null;
  /** Element 0 of a value of one element; null without feeds. */
  readonly value: number | null;
  /** Null without feeds. */
  readonly range: Range | null;
  /** Empty for leaves, for what is `shown` elsewhere, and below the last level. */
  readonly operands: readonly Explained[];
  /** `above`: its operands stand where it came first; `cut`: it has operands below the last level. */
  readonly rest: 'above' | 'cut' | null;
}

/** What a name means: a node itself, an output, a variable, the output of a layer, or a value with a name. Throws HDL0015. */
export function findValue(graph: Graph, layers: readonly AppliedLayer[], which: string | Node): Node {
  if (typeof which !== 'string') {
    if (graph.index.has(which)) return which;
    throw compilerError('HDL0015', {
      what: `explain of ${userTerms(which).what}`,
      rule: `it is no value of '${graph.name}' as it is built for these sizes`,
      hint: 'say its path instead: an output, a variable, a layer, or the name that it was given',
      loc: callerLocation(),
    });
  }
  const named = new Map<string, Node>();
  const add = (path: string, node: Node): void => void (named.has(path) || named.set(path, node));
  for (const { name, node } of graph.outputs) add(name, node);
  for (const node of graph.nodes) if (isVariable(node)) add(variableName(node), node);
  for (const { path, output } of layers) if (graph.index.has(output)) add(path, output);
  for (const node of graph.nodes) {
    if (node.name !== null) add(node.scope === '' ? node.name : `${node.scope}/${node.name}`, node);
  }
  for (const { variable, value } of graph.updates) add(`next ${variableName(variable)}`, value);
  const found = named.get(which);
  if (found !== undefined) return found;
  const near = nearestName(which, [...named.keys()]);
  throw compilerError('HDL0015', {
    what: `'${graph.name}' has no value '${which}'`,
    rule: 'a value is meant by the name of an output, the path of a variable or layer, or by the name that it was given',
    hint:
      near === null ? `there are ${[...named.keys()].slice(0, 10).join(', ')}` : `did you mean '${near}'?`,
    loc: callerLocation(),
  });
}

/** The tree above a node; with `run`, with its numbers. */
export async function explainNode(
  graph: Graph,
  node: Node,
  run: Omit<Subject, 'graph'> | null,
  { depth = 6 }: ExplainOptions,
): Promise<Explained> {
  const levels = Math.min(depth, mostLevels);
  // By level, so that what is expanded below is known.
  const order: Node[] = [node];
  let level: readonly Node[] = [node];
  const seen = new Set<Node>(level);
  for (let i = 0; i < levels && level.length > 0; i++) {
    level = [...new Set(level.flatMap((n) => n.operands))].filter((n) => !seen.has(n));
    for (const n of level) seen.add(n);
    order.push(...level);
  }
  const values = new Map<Node, RunTensor>();
  if (run !== null) {
    const tensors = await valuesOf({ ...run, graph }, order);
    order.forEach((n, i) => {
      values.set(n, tensors[i]!);
    });
  }
  const expanded = new Set<Node>();
  const explain = (n: Node, level: number): Explained => {
    const { what, op, loc } = userTerms(n);
    const value = values.get(n);
    const isAbove = expanded.has(n) && n.operands.length > 0;
    const isCut = !isAbove && level >= levels && n.operands.length > 0;
    if (!isCut) expanded.add(n);
    return {
      number: graph.index.get(n)!,
      what,
      op,
      loc,
      value: value?.data.length === 1 ? value.data[0]! : null,
      range: value === undefined ? null : rangeOf(value.data),
      operands: isAbove || isCut ? [] : n.operands.map((o) => explain(o, level + 1)),
      rest: isAbove ? 'above' : isCut ? 'cut' : null,
    };
  };
  return explain(node, 0);
}

/**
 * An explanation as text:
 *
 *   %9 div f32[] at net.ts:7:10 = NaN
 *   ├ %7 reduceSum f32[] at net.ts:6:10 = 0
 *   │ └ %3 input 'x' f32[4] at net.ts:3:9: 0
 *   └ %8 …
 */
export function formatExplanation(root: Explained): string {
  const lines: string[] = [];
  const print = (e: Explained, first: string, others: string): void => {
    const numbers =
      e.value !== null ? ` = ${shown(e.value)}` : e.range === null ? '' : `: ${formatRange(e.range)}`;
    const rest = e.rest === 'above' ? ' (see above)' : e.rest === 'cut' ? ' …' : '';
    lines.push(`${first}%${e.number} ${e.what}${atPlace(e.loc)}${numbers}${rest}`);
    e.operands.forEach((operand, i) => {
      const isLast = i === e.operands.length - 1;
      print(operand, `${others}${isLast ? '└ ' : '├ '}`, `${others}${isLast ? '  ' : '│ '}`);
    });
  };
  print(root, '', '');
  return lines.join('\n');
}
