// The product of two numbers: one layer cannot learn it, two can.

import { data, type Layer, losses, Model, metrics, nn, optimizers } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import { epochSums } from '../support/epoch-sums.ts';
import {
  type Experiment,
  type Prepared,
  type Range,
  type RunOptions,
  training,
} from '../support/experiment.ts';
import { type Stream, streams } from '../support/streams.ts';

const batch = 50;
const epochs = 50;
const rowCount = 1000;

interface Variant {
  readonly name: string;
  readonly about: string;
  /** Its name beside the other's curve. */
  readonly layers: string;
  readonly net: (init: Stream) => readonly Layer[];
  readonly learningRate: number;
  /** Sum of the batch losses of the last epoch, of the median seed. */
  readonly median: Range;
  /** R² on all rows. */
  readonly rSquared: Range;
}

const linear = (init: Stream, from: number, to: number): Layer =>
  nn.dense(to, { init: init.normals(from * to, Math.sqrt(1 / from)) });

const variants: readonly Variant[] = [
  {
    name: 'product-1layer',
    about: 'one layer, which cannot learn it',
    layers: '1 layer',
    net: (init) => [linear(init, 2, 1)],
    learningRate: 0.01,
    median: [17, 22],
    rSquared: [0, 0.05],
  },
  {
    name: 'product-2layer',
    about: 'ten hidden values and a sigmoid',
    layers: '2 layers',
    net: (init) => [linear(init, 2, 10), nn.sigmoid(), linear(init, 10, 1)],
    learningRate: 0.3,
    median: [0, 0.31],
    rSquared: [0.985, 1],
  },
];

async function prepare(
  { name, about, layers, net, learningRate }: Variant,
  seed: number,
  options: RunOptions,
): Promise<Prepared> {
  const draws = streams(seed);
  const { x, y } = data.product(rowCount, { seed: draws.data });
  const model = new Model({ input: [2] }).add(...net(draws.init)).compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.sgd({ learningRate }),
    metrics: [metrics.rSquared()],
    threads: options.threads ?? 1,
  });
  const rows = draws.order.rows(rowCount, epochs, batch);
  return {
    program: model.program,
    feeds: { x, y },
    rows,
    batch,
    steps: rows.length / batch,
    measure: async (losses) => {
      const { rSquared } = await model.evaluate({ x, y }, { batchSize: rowCount });
      return { value: epochSums(losses, rowCount / batch).at(-1)!, others: { r_squared: rSquared! } };
    },
    figure: async (losses) => {
      const other = variants.find((v) => v.name !== name)!;
      const { losses: otherLosses } = await training((s, o) => prepare(other, s, o)).run(seed);
      const sums = { [layers]: epochSums(losses, 20), [other.layers]: epochSums(otherLosses, 20) };
      const grid = places();
      const field = await model.predict(grid, { batchSize: side * side });
      const truth = Float32Array.from(field.data, (_, i) => grid[2 * i]! * grid[2 * i + 1]!);
      return plot.rows(
        [
          plot.curves(sums, { x: 'epoch', y: 'sum of batch losses', from: 1, height: 190 }),
          await plot.surfaces({
            x: [-2, 2],
            y: [-2, 2],
            size: [side, side],
            fields: { [`net, ${layers}`]: field.data, 'x₁ · x₂': truth },
          }),
        ],
        { title: `${name}: ${about}` },
      );
    },
  };
}

/** Places a side of the grid that the figure shows. */
const side = 80;

/** Their coordinates in [−2, 2]², row by row from the top. */
function places(): Float32Array {
  const at = (i: number): number => -2 + (4 * (i + 0.5)) / side;
  return Float32Array.from({ length: 2 * side * side }, (_, k) => {
    const i = k >> 1;
    return k % 2 === 0 ? at(i % side) : -at(Math.floor(i / side));
  });
}

export const product: readonly Experiment[] = variants.map((variant) => ({
  name: variant.name,
  about: variant.about,
  metric: 'last_epoch_loss_sum',
  median: variant.median,
  also: { r_squared: variant.rSquared },
  ...training((seed, options) => prepare(variant, seed, options)),
}));
