// A residual net, compiled once and trained across worker threads. Run it with `npm start`.
//
//   npm start                                  our own pictures: ten kinds of figures, 28 × 28
//   npm start -- --data DIR                    MNIST and its kin (IDX files), or CIFAR-10 (binary batches)
//   npm start -- --epochs 5 --threads 2 --batch 64 --target js --seed 1
//   npm start -- --dump plan                   print a stage of the compiler instead of training

import {
  type CompileEvent,
  type CompileModelOptions,
  createProgress,
  type DumpStage,
  formatSeconds,
  initializers,
  losses,
  Model,
  metrics,
  nn,
  optimizers,
  type Program,
  type ProgramOptions,
  type Sink,
} from '../src/index.ts';
import { helpText, parseFlags, runAsScript } from './support/command-line.ts';
import { type Dataset, drawnFigures, readFolder } from './support/datasets.ts';

export interface ResnetOptions {
  /** Folder of IDX files or CIFAR-10 batches; without it, pictures are drawn. */
  readonly data?: string | undefined;
  readonly epochs?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly threads?: number | undefined;
  readonly target?: 'wasm' | 'js' | 'reference' | undefined;
  readonly seed?: number | undefined;
  readonly dump?: DumpStage | undefined;
  /** Channels of the first stage. */
  readonly channels?: number | undefined;
  /** Number of drawn pictures: tests use fewer. */
  readonly train?: number | undefined;
  readonly test?: number | undefined;
  /** Takes what would be printed. */
  readonly log?: ((line: string) => void) | undefined;
}

/** Blocks one after the other; the first may make the picture smaller. */
function stage(name: string, channels: number, stride: number, blocks: number): nn.Layer[] {
  return Array.from({ length: blocks }, (_, i) =>
    block(blocks === 1 ? name : `${name}/block${i + 1}`, channels, i === 0 ? stride : 1),
  ).flat();
}

/** relu(main(x) + shortcut(x)): two 3 × 3 convolutions, and a 1 × 1 convolution beside them where the shape changes. */
function block(name: string, channels: number, stride: number): nn.Layer[] {
  const main = nn.sequential(
    [conv(channels, 3, stride), nn.batchNorm(), nn.relu(), conv(channels, 3, 1), nn.batchNorm()],
    { name: 'main' },
  );
  const shortcut =
    stride === 1
      ? undefined
      : nn.sequential([conv(channels, 1, stride), nn.batchNorm()], { name: 'shortcut' });
  return [nn.residual(main, shortcut, { name }), nn.relu()];
}

/** Without a bias: batch norm, which follows, has its own. */
function conv(channels: number, kernel: 1 | 3, stride: number): nn.Layer {
  const padding = kernel === 3 ? 1 : 0;
  return nn.conv2d(channels, kernel, { stride, padding, bias: false, init: initializers.heNormal() });
}

type Picture = readonly [channels: number, height: number, width: number];

/** He et al., 2015: a stem, three stages of so many blocks, the mean over the picture, one dense layer. */
export function resnet(input: Picture, classes: number, channels: number, blocks: number): Model {
  return new Model({ input }).add(
    nn.sequential([conv(channels, 3, 1), nn.batchNorm(), nn.relu()], { name: 'stem' }),
    ...stage('stage1', channels, 1, blocks),
    ...stage('stage2', 2 * channels, 2, blocks),
    ...stage('stage3', 4 * channels, 2, blocks),
    nn.globalAvgPool(),
    nn.dense(classes, { name: 'head' }),
  );
}

/** ResNet-8: one block in each stage. */
export function resnet8(input: Picture, classes: number, channels = 8): Model {
  return resnet(input, classes, channels, 1);
}

/** What trains a net here. */
const training = (): CompileModelOptions => ({
  loss: losses.softmaxCrossEntropy,
  optimizer: optimizers.sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
  metrics: [metrics.accuracy()],
});

/** For `heddle view examples/resnet.ts`: the net that `npm start` trains. */
export function program(options: ProgramOptions = {}): Program {
  return resnet8([1, 28, 28], 10).compile({ ...training(), ...options }).program;
}

/** `--export resnet20`: ResNet-20 for CIFAR-10, as in the paper. */
export function resnet20(options: ProgramOptions = {}): Program {
  return resnet([3, 32, 32], 10, 16, 3).compile({ ...training(), ...options }).program;
}

/** The learning rate of each step: up in a straight line over the first twentieth, then down to zero along a cosine. */
export function cosineRate(peak: number, steps: number): (step: number) => number {
  const warmUp = Math.max(1, Math.floor(steps / 20));
  return (step) =>
    step < warmUp
      ? (peak * (step + 1)) / warmUp
      : (peak / 2) * (1 + Math.cos((Math.PI * (step - warmUp)) / (steps - warmUp)));
}

