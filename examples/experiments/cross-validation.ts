// k-fold cross-validation with early stopping, on tables: iris (150 flowers, three species; beside this file's folder) and WDBC (569
// biopsies, benign or malignant; from the folder of data). Each fifth is the test set once. Of the other rows a fifth is kept aside
// to see when to stop; the best epoch's weights are used.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callbacks, initializers, losses, Model, metrics, nn, optimizers, random } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { readTable, scaleOf, type Table } from '../support/table.ts';
import { timedFit } from '../support/timed-fit.ts';

const folds = 5;

async function crossValidate(table: Table, seed: number, options: RunOptions): Promise<Outcome> {
  const { labels, names } = table;
  const features = table.rows[0]!.length;
  const order = [...random(seed, 'folds').permutation(labels.length)];
  const confusions = new Float64Array(names.length ** 2);
  const totals = { steps: 0, seconds: 0, compileSeconds: 0 };
  const epochsRun: number[] = [];
  let curves: Record<string, readonly number[]> = {};
  for (let k = 0; k < (options.isSmall ? 1 : folds); k++) {
    const test = order.filter((_, i) => i % folds === k);
    const rest = order.filter((_, i) => i % folds !== k);
    const held = rest.filter((_, i) => i % folds === 0);
    const train = rest.filter((_, i) => i % folds !== 0);
    // Scaled by what the training rows say, or the test would not be one.
    const columns = Array.from({ length: features }, (_, f) => scaleOf(train.map((r) => table.rows[r]![f]!)));
    const part = (rows: readonly number[]) => ({
      x: rows.map((r) => table.rows[r]!.map((v, f) => (v - columns[f]!.mean) / columns[f]!.deviation)),
      y: rows.map((r) => labels[r]!),
    });
    const model = new Model({ input: [features] })
      .add(nn.dense(16, { init: initializers.heNormal() }), nn.relu(), nn.dense(names.length))
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
        part(train),
        train.length,
        {
          epochs: 200,
          batchSize: 16,
          seed,
          validation: part(held),
          callbacks: [callbacks.earlyStopping({ patience: 15, restoreBest: true })],
        },
        { onProgress: (share) => options.onProgress?.((k + share) / folds) },
      );
      const found = await model.measure(metrics.confusionMatrix(), part(test));
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
