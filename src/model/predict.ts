// Outputs of a net for all examples, and metrics of them.

import type { RunTensor } from '../../runtime/tensor.ts';
import { entry } from '../entry.ts';
import type { Metric } from '../metrics/metric.ts';
import { Program } from '../program.ts';
import type { Spec } from '../spec.ts';
import { batchesOfRows } from './batches.ts';
import type { RowsByName } from './examples.ts';
import { overBatches, Pace } from './loop.ts';
import { MetricTotals } from './totals.ts';

/** Every output for all examples: shapes [examples, …]. */
export async function predictAll(
  program: Program,
  rows: RowsByName,
  batchSize: number,
): Promise<Readonly<Record<string, RunTensor>>> {
  const { count } = Object.values(rows)[0]!;
  const all: Record<string, RunTensor> = {};
  let at = 0;
  await overBatches(program, {
    entry: 'predict',
    batches: batchesOfRows(rows, batchSize),
    pace: new Pace(),
    visit: (results, examples) => {
      for (const [name, { data, dtype, shape }] of Object.entries(results)) {
        const rowSize = data.length / examples;
        all[name] ??= {
          dtype,
          shape: [count, ...shape.slice(1)],
          data: new (data.constructor as Float32ArrayConstructor)(count * rowSize),
        };
        (all[name].data as Float32Array).set(data as Float32Array, at * rowSize);
      }
      at += examples;
      return true;
    },
  });
  return all;
}

/** A metric of predictions and targets, computed in batches on one thread. */
export async function measureRows<T>(
  metric: Metric<T>,
  prediction: RunTensor,
  target: Spec,
  y: RowsByName[string],
): Promise<T> {
  const { data, dtype, shape } = prediction;
  const program = new Program(
    {
      measure: entry({ prediction: { dtype, shape: ['batch', ...shape.slice(1)] }, y: target }, (given) =>
        metric.measure(given.prediction, given.y),
      ),
    },
    { threads: 1 },
  );
  const rowSize = data.length / y.count;
  const totals = new MetricTotals(metric);
  try {
    await overBatches(program as unknown as Program, {
      entry: 'measure',
      batches: batchesOfRows(
        { prediction: { data, rowSize, count: y.count, shape: shape.slice(1) }, y },
        256,
      ),
      pace: new Pace(),
      visit: (results) => {
        for (const [name, value] of Object.entries(results)) totals.add(name, value.data);
        return true;
      },
    });
    return totals.result(y.count);
  } finally {
    await program.dispose();
  }
}
