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
  };
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
