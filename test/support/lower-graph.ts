// Lowering as text: what a graph becomes, one line per kernel, and whether its kernels compute what the interpreter does.

import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, GraphUpdate, HostTensor, Node } from '../../compiler/graph/ir.ts';
import { elementCount, formatType } from '../../compiler/graph/types.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { lowerGraph } from '../../compiler/lower/lower.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { jsTarget, wasmSimd } from '../../compiler/target/targets.ts';
import { seededRandom } from './random.ts';
import { runLowered } from './run-lowered.ts';

/** A graph of these outputs; its inputs are found. */
export function graphOf(
  outputs: Readonly<Record<string, Node>>,
  updates: readonly GraphUpdate[] = [],
  inputs: readonly Node[] = [],
): Graph {
  return makeGraph('test', {
    inputs,
    outputs: Object.entries(outputs).map(([name, node]) => ({ name, node })),
    updates,
  });
}

/** After the standard passes, for WebAssembly. */
export function lower(graph: Graph): Lowered {
  return lowerGraph(runPasses(graph, standardPasses(), { now: () => 0 }), wasmSimd);
}

/** One line per kernel: its label, what it reads, what it writes. */
export function kernelLines(lowered: Lowered): string[] {
  return lowered.steps.map(({ label, kernel, args }) => {
    const names = (access: 'read' | 'write'): string =>
      args
        .filter((_, i) => kernel.params[i]!.access === access)
        .map((id) => lowered.buffers[id]!.name)
        .join(', ');
    return `${label} (${names('read')}) → ${names('write')}`;
  });
}

/** One line per buffer: name, type, and the order of its dimensions in memory, outermost first. */
export function bufferLines(lowered: Lowered): string[] {
  return lowered.buffers.map((b) => `${b.name}: ${formatType(b.type)} as ${b.order.join('') || '·'}`);
}

/** Random values for the inputs and variables of a graph, by name. */
export function leavesOf(graph: Graph, seed = 1): Record<string, HostTensor> {
  const random = seededRandom(seed);
  return Object.fromEntries(
    graph.nodes
      .filter((n) => n.op.name === 'input' || n.op.name === 'variable')
      .map((n) => {
        const draw = (): number =>
          n.type.dtype === 'f32'
            ? Math.fround(random.uniform(-1, 1))
            : random.int(0, n.type.dtype === 'bool' ? 1 : 3);
        return [
          String(n.attrs['name']),
          { type: n.type, data: Float64Array.from({ length: elementCount(n.type.shape) }, draw) },
        ];
      }),
  );
}

/**
 * Where the kernels, on one lane and on four, differ from the interpreter by more than `tolerance` (relative, and absolute
 * below 1); empty when they agree. Every kernel is verified.
 */
export function differences(
  graph: Graph,
  leaves: Readonly<Record<string, HostTensor>> = leavesOf(graph),
  tolerance = 1e-5,
): string[] {
  const after = runPasses(graph, standardPasses(), { now: () => 0 });
  const inputs = Object.fromEntries(graph.inputs.map((n) => [n.name!, leaves[n.name!]!]));
  const want = interpretGraph(graph, { inputs, variables: leaves }, { mode: 'f64' });
  const expected = {
    ...Object.fromEntries(Object.entries(want.outputs).map(([k, v]) => [k, v.data])),
    ...Object.fromEntries(Object.entries(want.updates).map(([k, v]) => [`${k} (next)`, v.data])),
  };
  const found: string[] = [];
  for (const target of [wasmSimd, jsTarget]) {
    const lowered = lowerGraph(after, target);
    for (const { kernel } of lowered.steps) verifyKernel(kernel);
    const got = runLowered(lowered, leaves);
    const have: Record<string, Float64Array> = {
      ...got.outputs,
      ...Object.fromEntries(Object.entries(got.updates).map(([k, v]) => [`${k} (next)`, v])),
    };
    for (const [name, data] of Object.entries(expected)) {
      data.forEach((x, i) => {
        const y = have[name]![i]!;
        const isEqual = Object.is(x, y) || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x));
        if (!isEqual && found.length < 5) found.push(`${target.name}: ${name}[${i}] = ${y}, expected ${x}`);
      });
    }
  }
  return found;
}
