// A residual net on CIFAR-10's pictures (32 × 32, colour, ten classes), as they are or with augmentation: half of the pictures are
// mirrored, and all are moved by up to four pixels, another way each epoch. Batches are made while the workers train.

import { performance } from 'node:perf_hooks';
import { data, losses, metrics, optimizers, random, schedules } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import { resnet8 } from '../resnet.ts';
import { type Examples, readFolder } from '../support/datasets.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';

const batch = 50;
const [channels, side] = [3, 32];
const pixels = channels * side * side;

/** Copies a picture to `to`, mirrored or not, moved by (dx, dy); what comes in from outside is 0, the mean. */
function moved(from: Float32Array, to: Float32Array, mirrored: boolean, dx: number, dy: number): void {
  to.fill(0);
  for (let c = 0; c < channels; c++) {
    for (let y = Math.max(0, dy); y < Math.min(side, side + dy); y++) {
      for (let x = Math.max(0, dx); x < Math.min(side, side + dx); x++) {
        const source = mirrored ? side - 1 - (x - dx) : x - dx;
        to[(c * side + y) * side + x] = from[(c * side + y - dy) * side + source]!;
      }
    }
  }
}

/** Batches of all epochs. */
function* batches(
  { x, y }: Examples,
  epochs: number,
  seed: number,
): Generator<{ x: Float32Array; y: Int32Array }> {
  const draw = random(seed, 'augmentation');
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const rows of data.batchesOf(y.length, batch, { seed: seed * 65537 + epoch })) {
      const pictures = new Float32Array(batch * pixels);
      rows.forEach((row, i) => {
        const [from, to] = [
          x.subarray(row * pixels, (row + 1) * pixels),
          pictures.subarray(i * pixels, (i + 1) * pixels),
        ];
        moved(from, to, draw.uniform() < 0.5, draw.int(9) - 4, draw.int(9) - 4);
      });
      yield { x: pictures, y: data.gatherRows({ data: y, rowSize: 1 }, rows) };
    }
  }
}

async function run(seed: number, options: RunOptions): Promise<Outcome> {
  const all = await readFolder(`${options.data ?? '.'}/cifar10-small`);
  const count = options.isSmall ? 100 : all.train.y.length - (all.train.y.length % batch);
  const train = { x: all.train.x.subarray(0, count * pixels), y: all.train.y.subarray(0, count) };
  const test = options.isSmall
    ? { x: all.test.x.subarray(0, 100 * pixels), y: all.test.y.subarray(0, 100) }
    : all.test;
  const epochs = options.isSmall ? 1 : 24;
  const steps = (epochs * count) / batch;
  const model = resnet8([channels, side, side], 10, 16).compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    metrics: [metrics.accuracy()],
    threads: options.threads,
    seed,
  });
  try {
    const start = performance.now();
    await model.program.compile('train', { batch });
    const compiled = performance.now();
    const rate = schedules.oneCycle({ rate: 0.1, steps });
    const { loss } = await model.program.run('train', {
      steps,
      feed: batches(train, epochs, seed),
      outputs: { loss: 'each' },
      schedules: { 'optimizer/learningRate': Float32Array.from({ length: steps }, (_, i) => rate(i)) },
      onProgress: ({ done }) => options.onProgress?.(done / steps),
    });
    const end = performance.now();
    const { accuracy } = await model.evaluate(test, { batchSize: 100 });
    const confusions = await model.measure(metrics.confusionMatrix(), test, { batchSize: 100 });
    const figure = plot.rows(
      [
        plot.curves({ loss: loss!.data as Float32Array }, { y: 'loss', smooth: 100, height: 160 }),
        plot.confusionMatrix(confusions, { names: data.cifar10Classes }),
        await plot.filters(model.program.get('stem/conv1/w'), { title: 'kernels of the first convolution' }),
      ],
      { title: 'resnet-cifar' },
    );
    return {
      value: accuracy!,
      losses: loss!.data as Float32Array,
      steps,
      seconds: (end - compiled) / 1000,
      compileSeconds: (compiled - start) / 1000,
      figure,
    };
  } finally {
    await model.dispose();
  }
}

export const resnetCifar: readonly Experiment[] = [
  {
    name: 'resnet-cifar',
    about: 'a residual net on 5,000 pictures of CIFAR-10, mirrored and moved',
    metric: 'test_accuracy',
    median: [0.6, 1],
    isSlow: true,
    needs: 'cifar10-small',
    run: (seed, options = {}) => run(seed, options),
  },
];
