// Agreement of a compiled graph with the interpreter. What a target may differ by is what float32 itself makes of the graph:
// the gap between the interpreter in float64 and with every node rounded to float32, times a factor for another order of
// summation, and a few units in the last place of the largest element.

import { compileGraph } from '../../compiler/compile.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, HostTensor } from '../../compiler/graph/ir.ts';
import type { Machine } from '../../compiler/kernel/ir.ts';
import type { Executor } from '../../runtime/executor.ts';

export type Values = Readonly<Record<string, HostTensor>>;

/** Elements as the runtime takes them for a dtype. */
function feed({ type, data }: HostTensor): Float32Array | Int32Array | Uint32Array | Uint8Array {
  switch (type.dtype) {
    case 'f32':
      return Float32Array.from(data);
    case 'i32':
      return Int32Array.from(data);
    case 'u32':
      return Uint32Array.from(data);
    default:
      return Uint8Array.from(data);
  }
}

/** What a graph is compiled for: `relaxed` is `wasm` with fused multiply-add. */
export type AgreeTarget = 'wasm' | 'relaxed' | 'js';

/** Where company costs nothing, even small graphs are shared among workers: for tests of that. */
export const eagerMachine: Machine = {
  flopsPerNs: 1,
  bytesPerNs: 1,
  nearBytesPerNs: 1,
  callNs: 1,
  barrierNs: 1,
  wakeNs: 1,
};

/** Compiles, proves the plan safe, runs it once. */
export async function runCompiled(
  graph: Graph,
  values: Values,
  target: AgreeTarget,
  executor: Executor,
): Promise<Record<string, ArrayLike<number>>> {
  const { plan } = compileGraph(graph, {
    target: target === 'js' ? 'js' : 'wasm',
    relaxed: target === 'relaxed',
    workers: [1, executor.threads],
    machine: eagerMachine,
    verify: true,
  });
  const loaded = await executor.load(plan);
  try {
    const inputs = Object.fromEntries(Object.entries(values).map(([k, v]) => [k, feed(v)]));
    const results = await executor.run(loaded, inputs);
    return Object.fromEntries(Object.entries(results).map(([k, v]) => [k, v.data]));
  } finally {
    await executor.unload(loaded);
  }
}

/** Outputs that differ by more than float32 allows, each with its worst element; empty when all agree. */
export function disagreements(
  graph: Graph,
  values: Values,
  got: Readonly<Record<string, ArrayLike<number>>>,
): string[] {
  const exact = interpretGraph(graph, { inputs: values }, { mode: 'f64' }).outputs;
  const rounded = interpretGraph(graph, { inputs: values }, { mode: 'f32' }).outputs;
  const found: string[] = [];
  for (const { name, node } of graph.outputs) {
    const want = exact[name]!.data;
    const single = rounded[name]!.data;
    const have = got[name]!;
    let scale = 1;
    let gap = 0;
    for (let i = 0; i < want.length; i++) {
      if (Number.isFinite(want[i]!)) scale = Math.max(scale, Math.abs(want[i]!));
      if (Number.isFinite(single[i]! - want[i]!)) gap = Math.max(gap, Math.abs(single[i]! - want[i]!));
    }
    const limit = node.type.dtype === 'f32' ? 16 * gap + 4e-6 * scale : gap;
    for (let i = 0; i < want.length; i++) {
      const w = want[i]!;
      const h = have[i]!;
      const same = Number.isNaN(w)
        ? Number.isNaN(h)
        : h === w || h === Math.fround(w) || Math.abs(h - w) <= limit;
      if (same) continue;
      found.push(
        `${name}[${i}] = ${h}, expected ${w} (float32: ${single[i]}, limit ${limit.toExponential(1)})`,
      );
      break;
    }
  }
  return found;
}
