// Three classes of points on the arms of a spiral, and a net with one hidden layer: the symbolic API from end to end, with
// the step of gradient descent written by hand.
//
//   node build/examples/spiral.js
//   node build/examples/spiral.js --epochs 100 --threads 2 --target js --seed 3

import {
  add,
  argmax,
  data,
  entry,
  grad,
  initializers,
  losses,
  matmul,
  mul,
  program,
  relu,
  sub,
  type Tensor,
  tensor,
  type Variable,
  variable,
} from '../src/index.ts';
import { helpText, parseFlags, runAsScript } from './support/command-line.ts';

export interface SpiralOptions {
  readonly epochs?: number | undefined;
  readonly threads?: number | undefined;
  readonly target?: 'wasm' | 'js' | 'reference' | undefined;
  readonly seed?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

const batchSize = 20;
const learningRate = 1;
const weightDecay = 0.001;

/** Trains; returns the accuracy on the 300 points that it was trained on. */
export async function main(options: SpiralOptions = {}): Promise<number> {
  const { epochs = 200, threads = 1, target, seed = 1, log = console.log } = options;
  const { x, y } = data.spiral(100, 3, seed);

  const small = initializers.normal(0, 0.01);
  const w1 = variable('w1', [2, 100], small);
  const b1 = variable('b1', [100], initializers.zeros());
  const w2 = variable('w2', [100, 3], small);
  const b2 = variable('b2', [3], initializers.zeros());
  const parameters: readonly Variable[] = [w1, b1, w2, b2];
  const net = (points: Tensor<readonly number[], 'f32'>): Tensor<readonly number[], 'f32'> =>
    add(matmul(relu(add(matmul(points, w1), b1)), w2), b2);

  const spiral = program(
    {
      train: entry(
        { x: tensor(['batch', 2]), y: tensor(['batch'], 'i32') },
        ({ x, y }, ctx) => {
          const loss = losses.softmaxCrossEntropy(net(x), y);
          const gradients = grad(loss, parameters);
          parameters.forEach((p, i) => {
            const slope = add(gradients[i]!, mul(p, weightDecay));
            ctx.assign(p, sub(p, mul(slope, learningRate)));
          });
          return { loss };
        },
        { training: true },
      ),
      predict: entry({ x: tensor(['points', 2]) }, ({ x }) => ({ label: argmax(net(x), 1) })),
    },
    { threads, target, seed },
  );

  try {
    await spiral.compile('train', { batch: batchSize });
    log(`300 points on three arms; ${epochs} epochs of 15 steps`);
    const start = performance.now();
    for (let epoch = 1; epoch <= epochs; epoch++) {
      let total = 0;
      for (const rows of data.batchesOf(y.length, batchSize, { seed: seed * 65537 + epoch })) {
        const batch = {
          x: data.gatherRows({ data: x, rowSize: 2 }, rows),
          y: data.gatherRows({ data: y, rowSize: 1 }, rows),
        };
        const { loss } = await spiral.run('train', batch);
        total += loss.data[0]! * rows.length;
      }
      if (epoch % 20 === 0) log(`epoch ${String(epoch).padStart(3)}  loss ${(total / y.length).toFixed(4)}`);
    }
    const seconds = (performance.now() - start) / 1000;

    const classify = async (points: Float32Array): Promise<ArrayLike<number>> =>
      (await spiral.run('predict', { x: points })).label.data;
    const labels = await classify(x);
    const accuracy = y.filter((label, i) => label === labels[i]).length / y.length;
    log(`\n${await drawRegions(classify)}\n`);
    log(`accuracy ${accuracy.toFixed(3)}, ${Math.round((epochs * 15) / seconds)} steps/s`);
    return accuracy;
  } finally {
    await spiral.dispose();
  }
}

/** What the net says over the square from −1 to 1, as text: a letter for each class. */
async function drawRegions(classify: (points: Float32Array) => Promise<ArrayLike<number>>): Promise<string> {
  const [rows, columns] = [21, 42];
  const points = Float32Array.from({ length: rows * columns * 2 }, (_, i) => {
    const at = i >> 1;
    return i % 2 === 0
      ? ((at % columns) / (columns - 1)) * 2 - 1
      : 1 - (Math.floor(at / columns) / (rows - 1)) * 2;
  });
  const labels = await classify(points);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) => '·+#'[labels[r * columns + c]!]).join(''),
  ).join('\n');
}

const flags = {
  epochs: { kind: 'number', least: 1, help: 'times through the points (200)' },
  threads: {
    kind: 'number',
    least: 1,
    help: 'threads that compute (1: so small a net gains nothing from more)',
  },
  target: { kind: 'choice', of: ['wasm', 'js'], help: 'what the compiler emits (wasm)' },
  seed: { kind: 'number', least: 0, help: 'points, first weights and order follow from it (1)' },
} as const;

await runAsScript(import.meta.url, async (args) => {
  const values = parseFlags(flags, args);
  if (values === null) {
    console.log(
      `${helpText('node build/examples/spiral.js', flags)}\n\nThe spiral: one hidden layer, by the symbolic API.`,
    );
    return;
  }
  await main(values);
});
