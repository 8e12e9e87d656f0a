// Runs passes one after the other. In: a graph, a list of passes, a clock. Out: the graph after the last one. Every pass is
// timed and can be watched, and with `verify` what it made is checked before the next one starts, so that a mistake
// is reported with the name of the pass that made it.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Graph } from '../graph/ir.ts';
import { checkRoundTrip } from '../graph/roundtrip.ts';
import { formatType, sameType } from '../graph/types.ts';
import { verifyGraph } from '../graph/verify.ts';

/** A rewrite of graphs that changes no value: pure, with the same inputs, outputs and updates before and after. */
export interface GraphPass {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly doc: string;
  readonly run: (graph: Graph) => Graph;
}

export interface PassRecord {
  readonly name: string;
  readonly ms: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  readonly before: Graph;
  readonly after: Graph;
}

export interface PassOptions {
  /** Check the graph, and that its text reads back, before the first pass and after each. Default false. */
  readonly verify?: boolean;
  /** Is told of each pass when it is done: for timings, dumps before and after, viewers. */
  readonly onPass?: (record: PassRecord) => void;
  /** Milliseconds, from any origin. Only reported, never decided upon. */
  readonly now: () => number;
}

/**
 * Runs the passes in order. Throws HDL0099, which names the pass, when `verify` is set and a pass makes a graph that does
 * not verify or whose inputs, outputs or updates differ.
 *
 *     const small = runPasses(graph, standardPasses(), { now: () => performance.now() });
 */
export function runPasses(graph: Graph, passes: readonly GraphPass[], options: PassOptions): Graph {
  let current = graph;
  if (options.verify) checkRoundTrip(graph);
  for (const pass of passes) {
    const before = current;
    const start = options.now();
    const after = pass.run(before);
    const ms = options.now() - start;
    if (options.verify) checkPass(pass, before, after);
    options.onPass?.({
      name: pass.name,
      ms,
      nodesBefore: before.nodes.length,
      nodesAfter: after.nodes.length,
      before,
      after,
    });
    current = after;
  }
  return current;
}

/**
 * One pass that runs the given ones over and over, until none of them changes the graph or `rounds` rounds are done.
 * A pass says that it changed nothing by returning the graph that it got.
 */
export function repeated(name: string, doc: string, rounds: number, passes: readonly GraphPass[]): GraphPass {
  return {
    name,
    doc,
    run(graph) {
      let current = graph;
      /** Passes, one after the other, that have changed nothing: when all of them have, none will. */
      let idle = 0;
      for (let k = 0; k < rounds * passes.length && idle < passes.length; k++) {
        const before = current;
        current = passes[k % passes.length]!.run(current);
        idle = current === before ? idle + 1 : 0;
      }
      return current;
    },
  };
}

function checkPass(pass: GraphPass, before: Graph, after: Graph): void {
  try {
    verifyGraph(after);
    if (after !== before) checkRoundTrip(after);
  } catch (cause) {
    throw failure(pass, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const changed = signatureChange(before, after);
  if (changed !== null) throw failure(pass, changed);
}

function failure(pass: GraphPass, rule: string, cause?: unknown): Error {
  const what = `internal: pass '${pass.name}' broke the graph`;
  return compilerError('HDL0099', { what, rule }, { cause });
}

/** What callers of the graph would notice, or null. */
function signatureChange(before: Graph, after: Graph): string | null {
  if (before.inputs.length !== after.inputs.length) return 'the number of inputs changed';
  const input = before.inputs.find((n, i) => n !== after.inputs[i]);
  if (input) return `input ${describeNode(input)} was replaced`;
  if (before.outputs.length !== after.outputs.length) return 'the number of outputs changed';
  for (const [i, o] of before.outputs.entries()) {
    const now = after.outputs[i]!;
    if (now.name !== o.name) return `output '${o.name}' became '${now.name}'`;
    if (!sameType(now.node.type, o.node.type)) {
      return `output '${o.name}' was ${formatType(o.node.type)} and became ${formatType(now.node.type)}`;
    }
  }
  if (before.updates.length !== after.updates.length) return 'the number of updates changed';
  for (const [i, u] of before.updates.entries()) {
    const now = after.updates[i]!;
    if (now.variable !== u.variable) return `the update of ${describeNode(u.variable)} was replaced`;
    if (!sameType(now.value.type, u.value.type)) {
      return `the update of ${describeNode(u.variable)} became ${formatType(now.value.type)}`;
    }
  }
  return null;
}
