// The gradient of scan: a scan in the opposite order. Forwards, a second scan like the first also gives the carries that
// each step began with; both become one. Backwards, each step is computed again from those and differentiated; what is dear
// of that is kept by the forward loop instead (passes/loops/residuals.ts; unrolled, equal nodes are merged), unless a checkpoint
// keeps them apart:
//
//   carries    dL/d(carry), Σ dL/d(captured)
//   sequences  the carries of the forward steps, the sequences, dL/d(outputs)
//   outputs    dL/d(rows of the sequences)
//
// Σ dL/d(captured) is mostly a sum of contractions, one for each step. To give their factors out and to contract once after
// the loop, over the steps too, was tried: an LSTM, a GRU and an RNN of 64 units over 64 steps of 32 × 8 took 7.7, 6.0 and
// 1.5 ms instead of 7.5, 6.1 and 1.4, and up to 0.5 MiB more, so each step adds its own.

import { makeGraph } from '../graph/graph.ts';
import type { GradientInput, Graph, Node } from '../graph/ir.ts';
import { inlineRegion } from '../graph/region.ts';
import type { TensorType } from '../graph/types.ts';
import { vjp } from '../passes/grad.ts';
import { add } from './arithmetic.ts';
import { zeros } from './leaf.ts';
import { allResults, trace } from './regions.ts';
import type { ScanAttrs } from './scan.ts';

const isFloat = (type: TensorType): boolean => type.dtype === 'f32';

export function scanGradient({ node, operands, cotangents, needs }: GradientInput): (Node | null)[] {
  const { carries, sequences, length, reverse, unroll } = node.attrs as ScanAttrs;
  const step = node.regions[0]!;
  const first = carries + sequences;
  const outputs = step.outputs.slice(carries).map((o) => o.node.type);
  const kept = unroll === undefined ? {} : { unroll };
  const count = { carries, sequences, length, reverse, ...kept };

  // What the steps began with.
  const saving: Graph = makeGraph(step.name, {
    inputs: step.inputs,
    outputs: [
      ...step.outputs,
      // Numbered behind all others: the step may have such outputs already, when it is one of a gradient.
      ...step.inputs.slice(0, carries).map((c, i) => ({ name: `begin${step.outputs.length + i}`, node: c })),
    ],
  });
  const begins = allResults(node.op, operands, count, [saving], saving.outputs.length).slice(
    carries + outputs.length,
  );

  const inits = operands.slice(0, carries);
  const rows = operands.slice(carries, first);
  const captured = operands.slice(first);
  const floats = indices(inits, (x) => isFloat(x.type));
  const wantedRows = indices(rows, (_, i) => needs[carries + i]!);
  const wantedCaptured = indices(captured, (_, i) => needs[first + i]!);
  const given = indices(outputs, (type, i) => isFloat(type) && Boolean(cotangents[carries + i]));

  const carried = [...floats.map((i) => inits[i]!), ...wantedCaptured.map((i) => captured[i]!)];
  const read = [...begins, ...rows, ...given.map((i) => cotangents[carries + i]!)];
  const parameter = (name: string, type: TensorType, i: number): { name: string; type: TensorType } => ({
    name: `${name}${i}`,
    type,
  });
  const rowType = ({ type }: Node): TensorType => ({ dtype: type.dtype, shape: type.shape.slice(1) });
  const { region, captured: more } = trace(
    'scanGradient',
    [
      ...carried.map((x, i) => parameter('carry', x.type, i)),
      ...read.map((x, i) => parameter('row', rowType(x), i)),
      ...captured.map((x, i) => parameter('value', x.type, i)),
    ],
    (inputs) => {
      const takes = cursor(inputs);
      const carryGradients = takes(floats.length);
      const sums = takes(wantedCaptured.length);
      const begin = takes(carries);
      const row = takes(sequences);
      const outputGradients = takes(given.length);
      const values = takes(captured.length);
      const results = inlineRegion(step, [...begin, ...row, ...values]);
      const gradients = vjp(
        [...floats.map((i) => results[i]!), ...given.map((i) => results[carries + i]!)],
        [...carryGradients, ...outputGradients],
        [
          ...floats.map((i) => begin[i]!),
          ...wantedCaptured.map((i) => values[i]!),
          ...wantedRows.map((i) => row[i]!),
        ],
      );
      const gives = cursor(gradients);
      return [
        ...gives(floats.length),
        ...gives(wantedCaptured.length).map((g, i): Node => add(sums[i]!, g)),
        ...gives(wantedRows.length),
      ];
    },
  );
  const results = allResults(
    node.op,
    [
      ...floats.map((i) => cotangents[i] ?? zeros(inits[i]!.type.shape)),
      ...wantedCaptured.map((i) => zeros(captured[i]!.type.shape)),
      ...read,
      ...captured,
      ...more,
    ],
    { carries: carried.length, sequences: read.length, length, reverse: !reverse, ...kept },
    [region],
    region.outputs.length,
  );
  const takes = cursor(results);
  const byInit = new Map(zip(floats, takes(floats.length)));
  const byCaptured = new Map(zip(wantedCaptured, takes(wantedCaptured.length)));
  const byRow = new Map(zip(wantedRows, takes(wantedRows.length)));
  return [
    ...inits.map((_, i) => byInit.get(i) ?? null),
    ...rows.map((_, i) => byRow.get(i) ?? null),
    ...captured.map((_, i) => byCaptured.get(i) ?? null),
  ];
}

function indices<T>(list: readonly T[], holds: (x: T, i: number) => boolean): number[] {
  return list.flatMap((x, i) => (holds(x, i) ? [i] : []));
}

/** Takes the next so many of a list. */
function cursor<T>(list: readonly T[]): (count: number) => T[] {
  let at = 0;
  return (count) => {
    at += count;
    return list.slice(at - count, at);
  };
}

function zip<A, B>(a: readonly A[], b: readonly B[]): [A, B][] {
  return a.map((x, i) => [x, b[i]!]);
}
