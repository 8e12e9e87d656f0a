// Where the first NaN or infinity of a run comes from.
//
// Two compilations, no interpreter, whatever the size of the net:
//   1. the entry with a check on each computed f32 value, labelled by its number. One run sets a flag for every check that
//      fails, all in the same pass over the data; commits nothing. Operands come before their users in the order of a
//      graph, so the failed check of the lowest number is of an op that got finite operands and made something else.
//   2. a graph whose outputs are this op and its operands: their ranges, and the elements at the first bad position.
// Inputs and variables are looked at before: nothing computes them, and what they bring no op has made.

import { graphVariables } from '../../compiler/graph/graph.ts';
import type { Node, SourceLocation } from '../../compiler/graph/ir.ts';
import { sameShape } from '../../compiler/graph/types.ts';
import { checkFinite, checksFamily } from '../../compiler/ops/check.ts';
import { unrolled } from '../../compiler/passes/expand-regions.ts';
import { rewriteNodes } from '../../compiler/passes/rewrite.ts';
import { HeddleError, runtimeError } from '../../runtime/errors.ts';
import { FailedChecks, formatPlace } from '../../runtime/program.ts';
import type { RunData, RunTensor } from '../../runtime/tensor.ts';
import { variableName } from '../variable.ts';
import { atPlace, type UserTerms, userTerms } from './describe.ts';
import { formatRange, isFiniteRange, type Range, rangeOf, shown } from './range.ts';
import { type Subject, valuesOf } from './values.ts';

/** A value, in the words of the user's program. */
export interface RangedValue {
  /** `log f32[4, 8] in block3/dense` */
  readonly what: string;
  readonly loc: SourceLocation | null;
  readonly range: Range;
  /** Its element at the position that is told of; null where positions are not shared. */
  readonly element: number | null;
}

/** The first op that made a NaN or an infinity, or the input or variable that brought one. */
export interface NotFinite extends RangedValue, UserTerms {
  readonly kind: 'input' | 'variable' | 'op';
  /** Row-major number of its first element that is not finite. */
  readonly position: number;
  /** In order; none for inputs and variables. */
  readonly operands: readonly RangedValue[];
}

export interface NumericsReport {
  readonly entry: string;
  /** Computed f32 values that were checked. */
  readonly checked: number;
  /** Null when all is finite. */
  readonly found: NotFinite | null;
}

const computeNothing: ReadonlySet<string> = new Set(['leaf', 'shape', checksFamily]);

/** Looks for the first value that is not finite. Commits nothing. Throws as compiling and running do, but for HDL1005. */
export async function findNotFinite(subject: Subject): Promise<NumericsReport> {
  const graph = unrolled(subject.graph);
  const expanded = { ...subject, graph };
  const checked = graph.nodes.filter(isChecked).length;
  const report = (found: NotFinite | null): NumericsReport => ({ entry: graph.name, checked, found });
  const leaf = await badLeaf(expanded);
  if (leaf !== null) return report(leaf);
  const first = await firstFailed(expanded);
  return report(first === null ? null : await explainNode(expanded, first));
}

function isChecked(node: Node): boolean {
  return node.type.dtype === 'f32' && !computeNothing.has(node.op.family);
}

/** Inputs in the order of declaration, then variables. */
async function badLeaf(subject: Subject): Promise<NotFinite | null> {
  const { graph, inputs, engine, initial } = subject;
  for (const node of [...graph.inputs, ...graphVariables(graph)]) {
    if (node.type.dtype !== 'f32') continue;
    const name = variableName(node);
    const isInput = node.op.name === 'input';
    const data = (isInput ? inputs[name] : (engine.get(name)?.data ?? initial({ name, ...node.type }))) as
      | ArrayLike<number>
      | undefined;
    if (data === undefined) continue;
    const range = rangeOf(data);
    if (isFiniteRange(range)) continue;
    const position = firstBad(data);
    const element = data[position]!;
    return {
      ...userTerms(node),
      kind: isInput ? 'input' : 'variable',
      range,
      position,
      element,
      operands: [],
    };
  }
  return null;
}

