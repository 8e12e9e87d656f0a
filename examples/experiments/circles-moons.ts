// Two circles and two moons, 5,000 points each, all of them in every step. A net of 2–5–2–1 with the settings of a tutorial, twice:
// `published` divides the gradients of biases once more by the number of points, a slip of the tutorial's, so that biases
// hardly move; `true-gradient` does not. `adam` is what one would do: a wider net, logits, Adam.

import {
  data,
  div,
  type Layer,
  losses,
  Model,
  metrics,
  nn,
  type Optimizer,
  optimizers,
} from '../../src/index.ts';
import {
  type Experiment,
  type Prepared,
  type Range,
  type RunOptions,
  training,
} from '../support/experiment.ts';
import { mapGradients } from '../support/map-gradients.ts';
import { type Stream, streams } from '../support/streams.ts';

const points = 5000;

interface Method {
  readonly name: string;
  readonly about: string;
  readonly net: (init: Stream) => readonly Layer[];
  readonly optimizer: Optimizer;
  readonly steps: number;
  /** Whether the net puts out logits, or probabilities. */
  readonly fromLogits: boolean;
}

/** Weights and biases even in [0, 1), as the tutorial has them. */
const positive = (init: Stream, from: number, to: number): Layer => {
  const w = init.uniforms(from * to, 0, 1);
  return nn.dense(to, { init: w, biasInit: init.uniforms(to, 0, 1) });
};
const he = (init: Stream, from: number, to: number): Layer =>
  nn.dense(to, { init: init.normals(from * to, Math.sqrt(2 / from)) });

const narrow = (init: Stream): Layer[] => [
  positive(init, 2, 5),
  nn.relu(),
  positive(init, 5, 2),
  nn.relu(),
  positive(init, 2, 1),
  nn.sigmoid(),
];
const wide = (init: Stream): Layer[] => [
  he(init, 2, 16),
  nn.relu(),
  he(init, 16, 16),
  nn.relu(),
  he(init, 16, 1),
];

const sgd = optimizers.sgd({ learningRate: 0.05 });

const published: Method = {
  name: 'published',
  about: "a tutorial's settings and its slip: biases hardly move",
  net: narrow,
  // Biases have one dimension.
  optimizer: mapGradients(sgd, (g) => (g.type.shape.length === 1 ? div(g, points) : g)),
  steps: 9000,
  fromLogits: false,
};
const trueGradient: Method = {
  ...published,
  name: 'true-gradient',
  about: 'the same with the gradients as they are',
  optimizer: sgd,
};
const adam: Method = {
  name: 'adam',
  about: 'a wider net, logits, Adam',
  net: wide,
  optimizer: optimizers.adam({ learningRate: 0.01 }),
  steps: 1000,
  fromLogits: true,
};

const shapes = { circles: data.circles, moons: data.moons };

async function prepare(
  shape: keyof typeof shapes,
  { net, optimizer, steps, fromLogits }: Method,
  seed: number,
  options: RunOptions,
): Promise<Prepared> {
  const draws = streams(seed);
  const { x, y: labels } = shapes[shape](points, { seed: draws.data });
  const y = Float32Array.from(labels);
  const model = new Model({ input: [2] }).add(...net(draws.init)).compile({
    loss: losses.withOptions(losses.binaryCrossEntropy, { fromLogits }),
    optimizer,
    metrics: [metrics.rocAuc()],
    threads: options.threads ?? 1,
  });
  return {
    program: model.program,
    feeds: { x, y },
    rows: null,
    batch: points,
    steps,
    measure: async () => {
      const { loss, rocAuc } = await model.evaluate({ x, y }, { batchSize: points });
      const scores = (await model.predict(x, { batchSize: points })).data;
      const value = aucOfLabels(scores, labels, fromLogits ? 0 : 0.5);
      return { value, others: { auc_of_scores: rocAuc!, loss: loss! } };
    },
  };
}

/** The area under the ROC curve of answers yes or no: the mean of the shares of right ones among both. */
function aucOfLabels(scores: ArrayLike<number>, labels: Int32Array, threshold: number): number {
  const right = [0, 0];
  const all = [0, 0];
  labels.forEach((label, i) => {
    all[label]!++;
    if (Number(scores[i]! >= threshold) === label) right[label]!++;
  });
  return (right[0]! / all[0]! + right[1]! / all[1]!) / 2;
}

const record = (shape: keyof typeof shapes, method: Method, median: Range): Experiment => ({
  name: `${shape}-${method.name}`,
  about: method.about,
  metric: 'auc_of_labels',
  median,
  ...training((seed, options) => prepare(shape, method, seed, options)),
});

export const circlesAndMoons: readonly Experiment[] = [
  record('circles', published, [0.78, 0.85]),
  record('circles', trueGradient, [0.97, 1]),
  record('circles', adam, [0.994, 1]),
  record('moons', published, [0.885, 1]),
  record('moons', trueGradient, [0.885, 1]),
  record('moons', adam, [0.9995, 1]),
];
