// Three arms of a spiral, 100 points each, and seven ways to train a net on them: with other optimizers, with batch norm, with
// dropout, as a residual net. Change a line of `variants` and run it: npm run examples -- spiral-adam

import { data, type Layer, losses, Model, metrics, nn, type Optimizer, optimizers } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import {
  type Experiment,
  type Prepared,
  type Range,
  type RunOptions,
  training,
} from '../support/experiment.ts';
import { rmspropInside } from '../support/rmsprop-inside.ts';
import { type Streams, streams } from '../support/streams.ts';
import { wordDropout } from '../support/word-dropout.ts';

const batch = 20;
const epochs = 200;

interface Variant {
  readonly name: string;
  readonly about: string;
  readonly net: (draws: Streams) => readonly Layer[];
  readonly optimizer: Optimizer;
  /** Training accuracy, of the median seed. */
  readonly median: Range;
}

const sgd = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.001 };
const small = 0.01;

/** 2–100–3, with something in the middle. Weights are drawn in the order of layers. */
const dense = ({ init }: Streams, middle: readonly Layer[] = [nn.relu()]): Layer[] => [
  nn.dense(100, { init: init.normals(2 * 100, small) }),
  ...middle,
  nn.dense(3, { init: init.normals(100 * 3, small) }),
];

/** Width 32, three blocks of h + b · relu(a · h), no activation after the sum. */
function residual({ init }: Streams): Layer[] {
  const linear = (from: number, to: number, scale = 1): Layer =>
    nn.dense(to, { init: init.normals(from * to, scale * Math.sqrt(2 / from)) });
  const first = [linear(2, 32), nn.relu()];
  const blocks = [1, 2, 3].map(() => nn.residual([linear(32, 32), nn.relu(), linear(32, 32, 0.5)]));
  return [...first, ...blocks, linear(32, 3)];
}

const variants: readonly Variant[] = [
  {
    name: 'spiral-sgd',
    about: 'plain gradient descent, learning rate 1',
    net: dense,
    optimizer: optimizers.sgd({ learningRate: 1, weightDecay: 0.001 }),
    median: [0.94, 1],
  },
  {
    name: 'spiral-momentum',
    about: 'momentum 0.9',
    net: dense,
    optimizer: optimizers.sgd(sgd),
    median: [0.94, 1],
  },
  {
    name: 'spiral-rmsprop',
    about: 'RMSProp with epsilon inside of the root',
    net: dense,
    optimizer: rmspropInside({ learningRate: 0.005, alpha: 0.99, epsilon: 1e-7 }),
    median: [0.96, 1],
  },
  {
    name: 'spiral-adam',
    about: 'Adam',
    net: dense,
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    median: [0.98, 1],
  },
  {
    name: 'spiral-batchnorm',
    about: 'batch norm before the ReLU, momentum 0.9',
    net: (draws) => dense(draws, [nn.batchNorm(), nn.relu()]),
    optimizer: optimizers.sgd(sgd),
    median: [0.95, 1],
  },
  {
    name: 'spiral-dropout',
    about: 'a fifth of the hidden values dropped, Adam',
    net: (draws) => dense(draws, [nn.relu(), wordDropout(0.2, draws.extra)]),
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    median: [0.95, 1],
  },
  {
    name: 'spiral-residual',
    about: 'a residual net of width 32, Adam',
    net: residual,
    optimizer: optimizers.adam({ learningRate: 0.003 }),
    median: [0.99, 1],
  },
];

async function prepare(
  { name, about, net, optimizer }: Variant,
  seed: number,
  options: RunOptions,
): Promise<Prepared> {
  const draws = streams(seed);
  const { x, y } = data.spiral(100, 3, draws.data);
  const model = new Model({ input: [2] }).add(...net(draws)).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer,
    metrics: [metrics.accuracy()],
    threads: options.threads ?? 1,
  });
  const rows = draws.order.rows(300, epochs, batch);
  return {
    program: model.program,
    feeds: { x, y },
    rows,
    batch,
    steps: rows.length / batch,
    measure: async () => {
      const { accuracy, loss } = await model.evaluate({ x, y }, { batchSize: 300 });
      return { value: accuracy!, others: { full_loss: loss! } };
    },
    figure: async (losses) =>
      plot.columns(
        [
          await plot.decisionRegions({
            x,
            y,
            step: 0.02,
            predict: (places) => model.predict(places, { batchSize: 8192 }),
          }),
          plot.curves({ loss: losses }, { y: 'loss', height: 230, smooth: 50 }),
        ],
        { title: `${name}: ${about}` },
      ),
  };
}

export const spiral: readonly Experiment[] = variants.map((variant) => ({
  name: variant.name,
  about: variant.about,
  metric: 'train_accuracy',
  median: variant.median,
  ...training((seed, options) => prepare(variant, seed, options)),
}));