/** The first node, in the order of the graph, that is not finite. */
async function firstFailed(subject: Subject): Promise<Node | null> {
  const { engine, graph, inputs, initial } = subject;
  // The graph is rewritten node by node, in its order.
  let number = -1;
  const instrumented = rewriteNodes(graph, (node) => {
    number++;
    return isChecked(node) ? checkFinite(node, { label: `#${number}` }) : node;
  });
  const compiled = engine.compileUnchecked(instrumented);
  const loaded = await engine.load(compiled, initial);
  try {
    if (loaded.measure === null) return await firstByValues(subject);
    await loaded.measure(inputs, { runs: 1, warmUp: 0 });
    return null;
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'HDL1005') throw error;
    const { cause } = error;
    if (!(cause instanceof FailedChecks)) throw error;
    const { sites } = compiled.plan!.manifest;
    const numbers = cause.sites.map((site) => Number(/^#(\d+)$/.exec(sites[site]!.label)?.[1]));
    return graph.nodes[Math.min(...numbers.filter((n) => !Number.isNaN(n)))] ?? null;
  } finally {
    await loaded.unload?.();
  }
}

/** For the interpreter, which has all values at hand. */
async function firstByValues(subject: Subject): Promise<Node | null> {
  const nodes = subject.graph.nodes.filter(isChecked);
  const values = await valuesOf(subject, nodes);
  return nodes.find((_, i) => !isFiniteRange(rangeOf(values[i]!.data))) ?? null;
}

async function explainNode(subject: Subject, node: Node): Promise<NotFinite> {
  const all = [node, ...node.operands];
  const values = await valuesOf(subject, all);
  const position = firstBad(values[0]!.data);
  const ranged = (n: Node, { data }: RunTensor): RangedValue => ({
    what: userTerms(n).what,
    loc: n.loc,
    range: rangeOf(data),
    element: sameShape(n.type.shape, node.type.shape) && position >= 0 ? data[position]! : null,
  });
  return {
    ...userTerms(node),
    ...ranged(node, values[0]!),
    kind: 'op',
    position,
    operands: node.operands.map((o, i) => ranged(o, values[i + 1]!)),
  };
}

/**
 * The error of a run that checks its numbers, with the ranges of the operands of the op that it names; the error as it is
 * when nothing is found.
 */
export async function explainFailure(error: HeddleError, subject: Subject): Promise<HeddleError> {
  const { found } = await findNotFinite(subject);
  if (found === null) return error;
  const { parts } = error;
  const ranges = found.operands.map((o) => `${o.what} ${formatRange(o.range)}`).join('; ');
  const at = error.cause instanceof FailedChecks ? error.cause.at : null;
  const place = at === null ? '' : ` at ${formatPlace(at)}`;
  const state = parts.hint === undefined ? {} : { hint: parts.hint };
  return runtimeError(
    'HDL1005',
    {
      what: `${found.kind === 'op' ? 'a value of ' : ''}${found.what} in '${subject.graph.name}' is not finite${place}: ${formatRange(found.range)}`,
      rule: `values that are checked are neither NaN nor infinite${ranges === '' ? '' : `; its operands: ${ranges}`}`,
      loc: found.loc,
      ...state,
    },
    { cause: error },
  );
}

function firstBad(data: ArrayLike<number>): number {
  return Array.prototype.findIndex.call(data as RunData, (v: number) => !Number.isFinite(v));
}

/**
 * A report as text:
 *
 *   train: the first value that is not finite is made by log f32[4, 8] in block3/dense at net.ts:12:9
 *     its value: 3 of 32 NaN, others in [-1.2, 0.4]; element 7 is NaN
 *     operand 0, sub f32[4, 8] in block3/dense at net.ts:11:20: in [-0.5, 1.5]; element 7 is -0.25
 */
export function formatNumerics({ entry, checked, found }: NumericsReport): string {
  if (found === null) return `${entry}: all of ${checked} computed values are finite`;
  const { kind, what, loc, range, element, position, operands } = found;
  const at = (value: number | null): string =>
    value === null ? '' : `; element ${position} is ${shown(value)}`;
  const head =
    kind === 'op'
      ? `the first value that is not finite is made by ${what}${atPlace(loc)}`
      : `the first value that is not finite is ${what}${atPlace(loc)}, as it was given`;
  return [
    `${entry}: ${head}`,
    `  its value: ${formatRange(range)}${at(element)}`,
    ...operands.map(
      (o, i) => `  operand ${i}, ${o.what}${atPlace(o.loc)}: ${formatRange(o.range)}${at(o.element)}`,
    ),
  ].join('\n');
}
