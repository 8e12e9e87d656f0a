// scan: a loop of a fixed number of steps that carries values from one to the next, reads a row of each sequence and gives
// a row of each output. One region is the step:
//
//   carries…, rows of sequences…, captured…   →   new carries…, rows of outputs…
//
// The gradient is a scan in the opposite order (scan-gradient.ts), so gradients of any order are scans too. Short loops are
// unrolled before a graph is lowered (passes/expand-regions.ts); others stay loops: the body is compiled once, rows are read
// and written where they lie, and a carried value has one or two places, or is written where it goes out (lower/loop-places.ts). So
// neither compile time nor plan grow with the number of steps: an LSTM of 64 units and its gradient take 0.2 s of processor
// time and 25 steps of a plan for 64 steps or 2000; unrolled they took 1.5 s for 64, and 4.0 s for 256.

import type { Graph, HostTensor, Node, OpDef, RegionCall } from '../graph/ir.ts';
import { inlineRegion } from '../graph/region.ts';
import { elementCount, formatType, sameType, type TensorType } from '../graph/types.ts';
import { checkInteger } from './attrs.ts';
import { concat } from './concat.ts';
import { defineOp } from './define.ts';
import { zeros } from './leaf.ts';
import { checkRegionInputs, throughResults } from './regions.ts';
import { sampleScan } from './sample-scan.ts';
import { scanGradient } from './scan-gradient.ts';
import { reshape } from './shape.ts';
import { slice } from './slice.ts';

export type ScanAttrs = {
  readonly result: number;
  readonly carries: number;
  readonly sequences: number;
  readonly length: number;
  readonly reverse: boolean;
  /** False: the loop runs as a loop, however short it is; absent: the compiler chooses. */
  readonly unroll?: boolean;
};

export const scanOp: OpDef = defineOp<ScanAttrs>({
  name: 'scan',
  family: 'control',
  doc: {
    summary: 'Runs its region `length` times, carrying values from step to step.',
    formula: '(c[t+1]…, y[t]…) = region(c[t]…, x[t]…, captured…); results: c[length]…, y…',
    types:
      'carries…, sequences… of [length, …], captured… → the type of a carry, or [length, …] of an output of the region',
    attrs: {
      result: 'the final carries come first, then the outputs',
      carries: 'number of carried values',
      sequences: 'number of sequences',
      length: 'number of steps',
      reverse: 'whether the last rows come first; outputs keep the order of the rows',
      unroll: 'false: runs as a loop however short it is; absent: the compiler chooses',
    },
    onnx: 'Scan',
    example: 'scan(([h], [x]) => ({ carry: [tanh(add(h, x))], outputs: [] }), [h0], [xs])',
  },
  arity: { min: 0, max: Number.POSITIVE_INFINITY },
  type(operands, { result, carries, sequences, length }, fail, [region]) {
    checkInteger(fail, 'length', length, 0, 2147483647);
    const rows = operands.slice(carries, carries + sequences).map((x, i): TensorType => {
      if (x.shape[0] !== length) {
        fail(`sequence ${i} is ${formatType(x)}, not ${length} rows`, 'the first dimension counts the steps');
      }
      return { dtype: x.dtype, shape: x.shape.slice(1) };
    });
    const inputs = [...operands.slice(0, carries), ...rows, ...operands.slice(carries + sequences)];
    checkRegionInputs(fail, region, inputs);
    const outputs = region!.outputs.map((o) => o.node.type);
    operands.slice(0, carries).forEach((c, i) => {
      const next = outputs[i];
      if (next !== undefined && sameType(next, c)) return;
      fail(
        `carry ${i} is ${formatType(c)} and becomes ${next ? formatType(next) : 'nothing'}`,
        'a carried value keeps its type',
      );
    });
    checkInteger(fail, 'result', result, 0, outputs.length - 1);
    const own = outputs[result]!;
    return result < carries ? own : { dtype: own.dtype, shape: [length, ...own.shape] };
  },
  reference: throughResults,
  region: { results: runSteps, expand: unrollSteps },
  gradient: scanGradient,
  lower: 'loop',
  sample: sampleScan,
});

const scanOps: readonly OpDef[] = [scanOp];
export default scanOps;

function runSteps(
  operands: readonly HostTensor[],
  { carries, sequences, length, reverse }: ScanAttrs,
  [step]: readonly RegionCall[],
  [region]: readonly Graph[],
): Float64Array[] {
  let carry = operands.slice(0, carries);
  const rows: Float64Array[][] = [];
  for (let i = 0; i < length; i++) {
    const t = reverse ? length - 1 - i : i;
    const here = operands.slice(carries, carries + sequences).map((x) => rowOf(x, t));
    const results = step!([...carry, ...here, ...operands.slice(carries + sequences)]);
    carry = results.slice(0, carries);
    rows[t] = results.slice(carries).map((y) => y.data);
  }
  const outputs = region!.outputs
    .slice(carries)
    .map((_, k) => Float64Array.from(rows.flatMap((r) => [...r[k]!])));
  return [...carry.map((c) => c.data), ...outputs];
}

function rowOf({ type, data }: HostTensor, t: number): HostTensor {
  const shape = type.shape.slice(1);
  const n = elementCount(shape);
  return { type: { dtype: type.dtype, shape }, data: data.slice(t * n, t * n + n) };
}

function unrollSteps(node: Node): Node[] {
  const { carries, sequences, length, reverse } = node.attrs as ScanAttrs;
  const { operands } = node;
  const step: Graph = node.regions[0]!;
  let carry: readonly Node[] = operands.slice(0, carries);
  const rows: Node[][] = [];
  for (let i = 0; i < length; i++) {
    const t = reverse ? length - 1 - i : i;
    const here = operands.slice(carries, carries + sequences).map((x) => rowNode(x, t));
    const results = inlineRegion(step, [...carry, ...here, ...operands.slice(carries + sequences)]);
    carry = results.slice(0, carries);
    rows[t] = results.slice(carries);
  }
  const outputs = step.outputs.slice(carries).map((o, k) => {
    const { dtype, shape } = o.node.type;
    if (length === 0) return zeros([0, ...shape], dtype) as Node;
    return stackRows(rows.map((r) => reshape(r[k]!, [1, ...shape])));
  });
  return [...carry, ...outputs];
}

/** Row t of a sequence. */
export function rowNode(x: Node, t: number): Node {
  const shape = x.type.shape;
  const row = slice(
    x,
    shape.map((_, d) => (d === 0 ? t : 0)),
    shape.map((n, d) => (d === 0 ? t + 1 : n)),
  );
  return reshape(row, shape.slice(1));
}

/** How many rows are put together at once: a kernel that joins them asks for each element which of them it is in. */
const mostJoined = 8;

/** Rows [1, …] one after the other, joined in groups of groups. */
function stackRows(rows: readonly Node[]): Node {
  let list = rows;
  while (list.length > 1) {
    const groups: Node[] = [];
    for (let i = 0; i < list.length; i += mostJoined) groups.push(concat(list.slice(i, i + mostJoined), 0));
    list = groups;
  }
  return list[0]!;
}
