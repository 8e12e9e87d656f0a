// A training in a process of its own, to be interrupted: `node train-child.js CHECKPOINT OUTCOME [EPOCHS]`. It goes on from the
// checkpoint, if there is one, saves a new one every three steps, prints a line at each step, and at the end writes all variables and
// the history to OUTCOME.

import { writeFileSync } from 'node:fs';
import { callbacks, Dataset, losses, Model, metrics, nn, optimizers, schedules } from '../../src/index.ts';
import { outcomeOf } from './small-net.ts';

const [path, outcome, epochs = '4', seed = '1'] = process.argv.slice(2) as [string, string, string?, string?];
const n = 240;
const points = Array.from({ length: n }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const set = Dataset.from({ x: points, y: Int32Array.from(points, ([a, b]) => Number(a! * b! > 0)) })
  .shuffle({ seed: Number(seed) })
  .map(({ x, y }, { random }) => ({ x: (x as number[]).map((v) => v + random.normal(0, 0.05)), y }))
  .batch(16);
const model = new Model({ input: [2] })
  .add(nn.dense(64), nn.batchNorm(), nn.relu(), nn.dropout(0.3), nn.dense(64), nn.relu(), nn.dense(2))
  .compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.adam({ learningRate: 0.02 }),
    metrics: [metrics.accuracy()],
    threads: 1,
    seed: Number(seed),
  });
try {
  const history = await model.fit(set, {
    epochs: Number(epochs),
    learningRate: schedules.cosineDecay({ rate: 0.05, steps: 15 * Number(epochs) }),
    callbacks: [
      callbacks.checkpoint({ path, everySteps: 3 }),
      { onBatchEnd: ({ step }) => void process.stdout.write(`step ${step}\n`) },
    ],
    resume: { path, ifExists: true },
    verbose: false,
  });
  writeFileSync(outcome, outcomeOf(model, history));
  console.log('done');
} finally {
  await model.dispose();
}
