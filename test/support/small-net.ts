// A small training with everything that a run has to keep: batch norm (statistics), dropout (random numbers), Adam (moments).

import { type History, losses, type Metric, Model, metrics, nn, optimizers } from '../../src/index.ts';

export interface SmallNet {
  readonly seed?: number;
  readonly units?: number;
  readonly metrics?: readonly Metric[];
}

/** A classifier of points of the plane into two classes, ready for `fit`. */
export function smallNet({ seed = 4, units = 6, ...options }: SmallNet = {}): Model {
  return new Model({ input: [2] })
    .add(nn.dense(units), nn.batchNorm(), nn.relu(), nn.dropout(0.3), nn.dense(2))
    .compile({
      loss: losses.softmaxCrossEntropy,
      optimizer: optimizers.adam({ learningRate: 0.02 }),
      metrics: options.metrics ?? [metrics.accuracy()],
      threads: 1,
      seed,
    });
}

/** Everything that a training leaves behind, to the bit. */
export function outcomeOf(model: Model, history: History): string {
  const values = [...model.program.state()].map(([name, { data }]) => [
    name,
    Buffer.from(data.buffer).toString('hex'),
  ]);
  return JSON.stringify([history, values], null, 1);
}
