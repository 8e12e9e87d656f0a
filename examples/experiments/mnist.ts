// Handwritten digits and a small convolutional net, one epoch: conv 5 × 5 and max pooling twice, then two dense layers. Pixels are
// bytes until the net divides them by 256, so a set of 60,000 takes 47 MB and is never copied as floats.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cast,
  data,
  type Layer,
  losses,
  Model,
  metrics,
  mul,
  nn,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import { type Experiment, type Prepared, type RunOptions, training } from '../support/experiment.ts';
import { InputError } from '../support/input-error.ts';
import { mapGradients } from '../support/map-gradients.ts';
import { rmspropInside } from '../support/rmsprop-inside.ts';
import { type Stream, streams } from '../support/streams.ts';

const batch = 64;
const rmsprop = rmspropInside({ learningRate: 0.001, alpha: 0.99, epsilon: 1e-7 });

/** Weights and biases even in [−b, b), b = 1 / √fan-in. */
function even(init: Stream, count: number, fanIn: number): ReturnType<Stream['uniforms']> {
  const b = 1 / Math.sqrt(fanIn);
  return init.uniforms(count, -b, b);
}

function net(init: Stream): Layer[] {
  const conv = (from: number, to: number): Layer =>
    nn.conv2d(to, 5, { init: even(init, to * from * 25, from * 25), biasInit: even(init, to, from * 25) });
  const dense = (from: number, to: number): Layer =>
    nn.dense(to, { init: even(init, from * to, from), biasInit: even(init, to, from) });
  return [
    conv(1, 10),
    nn.maxPool2d(2),
    nn.relu(),
    conv(10, 20),
    nn.maxPool2d(2),
    nn.relu(),
    nn.flatten(),
    dense(320, 120),
    nn.relu(),
    dense(120, 10),
  ];
}

async function read(folder: string, name: string): Promise<Uint8Array> {
  for (const file of [`${name}.gz`, name]) {
    const bytes = await readFile(join(folder, file)).catch(() => null);
    if (bytes !== null) return (await data.loadIdx(bytes)).data as Uint8Array;
  }
  throw new InputError(`${folder}: there is no ${name} (or .gz)`);
}

async function prepare(seed: number, options: RunOptions): Promise<Prepared> {
  const folder = join(options.data ?? '.', 'mnist');
  const x = await read(folder, 'train-images-idx3-ubyte');
  const y = Int32Array.from(await read(folder, 'train-labels-idx1-ubyte'));
  const test = {
    x: await read(folder, 't10k-images-idx3-ubyte'),
    y: Int32Array.from(await read(folder, 't10k-labels-idx1-ubyte')),
  };
  const draws = streams(seed);
  const layers = net(draws.init);
  const model = new Model({
    input: tensor([1, 28, 28], 'u8'),
    build: ({ x }, ctx) => layers.reduce((h: Tensor, l) => l.apply(h, ctx), mul(cast(x!, 'f32'), 1 / 256)),
  }).compile({
    loss: losses.softmaxCrossEntropy,
    // The gradient of the sum over the batch, where the loss is the mean.
    optimizer: mapGradients(rmsprop, (g) => mul(g, batch)),
    metrics: [metrics.accuracy()],
    threads: options.threads,
  });
  const rows = draws.order.rows(y.length, 1, batch);
  return {
    program: model.program,
    feeds: { x: { data: x, shape: [y.length, 1, 28, 28] }, y },
    rows,
    batch,
    steps: rows.length / batch,
    measure: async () => {
      const { accuracy, loss } = await model.evaluate(test, { batchSize: 250 });
      return { value: accuracy!, others: { test_loss: loss! } };
    },
    figure: async (losses) => {
      const { data: logits } = await model.predict(
        { data: test.x, shape: [test.y.length, 1, 28, 28] },
        { batchSize: 250 },
      );
      const said = Array.from(test.y, (_, i) => largest(logits, i));
      // The first twenty, and the first five that are wrong.
      const wrong = said.flatMap((s, i) => (s === test.y[i] ? [] : [i])).slice(0, 5);
      const shown = [...Array(20).keys(), ...wrong];
      const pictures = (rows: readonly number[]): plot.PredictionsOptions => ({
        images: {
          data: Uint8Array.from(rows.flatMap((r) => [...test.x.subarray(784 * r, 784 * (r + 1))])),
          shape: [rows.length, 1, 28, 28],
        },
        labels: rows.map((r) => test.y[r]!),
        predicted: rows.map((r) => said[r]!),
      });
      const bars = plot.bars(Object.fromEntries(probabilities(logits).entries()), { x: 'probability' });
      const first = await plot.predictions({ ...pictures([0]), columns: 1 });
      return plot.rows(
        [
          plot.columns([first, bars], { shares: [1, 4] }),
          await plot.predictions(pictures(shown)),
          plot.curves({ loss: losses }, { y: 'loss, mean of 100', height: 160, smooth: 100 }),
        ],
        { title: 'mnist-cnn-clean: the first digits of the test set, and five that it gets wrong' },
      );
    },
  };
}

/** Class with the largest logit of an example. */
function largest(logits: ArrayLike<number>, example: number): number {
  let best = 0;
  for (let k = 1; k < 10; k++) if (logits[10 * example + k]! > logits[10 * example + best]!) best = k;
  return best;
}

/** Softmax of the logits of the first example. */
function probabilities(logits: ArrayLike<number>): number[] {
  const powers = Array.from({ length: 10 }, (_, k) => Math.exp(logits[k]! - logits[largest(logits, 0)]!));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((p) => p / sum);
}

export const mnist: readonly Experiment[] = [
  {
    name: 'mnist-cnn-clean',
    about: 'a small convolutional net, one epoch of handwritten digits',
    metric: 'test_accuracy',
    median: [0.973, 1],
    each: [0.965, 1],
    needs: 'mnist',
    ...training(prepare),
  },
];
