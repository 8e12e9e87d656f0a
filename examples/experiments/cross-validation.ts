// k-fold cross-validation with early stopping, on tables: iris (150 flowers, three species; beside this file's folder) and WDBC (569
// biopsies, benign or malignant; from the folder of data). Each fifth is the test set once. Of the other rows a fifth is kept aside
// to see when to stop; the best epoch's weights are used.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  callbacks,
  constant,
  Dataset,
  div,
  initializers,
  losses,
  Model,
  metrics,
  nn,
  optimizers,
  sub,
  type Tensor,
} from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { readTable, scaleOf, type Table } from '../support/table.ts';
import { timedFit } from '../support/timed-fit.ts';

const folds = 5;

async function crossValidate(
  { rows, labels, names }: Table,
  seed: number,
  options: RunOptions,
): Promise<Outcome> {
  const features = rows[0]!.length;
  const confusions = new Float64Array(names.length ** 2);
  const totals = { steps: 0, seconds: 0, compileSeconds: 0 };
  const epochsRun: number[] = [];
  let curves: Record<string, readonly number[]> = {};
  const x = { data: Float32Array.from(rows.flat()), shape: [rows.length, features] };
  const table = Dataset.from({ x, y: Int32Array.from(labels) });
  for (const [k, { train: rest, validation: test }] of table.kFold(folds, { seed }).entries()) {
    if (options.isSmall && k > 0) break;
    const [train, held] = rest.split(1 - 1 / folds, { seed });
    // Scaled by what the training rows say, or the test would not be one.
    const seen = (await train.toArray()).map(({ x }) => x as ArrayLike<number>);
    const columns = Array.from({ length: features }, (_, f) => scaleOf(seen.map((x) => x[f]!)));
    const standardize = nn.lambda<nn.SameShape>((x) =>
      div(sub(x, constant(columns.map((c) => c.mean))) as Tensor, constant(columns.map((c) => c.deviation))),
    );
    const model = new Model({ input: [features] })
      .add(standardize, nn.dense(16, { init: initializers.heNormal() }), nn.relu(), nn.dense(names.length))
      .compile({
        loss: losses.softmaxCrossEntropy,
        optimizer: optimizers.adam({ learningRate: 0.01 }),
        metrics: [metrics.accuracy()],
        threads: 1,
        seed: seed * folds + k,
      });
    try {
      const { history, ...run } = await timedFit(
        model,
        train.shuffle({ seed }),
        seen.length,
        {
          epochs: 200,
          batchSize: 16,
          validation: held,
          callbacks: [callbacks.earlyStopping({ patience: 15, restoreBest: true })],
        },
        { onProgress: (share) => options.onProgress?.((k + share) / folds) },
      );
      const found = await model.measure(metrics.confusionMatrix(), test);
      for (const [r, row] of found.entries())
        for (const [c, n] of row.entries()) confusions[r * names.length + c]! += n;
      for (const key of ['steps', 'seconds', 'compileSeconds'] as const) totals[key] += run[key];
      epochsRun.push(history['loss']!.length);
      curves = { training: history['loss']!, 'kept aside': history['valLoss']! };
    } finally {
      await model.dispose();
    }
  }
  const right = names.reduce((sum, _, c) => sum + confusions[c * names.length + c]!, 0);
  const figure = plot.columns([
    plot.confusionMatrix([...confusions], { names, title: 'all folds' }),
    plot.curves(curves, { x: 'epoch', y: 'loss', from: 1, title: 'last fold' }),
  ]);
  const epochs = epochsRun.reduce((a, b) => a + b, 0) / epochsRun.length;
  return {
    value: right / confusions.reduce((a, b) => a + b),
    others: { epochs_until_stopped: epochs },
    losses: curves['training']!,
    ...totals,
    figure,
  };
}

/** From build/examples/experiments/ to the sources. */
const iris = fileURLToPath(new URL('../../../examples/data/iris.csv', import.meta.url));

export const crossValidation: readonly Experiment[] = [
  {
    name: 'iris-folds',
    about: 'five folds and early stopping on iris',
    metric: 'test_accuracy',
    median: [0.94, 1],
    run: async (seed, options = {}) => crossValidate(await readTable(iris, 4, 0, 4), seed, options),
  },
  {
    name: 'wdbc-folds',
    about: 'five folds and early stopping on biopsies',
    metric: 'test_accuracy',
    median: [0.955, 1],
    needs: 'classics',
    run: async (seed, options = {}) =>
      crossValidate(await readTable(join(options.data ?? '.', 'classics/wdbc.csv'), 1, 2, 32), seed, options),
  },
];
