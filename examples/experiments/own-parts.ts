// Parts of one's own: a layer with weights, a loss, and an op with its own gradient. The task: say below which value nine in ten answers
// lie, for a wave whose noise grows with x. What comes out is in steps of 1/32, as a screen would show it.

import {
  customGradient,
  div,
  initializers,
  type Layer,
  type losses,
  Model,
  maximum,
  mean,
  mul,
  nn,
  optimizers,
  random,
  round,
  sin,
  sub,
  type Tensor,
} from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome, RunOptions } from '../support/experiment.ts';
import { timedFit } from '../support/timed-fit.ts';

const share = 0.9;

/** A layer: sines of learned frequencies and phases, sin(x · w + b). f32[N, 1] → f32[N, units]. */
function waves(units: number): Layer {
  return nn.layer('waves', (x, ctx) => {
    const line = nn.dense(units, {
      init: initializers.uniform(-6, 6),
      biasInit: initializers.uniform(-3, 3),
    });
    return sin(line.apply(x, ctx));
  });
}

/** A loss: the mean of q · d where the target is above by d, and (1 − q) · d where it is below. Its minimum is the q-quantile. */
function pinball(prediction: Tensor, target: Tensor): ReturnType<typeof losses.huber> {
  const above = sub(target, prediction);
  return mean(maximum(mul(above, share), mul(above, share - 1))) as ReturnType<typeof losses.huber>;
}

/** An op: rounds to multiples of 1/32. Its derivative is 0 almost everywhere, so it says 1, as if it were not there. */
function snap(x: Tensor): Tensor {
  return customGradient(
    ([v]) => div(round(mul(v!, 32)), 32),
    ([cotangent]) => cotangent!,
    [x],
  );
}

function wave(
  count: number,
  seed: number,
  part: string,
): { readonly x: Float32Array; readonly y: Float32Array } {
  const draw = random(seed, 'wave', part);
  const x = Float32Array.from({ length: count }, () => draw.uniform(-1, 1));
  return { x, y: x.map((v) => Math.sin(4 * v) + draw.normal(0, 0.1 + 0.2 * (v + 1))) };
}

async function run(seed: number, options: RunOptions): Promise<Outcome> {
  const count = options.isSmall ? 320 : 4000;
  const [train, test] = [wave(count, seed, 'train'), wave(4000, seed, 'test')];
  const model = new Model({ input: [1] })
    .add(
      waves(32),
      nn.dense(32),
      nn.relu(),
      nn.dense(1),
      nn.lambda((y) => snap(y) as typeof y),
    )
    .compile({
      loss: pinball,
      optimizer: optimizers.adam({ learningRate: 0.003 }),
      threads: options.threads ?? 1,
      seed,
    });
  try {
    const fit = { epochs: options.isSmall ? 2 : 40, batchSize: 50, seed };
    const { history: _, ...trained } = await timedFit(model, train, count, fit, options);
    const said = (await model.predict(test.x, { batchSize: 500 })).data;
    const below = test.y.filter((y, i) => y <= said[i]!).length / test.y.length;
    const line = Float32Array.from({ length: 200 }, (_, i) => -1 + i / 100);
    const quantile = (await model.predict(line, { batchSize: 200 })).data;
    const truth = line.map((v) => Math.sin(4 * v) + 1.2816 * (0.1 + 0.2 * (v + 1)));
    const figure = plot.columns(
      [
        plot.curves({ net: quantile, truth }, { x: 'place on the line', y: 'nine in ten are below' }),
        plot.curves({ loss: trained.losses }, { x: 'epoch', from: 1, y: 'pinball loss' }),
      ],
      { title: 'own-parts: a layer, a loss and an op of one’s own' },
    );
    return {
      value: below,
      others: { pinball_loss: trained.losses[trained.losses.length - 1]! },
      ...trained,
      figure,
    };
  } finally {
    await model.dispose();
  }
}

export const ownParts: readonly Experiment[] = [
  {
    name: 'own-parts',
    about: 'a layer, a loss and an op with a gradient of one’s own find a quantile',
    metric: 'share_below',
    median: [0.88, 0.92],
    run: (seed, options = {}) => run(seed, options),
  },
];
