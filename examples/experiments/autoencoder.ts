// An autoencoder: pictures of figures, 784 pixels, go through 12 numbers and come out again. The error of the mean picture is what a
// net without any input reaches.

import { data, initializers, losses, Model, nn, optimizers } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { timedFit } from '../support/timed-fit.ts';

const pixels = 784;
const code = 12;

/** Clean figures, without clutter and noise; pixels in [0, 1], light on dark. */
function pictures(count: number, seed: number): Float32Array {
  const { images } = data.shapes(count, seed, { noise: 0, clutter: 0 });
  return Float32Array.from(images, (byte) => byte / 255);
}

async function run(seed: number, options: RunOptions): Promise<Outcome> {
  const count = options.isSmall ? 128 : 6400;
  const [train, test] = [pictures(count, 2 * seed), pictures(500, 2 * seed + 1)];
  const he = { init: initializers.heNormal() };
  const model = new Model({ input: [pixels] })
    .add(nn.dense(256, he), nn.relu(), nn.dense(code, { name: 'code' }))
    .add(nn.dense(256, he), nn.relu(), nn.dense(pixels), nn.sigmoid())
    .compile({
      loss: losses.meanSquaredError,
      optimizer: optimizers.adam({ learningRate: 0.001 }),
      threads: options.threads,
      seed,
    });
  try {
    const fit = { epochs: options.isSmall ? 1 : 20, batchSize: 64, seed };
    const { history: _, ...trained } = await timedFit(model, { x: train, y: train }, count, fit, options);
    const { loss } = await model.evaluate({ x: test, y: test }, { batchSize: 250 });
    const again = (await model.predict(test, { batchSize: 250 })).data;
    const first = (all: ArrayLike<number>): plot.PictureData => ({
      data: Float32Array.from({ length: 10 * pixels }, (_, i) => all[i]!),
      shape: [10, 1, 28, 28],
    });
    const names = data.shapeClasses;
    const labels = Array.from({ length: 10 }, (_, i) => i);
    const row = (images: plot.PictureData): Promise<plot.Figure> =>
      plot.predictions({ images, labels, predicted: labels, names, columns: 10 });
    const figure = plot.rows([await row(first(test)), await row(first(again))], {
      title: `autoencoder: pictures, and what comes back through ${code} numbers`,
    });
    return { value: loss!, others: { error_of_the_mean_picture: errorOfMean(test) }, ...trained, figure };
  } finally {
    await model.dispose();
  }
}

function errorOfMean(pictures: Float32Array): number {
  const count = pictures.length / pixels;
  const mean = new Float64Array(pixels);
  pictures.forEach((v, i) => {
    mean[i % pixels]! += v / count;
  });
  return pictures.reduce((sum, v, i) => sum + (v - mean[i % pixels]!) ** 2, 0) / pictures.length;
}

export const autoencoder: readonly Experiment[] = [
  {
    name: 'autoencoder',
    about: 'pictures of 784 pixels through 12 numbers and back',
    metric: 'test_squared_error',
    median: [0, 0.013],
    isSlow: true,
    run: (seed, options = {}) => run(seed, options),
  },
];
