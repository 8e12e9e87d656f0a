// A net with two inputs and two losses. In: a point of the two moons, turned about the origin, and the angle by which it was turned, as
// cosine and sine. Out: which moon it is of, and how far the point is from the moons' middle. Both answers come from one body.

import {
  concat,
  data,
  initializers,
  losses,
  Model,
  metrics,
  nn,
  optimizers,
  random,
  relu,
} from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { timedFit } from '../support/timed-fit.ts';

interface Turned {
  readonly x: { readonly point: Float32Array; readonly turn: Float32Array };
  readonly y: { readonly moon: Int32Array; readonly distance: Float32Array };
}

function turned(count: number, seed: number, part: string): Turned {
  const draw = random(seed, 'turned', part);
  const { x, y } = data.moons(count, { seed: draw, noise: 0.1 });
  const [point, turn] = [new Float32Array(2 * count), new Float32Array(2 * count)];
  const distance = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const angle = draw.uniform(0, 2 * Math.PI);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [u, v] = [x[2 * i]!, x[2 * i + 1]!];
    point.set([u * cos - v * sin, u * sin + v * cos], 2 * i);
    turn.set([cos, sin], 2 * i);
    distance[i] = Math.hypot(u - 0.5, v - 0.25);
  }
  return { x: { point, turn }, y: { moon: y, distance } };
}

async function run(seed: number, options: RunOptions): Promise<Outcome> {
  const count = options.isSmall ? 320 : 6400;
  const [train, test] = [turned(count, seed, 'train'), turned(2000, seed, 'test')];
  const he = { init: initializers.heNormal() };
  const body = nn.sequential([nn.dense(64, he), nn.relu(), nn.dense(64, he), nn.relu()], { name: 'body' });
  const [moon, distance] = [nn.dense(2, { name: 'moon' }), nn.dense(1, { name: 'distance' })];
  const model = new Model({
    input: { point: [2], turn: [2] },
    build: ({ point, turn }, ctx) => {
      const h = body.apply(concat([point!, turn!], 1), ctx);
      // A distance is not negative.
      return { moon: moon.apply(h, ctx), distance: relu(distance.apply(h, ctx)) };
    },
  }).compile({
    loss: { moon: losses.softmaxCrossEntropy, distance: losses.huber },
    lossWeights: { distance: 5 },
    metrics: { moon: [metrics.accuracy()], distance: [metrics.meanAbsoluteError()] },
    optimizer: optimizers.adam({ learningRate: 0.003 }),
    threads: options.threads ?? 1,
    seed,
  });
  try {
    const fit = { epochs: options.isSmall ? 2 : 40, batchSize: 64, seed };
    const { history, ...trained } = await timedFit(model, train, count, fit, options);
    const figures = await model.evaluate(test, { batchSize: 250 });
    const named = (word: string): number =>
      Object.entries(figures).find(([name]) => name.toLowerCase().includes(word))![1];
    const curve = (word: string): readonly number[] =>
      Object.entries(history).find(([name]) => name.toLowerCase().includes(word))![1];
    const figure = plot.columns(
      [
        plot.curves({ 'moon: accuracy': curve('accuracy') }, { x: 'epoch', from: 1, y: 'accuracy' }),
        plot.curves({ 'distance: error': curve('error') }, { x: 'epoch', from: 1, y: 'mean absolute error' }),
      ],
      { title: 'two-losses: which moon, and how far' },
    );
    return { value: named('accuracy'), others: { distance_error: named('error') }, ...trained, figure };
  } finally {
    await model.dispose();
  }
}

export const twoLosses: readonly Experiment[] = [
  {
    name: 'two-losses',
    about: 'two inputs, two answers, two losses over one body',
    metric: 'test_accuracy',
    median: [0.97, 1],
    also: { distance_error: [0, 0.06] },
    run: (seed, options = {}) => run(seed, options),
  },
];