/**
 * Compiles, trains, tests; returns the accuracy on the test pictures, or null after a dump. Throws InputError for a folder
 * that cannot be used.
 */
export async function main(options: ResnetOptions = {}): Promise<number | null> {
  const { batchSize = 32, seed = 1, log = console.log } = options;
  // The drawn figures are learnt by half the channels, in a minute.
  const usual = options.data === undefined ? { epochs: 4, channels: 8 } : { epochs: 3, channels: 16 };
  const { epochs = usual.epochs, channels = usual.channels } = options;
  const dataset: Dataset =
    options.data === undefined
      ? drawnFigures({
          train: options.train ?? (options.dump ? batchSize : 16_000),
          test: options.test ?? 1600,
          seed,
        })
      : await readFolder(options.data);
  const { shape, classes, train, test } = dataset;
  const count = train.y.length;
  const steps = epochs * Math.ceil(count / batchSize);

  const model = resnet8(shape, classes, channels).compile({
    ...training(),
    threads: options.threads,
    target: options.target,
    seed,
    onProgress: options.dump === undefined ? showStages(log) : undefined,
  });
  try {
    if (options.dump !== undefined) {
      log(model.dump(options.dump, { batchSize: Math.min(batchSize, count), full: true }));
      return null;
    }
    log(`${dataset.name}: ${count} pictures to learn from, ${test.y.length} to be tested on,`);
    log(`each ${shape.join(' × ')}, in ${classes} classes\n`);
    log(model.summary());
    await model.program.compile('train', { batch: Math.min(batchSize, count) });
    log(`\n${model.describePlan({ batchSize: Math.min(batchSize, count) })}`);

    log(`\nTraining: ${epochs} epochs, ${steps} steps of ${batchSize} pictures`);
    const start = performance.now();
    const history = await model.fit(train, {
      epochs,
      batchSize,
      seed,
      validation: test,
      learningRate: cosineRate(0.05, steps),
      progress: createProgress({ unit: 'img', ...(options.log ? { sink: sinkOf(options.log) } : {}) }),
    });
    const accuracy = history['valAccuracy']!.at(-1)!;
    log(`\nTest accuracy ${accuracy.toFixed(4)} after ${formatSeconds((performance.now() - start) / 1000)}.`);
    log('The same plan ran every step; see it with `npm start -- --dump plan`.');
    return accuracy;
  } finally {
    await model.dispose();
  }
}

/** Prints each stage of a compilation with its time. */
function showStages(log: (line: string) => void): (event: CompileEvent) => void {
  let title = '';
  return ({ entry, dims, stage, ms }) => {
    // Others are compiled while a progress line stands on the screen.
    if (entry !== 'train') return;
    const now = `${entry}(${Object.entries(dims).map(([name, size]) => `${name}=${size}`)})`;
    if (title === '') log(`\nCompiling ${now}`);
    else if (title !== now) return;
    title = now;
    log(`  ${stage.padEnd(20)} ${ms.toFixed(1).padStart(8)} ms`);
  };
}

function sinkOf(log: (line: string) => void): Sink {
  return { write: (text) => log(text.replace(/\n$/, '')), isTTY: false, columns: 80 };
}

const flags = {
  data: {
    kind: 'text',
    value: 'DIR',
    help: 'folder of IDX files (MNIST …) or CIFAR-10 batches; else drawn figures',
  },
  epochs: { kind: 'number', least: 1, help: 'times through the training pictures (4; with --data 3)' },
  batch: { kind: 'number', least: 2, help: 'pictures in a step (32)' },
  channels: {
    kind: 'number',
    least: 1,
    help: 'channels of the first stage; twice and four times as many later (8; with --data 16)',
  },
  threads: { kind: 'number', least: 1, help: 'threads that compute (one per core)' },
  target: { kind: 'choice', of: ['wasm', 'js'], help: 'what the compiler emits (wasm)' },
  seed: { kind: 'number', least: 0, help: 'drawn pictures, first weights and order follow from it (1)' },
  dump: {
    kind: 'choice',
    of: ['source', 'graph', 'kernels', 'plan', 'memory', 'code', 'wat', 'js'],
    help: 'print a stage of the compiler instead of training',
  },
} as const;

await runAsScript(import.meta.url, async (args) => {
  const values = parseFlags(flags, args);
  if (values === null) {
    console.log(
      `${helpText('npm start --', flags)}\n\nA residual net, compiled once and trained across worker threads.`,
    );
    return;
  }
  const { batch, ...rest } = values;
  await main({ ...rest, batchSize: batch });
});
