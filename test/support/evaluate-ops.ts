// Functions of the library applied to numbers: through the interpreter, and through a compiled plan beside it.

import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, HostTensor, Node } from '../../compiler/graph/ir.ts';
import { type DType, elementCount, roundTo, type Shape } from '../../compiler/graph/types.ts';
import { input } from '../../compiler/ops/leaf.ts';
import type { Executor } from '../../runtime/executor.ts';
import { disagreements, runCompiled } from './agree.ts';
import { seededRandom } from './random.ts';

export type Build = (...x: Node[]) => Node | readonly Node[];

/** A host tensor from numbers. */
export function host(shape: Shape, data: ArrayLike<number>, dtype: DType = 'f32'): HostTensor {
  return { type: { dtype, shape }, data: Float64Array.from(data) };
}

/** f32 numbers in [-2, 2). */
export function draw(shape: Shape, seed = 1, dtype: DType = 'f32'): HostTensor {
  const random = seededRandom(seed);
  const next = (): number => roundTo(dtype, dtype === 'f32' ? random.uniform(-2, 2) : random.int(0, 9));
  return host(shape, Array.from({ length: elementCount(shape) }, next), dtype);
}

/** The graph of a function over inputs `x0`, `x1`, …, with outputs `y0`, …; and its nodes. */
export function graphOf(
  build: Build,
  operands: readonly HostTensor[],
): { graph: Graph; inputs: Node[]; outputs: readonly Node[]; values: Record<string, HostTensor> } {
  const inputs = operands.map((o, i): Node => input(`x${i}`, o.type.shape, o.type.dtype));
  const made = build(...inputs);
  const outputs = Array.isArray(made) ? (made as readonly Node[]) : [made as Node];
  const graph = makeGraph('test', { inputs, outputs: outputs.map((node, i) => ({ name: `y${i}`, node })) });
  return { graph, inputs, outputs, values: Object.fromEntries(operands.map((o, i) => [`x${i}`, o])) };
}

/** The first output in float64. */
export function evaluateOp(build: Build, ...operands: HostTensor[]): number[] {
  const { graph, values } = graphOf(build, operands);
  return [...interpretGraph(graph, { inputs: values }).outputs['y0']!.data];
}

/** Where targets differ from the interpreter by more than float32 allows. */
export async function compiledDisagreements(
  executor: Executor,
  build: Build,
  ...operands: HostTensor[]
): Promise<string[]> {
  const { graph, values } = graphOf(build, operands);
  const problems: string[] = [];
  for (const target of ['wasm', 'js'] as const) {
    const got = await runCompiled(graph, values, target, executor);
    problems.push(...disagreements(graph, values, got).map((p) => `${target}: ${p}`));
  }
  return problems;
}
