// The adding problem (Hochreiter and Schmidhuber, 1997): a sequence of numbers, two of them marked; the answer is their sum. Who
// guesses the mean has an error of 1/6. An LSTM has to remember both to the end.

import { losses, Model, nn, optimizers, random } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { timedFit } from '../support/timed-fit.ts';

const length = 24;

/** Sequences [count, length, 2] of a number in [0, 1) and a mark, one in each half; sums [count, 1]. */
function sequences(
  count: number,
  seed: number,
  part: string,
): { readonly x: Float32Array; readonly y: Float32Array } {
  const draw = random(seed, 'adding', part);
  const x = new Float32Array(count * length * 2);
  const y = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = (step: number): number => 2 * (i * length + step);
    for (let s = 0; s < length; s++) x[at(s)] = draw.uniform();
    for (const step of [draw.int(length / 2), length / 2 + draw.int(length / 2)]) {
      x[at(step) + 1] = 1;
      y[i]! += x[at(step)]!;
    }
  }
  return { x, y };
}

async function run(seed: number, options: RunOptions): Promise<Outcome> {
  const count = options.isSmall ? 256 : 6400;
  const [train, test] = [sequences(count, seed, 'train'), sequences(1000, seed, 'test')];
  const model = new Model({ input: [length, 2] })
    .add(nn.lstm(32, { sequences: false }), nn.dense(1))
    .compile({
      loss: losses.meanSquaredError,
      optimizer: optimizers.adam({ learningRate: 0.005, clipNorm: 1 }),
      threads: options.threads ?? 1,
      seed,
    });
  try {
    const fit = { epochs: options.isSmall ? 2 : 12, batchSize: 64, seed };
    const { history: _, ...trained } = await timedFit(model, train, count, fit, options);
    const { loss } = await model.evaluate(test, { batchSize: 250 });
    const said = (await model.predict(test.x, { batchSize: 250 })).data;
    const errors = Float32Array.from(said, (p, i) => p - test.y[i]!);
    const figure = plot.columns(
      [
        plot.curves({ training: trained.losses }, { x: 'epoch', y: 'squared error', from: 1, log: true }),
        plot.histograms({ errors }, { x: 'answer − sum, new sequences' }),
      ],
      { title: 'adding-lstm' },
    );
    return { value: loss!, ...trained, figure };
  } finally {
    await model.dispose();
  }
}

export const adding: readonly Experiment[] = [
  {
    name: 'adding-lstm',
    about: 'an LSTM adds two marked numbers of a sequence; guessing has an error of 0.167',
    metric: 'test_squared_error',
    median: [0, 0.002],
    isSlow: true,
    run: (seed, options = {}) => run(seed, options),
  },
];
