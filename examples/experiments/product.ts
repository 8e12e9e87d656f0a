// The product of two numbers: one layer cannot learn it, two can.

import { data, type Layer, losses, Model, metrics, nn, optimizers } from '../../src/index.ts';
import {
  type Experiment,
  type Prepared,
  type Range,
  type RunOptions,
  training,
} from '../support/experiment.ts';
import { type Stream, streams } from '../support/streams.ts';

const batch = 50;
const epochs = 50;
const rowCount = 1000;

interface Variant {
  readonly name: string;
  readonly about: string;
  readonly net: (init: Stream) => readonly Layer[];
  readonly learningRate: number;
  /** Sum of the batch losses of the last epoch, of the median seed. */
  readonly median: Range;
}

const linear = (init: Stream, from: number, to: number): Layer =>
  nn.dense(to, { init: init.normals(from * to, Math.sqrt(1 / from)) });

const variants: readonly Variant[] = [
  {
    name: 'product-1layer',
    about: 'one layer, which cannot learn it',
    net: (init) => [linear(init, 2, 1)],
    learningRate: 0.01,
    median: [17, 22],
  },
  {
    name: 'product-2layer',
    about: 'ten hidden values and a sigmoid',
    net: (init) => [linear(init, 2, 10), nn.sigmoid(), linear(init, 10, 1)],
    learningRate: 0.3,
    median: [0, 0.31],
  },
];

async function prepare({ net, learningRate }: Variant, seed: number, options: RunOptions): Promise<Prepared> {
  const draws = streams(seed);
  const { x, y } = data.product(rowCount, { seed: draws.data });
  const model = new Model({ input: [2] }).add(...net(draws.init)).compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.sgd({ learningRate }),
    metrics: [metrics.rSquared()],
    threads: options.threads ?? 1,
  });
  const rows = draws.order.rows(rowCount, epochs, batch);
  return {
    program: model.program,
    feeds: { x, y },
    rows,
    batch,
    steps: rows.length / batch,
    measure: async (losses) => {
      const { rSquared } = await model.evaluate({ x, y }, { batchSize: rowCount });
      return { value: epochSums(losses).at(-1)!, others: { r_squared: rSquared! } };
    },
  };
}

/** The batch losses of each epoch, summed. */
function epochSums(losses: ArrayLike<number>): number[] {
  const perEpoch = rowCount / batch;
  return Array.from({ length: Math.ceil(losses.length / perEpoch) }, (_, e) => {
    let sum = 0;
    for (let i = e * perEpoch; i < Math.min(losses.length, (e + 1) * perEpoch); i++) sum += losses[i]!;
    return sum;
  });
}

export const product: readonly Experiment[] = variants.map((variant) => ({
  name: variant.name,
  about: variant.about,
  metric: 'last_epoch_loss_sum',
  median: variant.median,
  ...training((seed, options) => prepare(variant, seed, options)),
}));
