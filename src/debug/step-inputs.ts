// What one step of a run of many was fed, to look at that step again.

import type { Graph } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import type { RunInput } from '../../runtime/tensor.ts';
import type { BoundStepFeed } from '../steps.ts';
import { variableName } from '../variable.ts';

/** The inputs of step `step` of the run; null where they are gone: of an iterator. */
export function stepInputs(
  graph: Graph,
  bound: BoundStepFeed,
  step: number,
): Readonly<Record<string, RunInput>> | null {
  if (bound.kind === 'constant') return bound.inputs;
  if (bound.kind === 'stream') return null;
  const { indices } = bound;
  return Object.fromEntries(
    graph.inputs.map((node) => {
      const name = variableName(node);
      const given = bound.rows[name]!;
      const values: RunInput = 'values' in given ? (given as { values: RunInput }).values : given;
      const batch = node.type.shape[0]!;
      const row = elementCount(node.type.shape) / batch;
      const own = indices.subarray(step * batch, (step + 1) * batch);
      return [name, Array.from(own).flatMap((i) => Array.from(values.slice(i * row, (i + 1) * row), Number))];
    }),
  );
}
