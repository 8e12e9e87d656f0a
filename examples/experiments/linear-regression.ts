// Linear regression by gradient descent: one dense layer finds the weights that its data was made with.

import { data, losses, Model, nn, optimizers } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import { epochSums } from '../support/epoch-sums.ts';
import {
  type Experiment,
  type Prepared,
  type Range,
  type RunOptions,
  training,
} from '../support/experiment.ts';
import { streams } from '../support/streams.ts';

const batch = 10;

interface Variant {
  readonly name: string;
  readonly about: string;
  readonly epochs: number;
  readonly noise: number;
  /** ‖w − w*‖₂, of the median seed. */
  readonly median: Range;
}

const variants: readonly Variant[] = [
  { name: 'linreg-10', about: 'ten epochs, no noise', epochs: 10, noise: 0, median: [0, 5e-3] },
  { name: 'linreg-30', about: 'thirty epochs, no noise', epochs: 30, noise: 0, median: [0, 1.8e-5] },
  { name: 'linreg-noise-10', about: 'ten epochs, noise 0.01', epochs: 10, noise: 0.01, median: [0, 6e-3] },
];

async function prepare(
  { name, about, epochs, noise }: Variant,
  seed: number,
  options: RunOptions,
): Promise<Prepared> {
  const draws = streams(seed);
  const { x, y, weights, bias } = data.linear(100, { seed: draws.data, noise });
  const line = nn.dense(1, { name: 'line', init: draws.init.normals(10, Math.sqrt(1 / 10)) });
  const { program } = new Model({ input: [10] }).add(line).compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.sgd({ learningRate: 0.05 }),
    threads: options.threads ?? 1,
  });
  const rows = draws.order.rows(100, epochs, batch);
  return {
    program,
    feeds: { x, y },
    rows,
    batch,
    steps: rows.length / batch,
    measure: async () => {
      const w = program.get('line/w').data;
      const b = program.get('line/b').data[0]!;
      const error = Math.hypot(...weights.map((v, i) => v - w[i]!));
      return { value: error, others: { bias_error: Math.abs(b - bias) } };
    },
    figure: async (losses) =>
      plot.curves(
        { loss: epochSums(losses, 100 / batch) },
        { title: `${name}: ${about}`, x: 'epoch', y: 'sum of batch losses', from: 1, log: true },
      ),
  };
}

export const linearRegression: readonly Experiment[] = variants.map((variant) => ({
  name: variant.name,
  about: variant.about,
  metric: 'weight_error',
  median: variant.median,
  ...training((seed, options) => prepare(variant, seed, options)),
}));
