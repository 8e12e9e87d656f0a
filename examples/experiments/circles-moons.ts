// Two circles and two moons, 5,000 points each, all of them in every step; written by the symbolic API. A net of 2–5–2–1 with the
// settings of a tutorial, twice: `published` divides the gradients of biases once more by the number of points, a slip of the
// tutorial's, so that biases hardly move; `true-gradient` does not. `adam` is what one would do: wider, logits, Adam.
//
// Few features and many rows: the nets compute on [features, rows], so that rows lie side by side in memory.

import {
  add,
  data,
  div,
  entry,
  grad,
  type Initializer,
  initializers,
  type Layer,
  log,
  losses,
  matmul,
  mean,
  mul,
  neg,
  nn,
  type Optimizer,
  optimizers,
  parametersOf,
  program,
  reshape,
  sub,
  type Tensor,
  tensor,
  transpose,
} from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import { areaUnderCurve } from '../support/auc.ts';
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
  readonly loss: (output: Tensor, target: Tensor) => Tensor;
  /** An output of at least this says yes. */
  readonly threshold: number;
  readonly optimizer: Optimizer;
  readonly steps: number;
}

/** Wᵀ · x + b, for x of [from, rows]. */
function dense(from: number, to: number, w: Initializer, b: Initializer): Layer {
  return nn.layer('dense', (x, ctx) => {
    const weights = transpose(ctx.variable('w', [from, to], w));
    return add(matmul(weights, x), reshape(ctx.variable('b', [to], b), [to, 1])) as typeof x;
  });
}

/** Weights and biases even in [0, 1), as the tutorial has them. */
function positive(init: Stream, from: number, to: number): Layer {
  const w = init.uniforms(from * to, 0, 1);
  return dense(from, to, w, init.uniforms(to, 0, 1));
}

const he = (init: Stream, from: number, to: number): Layer =>
  dense(from, to, init.normals(from * to, Math.sqrt(2 / from)), initializers.zeros());

/** −mean(y log p + (1 − y) log(1 − p)) of probabilities as they are: NaN when one is 0 or 1 and the answer the other. */
const crossEntropy = (p: Tensor, y: Tensor): Tensor =>
  neg(mean(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p))))));

const sgd = optimizers.sgd({ learningRate: 0.05 });

const trueGradient: Method = {
  name: 'true-gradient',
  about: "the tutorial's settings, with the gradients as they are",
  net: (init) => [
    positive(init, 2, 5),
    nn.relu(),
    positive(init, 5, 2),
    nn.relu(),
    positive(init, 2, 1),
    nn.sigmoid(),
  ],
  loss: crossEntropy,
  threshold: 0.5,
  optimizer: sgd,
  steps: 9000,
};
const published: Method = {
  ...trueGradient,
  name: 'published',
  about: "a tutorial's settings and its slip: biases hardly move",
  // Biases have one dimension.
  optimizer: mapGradients(sgd, (g) => (g.type.shape.length === 1 ? div(g, points) : g)),
};
const adam: Method = {
  name: 'adam',
  about: 'a wider net, logits, Adam',
  net: (init) => [he(init, 2, 16), nn.relu(), he(init, 16, 16), nn.relu(), he(init, 16, 1)],
  loss: losses.binaryCrossEntropy,
  threshold: 0,
  optimizer: optimizers.adam({ learningRate: 0.01 }),
  steps: 1000,
};

const shapes = { circles: data.circles, moons: data.moons };

async function prepare(
  shape: keyof typeof shapes,
  { name, about, net, loss: lossOf, optimizer, steps, threshold }: Method,
  seed: number,
  options: RunOptions,
): Promise<Prepared> {
  const draws = streams(seed);
  const drawn = shapes[shape](points, { seed: draws.data });
  const place = (x: Float32Array) => ({ data: transposed(x), shape: [2, x.length / 2] });
  const feeds = { x: place(drawn.x), y: { data: Float32Array.from(drawn.y), shape: [1, points] } };
  const layers = net(draws.init);
  const inputs = { x: tensor([2, 'batch']), y: tensor([1, 'batch']) };
  const apply = (x: Tensor, ctx: Parameters<Layer['apply']>[1]): Tensor =>
    layers.reduce((h, l) => l.apply(h, ctx), x);
  const nets = program(
    {
      train: entry(
        inputs,
        ({ x, y }, ctx) => {
          const loss = lossOf(apply(x, ctx), y);
          const parameters = parametersOf(loss);
          optimizer.update(parameters, grad(loss, parameters), ctx);
          return { loss };
        },
        { training: true },
      ),
      predict: entry({ x: inputs.x }, ({ x }, ctx) => ({ output: apply(x, ctx) })),
      evaluate: entry(inputs, ({ x, y }, ctx) => ({ loss: lossOf(apply(x, ctx), y) })),
    },
    { threads: options.threads ?? 1 },
  );
  return {
    program: nets,
    feeds,
    rows: null,
    batch: points,
    steps,
    measure: async () => {
      const { loss } = await nets.run('evaluate', feeds);
      const scores = (await nets.run('predict', { x: feeds.x })).output.data;
      const answers = Array.from(scores, (s) => Number(s >= threshold));
      return {
        value: areaUnderCurve(answers, drawn.y),
        others: { auc_of_scores: areaUnderCurve(scores, drawn.y), loss: loss.data[0]! },
      };
    },
    figure: async (losses) => {
      const predict = async (grid: Float32Array) => {
        const { data } = (await nets.run('predict', { x: place(grid) })).output;
        return {
          data: threshold === 0 ? data.map((z) => 1 / (1 + Math.exp(-z))) : data,
          shape: [data.length],
        };
      };
      const regions = await plot.decisionRegions({ ...drawn, margin: 0.2, predict });
      const curve = plot.curves({ loss: losses }, { y: 'loss', height: 220 });
      return plot.columns([regions, curve], { title: `${shape}-${name}: ${about}` });
    },
  };
}

/** [rows, 2] as [2, rows]. */
function transposed(x: Float32Array): Float32Array {
  const rows = x.length / 2;
  return Float32Array.from(x, (_, i) => x[2 * (i % rows) + Math.floor(i / rows)]!);
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
