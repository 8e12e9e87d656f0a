// A small transformer sorts digits: it reads eight of them and puts out, at each place, the digit that stands there in order. Every
// place has to look at all others, which is what attention is for.

import {
  type cast,
  dense,
  initializers,
  losses,
  Model,
  nn,
  optimizers,
  random,
  tensor,
  transpose,
} from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { timedFit } from '../support/timed-fit.ts';

const length = 8;
const digits = 10;

function sequences(
  count: number,
  seed: number,
  part: string,
): { readonly x: Int32Array; readonly y: Int32Array } {
  const draw = random(seed, 'sorting', part);
  const x = Int32Array.from({ length: count * length }, () => draw.int(digits));
  const y = new Int32Array(x.length);
  for (let i = 0; i < x.length; i += length) y.set(x.slice(i, i + length).sort(), i);
  return { x, y };
}

/** Digits [N, 8] → logits [N, 10, 8]: classes on axis 1, as the loss wants them. */
function net(
  width: number,
): (x: Parameters<typeof cast>[0], ctx: Parameters<nn.Layer['apply']>[1]) => ReturnType<nn.Layer['apply']> {
  const embedding = nn.embedding(digits, width);
  const body = nn.sequential([nn.positions(), nn.transformerBlock(4), nn.transformerBlock(4)]);
  const head = nn.lambda(
    (h, ctx) => dense(h, ctx.variable('w', [width, digits], initializers.glorotUniform())) as typeof h,
    { name: 'head' },
  );
  return (x, ctx) =>
    transpose(head.apply(body.apply(embedding.apply(x, ctx), ctx), ctx), [0, 2, 1]) as ReturnType<
      nn.Layer['apply']
    >;
}

async function run(seed: number, options: RunOptions): Promise<Outcome> {
  const count = options.isSmall ? 256 : 12_800;
  const [train, test] = [sequences(count, seed, 'train'), sequences(1000, seed, 'test')];
  const apply = net(32);
  const model = new Model({
    input: tensor([length], 'i32'),
    build: ({ x }, ctx) => apply(x!, ctx),
  }).compile({
    loss: losses.softmaxCrossEntropy,
    y: tensor([length], 'i32'),
    optimizer: optimizers.adam({ learningRate: 0.003 }),
    threads: options.threads ?? 1,
    seed,
  });
  try {
    const fit = { epochs: options.isSmall ? 1 : 8, batchSize: 64, seed };
    const { history: _, ...trained } = await timedFit(model, train, count, fit, options);
    const { data } = await model.predict(test.x, { batchSize: 250 });
    // Logits are [N, 10, 8].
    const said = Int32Array.from(test.y, (_, i) => {
      const at = (k: number): number =>
        data[Math.floor(i / length) * digits * length + k * length + (i % length)]!;
      return Array.from({ length: digits }, (_, k) => k).reduce(
        (best, k) => (at(k) > at(best) ? k : best),
        0,
      );
    });
    const right = said.filter((s, i) => s === test.y[i]).length / said.length;
    const confusions = new Float64Array(digits * digits);
    said.forEach((s, i) => {
      confusions[test.y[i]! * digits + s]!++;
    });
    const figure = plot.columns(
      [
        plot.confusionMatrix([...confusions], { title: 'digits put out' }),
        plot.curves({ training: trained.losses }, { x: 'epoch', y: 'loss', from: 1 }),
      ],
      { title: 'sorting-transformer', shares: [3, 2] },
    );
    return { value: right, ...trained, figure };
  } finally {
    await model.dispose();
  }
}

export const sorting: readonly Experiment[] = [
  {
    name: 'sorting-transformer',
    about: 'a transformer of two blocks sorts eight digits',
    metric: 'test_accuracy_per_digit',
    median: [0.99, 1],
    isSlow: true,
    run: (seed, options = {}) => run(seed, options),
  },
];
