// The net of the page, and how it learns: two hidden layers over points of a plane. Nothing here knows of a page.

import {
  argmax,
  type Context,
  cast,
  data,
  entry,
  eq,
  type Floats,
  grad,
  losses,
  mean,
  nn,
  optimizers,
  parametersOf,
  program,
  random,
  resident,
  softmax,
  tensor,
} from '../../src/index.ts';

/** Points of each arm of the spiral. */
const armSize = 100;
const batchSize = 50;

export interface NetOptions {
  readonly classes: number;
  readonly threads: number;
  readonly seed: number;
}

export interface SpiralNet {
  /** [points, 2], from −1 to 1, and the arm of each. */
  readonly points: { readonly x: Float32Array; readonly y: Int32Array };
  /** Trains so many steps, and returns the loss of each. */
  train(steps: number): Promise<ArrayLike<number>>;
  /** What share of the points it has right. */
  accuracy(): Promise<number>;
  /** The probability of each class at each place: [places, classes]. */
  probabilities(places: Float32Array): Promise<ArrayLike<number>>;
  /** The variables as a safetensors file, and back. */
  save(): Promise<Uint8Array>;
  restore(bytes: Uint8Array): Promise<void>;
  dispose(): Promise<void>;
}

/** A net for a spiral of so many arms. Its first weights, and the order of the points, follow from the seed. */
export function spiralNet({ classes, threads, seed }: NetOptions): SpiralNet {
  const points = data.spiral(armSize, classes, seed);
  const count = points.y.length;
  const net = nn.sequential([nn.dense(48), nn.relu(), nn.dense(48), nn.relu(), nn.dense(classes)]);
  const optimizer = optimizers.adam({ learningRate: 0.005 });
  const logitsOf = (x: Floats, ctx: Context): Floats => net.apply(x, ctx);

  const p = program(
    {
      train: entry(
        { x: tensor(['batch', 2]), y: tensor(['batch'], 'i32') },
        ({ x, y }, ctx) => {
          const loss = losses.softmaxCrossEntropy(logitsOf(x, ctx), y);
          const parameters = parametersOf(loss);
          optimizer.update(parameters, grad(loss, parameters), ctx);
          return { loss };
        },
        { training: true },
      ),
      test: entry({ x: tensor(['points', 2]), y: tensor(['points'], 'i32') }, ({ x, y }, ctx) => ({
        accuracy: mean(cast(eq(argmax(logitsOf(x, ctx), 1), y), 'f32')),
      })),
      look: entry({ x: tensor(['places', 2]) }, ({ x }, ctx) => ({ p: softmax(logitsOf(x, ctx), 1) })),
    },
    { threads, seed },
  );

  // The points lie in the program's memory; each step reads its rows there.
  const rows = resident({ ...points });
  const order = random(seed, 'order');
  let queue: number[] = [];
  const nextRows = (steps: number): Int32Array => {
    while (queue.length < steps * batchSize) queue = queue.concat([...order.permutation(count)]);
    return Int32Array.from(queue.splice(0, steps * batchSize));
  };
  return {
    points,
    train: async (steps) => {
      const { loss } = await p.run('train', { steps, feed: rows.rows(nextRows(steps)), outputs: 'each' });
      return loss.data;
    },
    accuracy: async () => (await p.run('test', points)).accuracy.data[0]!,
    probabilities: async (places) => (await p.run('look', { x: places })).p.data,
    save: async () => {
      let bytes = new Uint8Array();
      await p.saveCheckpoint((saved) => {
        bytes = saved as Uint8Array<ArrayBuffer>;
      });
      return bytes;
    },
    restore: async (bytes) => void (await p.loadCheckpoint(bytes)),
    dispose: () => p.dispose(),
  };
}
