// A residual net, compiled once and trained across worker threads. Run it with `npm start`.
//
//   npm start                                      our own pictures: ten kinds of figures, 28 × 28
//   npm start -- --data DIR                        MNIST and its kin (IDX files) or CIFAR-10 (binary batches)
//   npm start -- --epochs 5 --threads 2 --batch 64 --target js --seed 1
//   npm start -- --dump plan                       print a stage of the compiler instead of training

import { parseArgs } from 'node:util';
import { type Dataset, figures, fromFolder } from './support/datasets.ts';
import { type DumpStage, losses, Model, metrics, nn, optimizers } from '../src/index.ts';

export interface ResnetOptions {
  readonly data?: string | undefined;
  readonly epochs?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly threads?: number | undefined;
  readonly target?: 'wasm' | 'js' | undefined;
  readonly seed?: number | undefined;
  /** Pictures of the generated data set; tests use fewer. */
  readonly train?: number | undefined;
  readonly test?: number | undefined;
  readonly dump?: DumpStage | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

/** Two 3×3 convolutions beside a shortcut; a 1×1 convolution on the shortcut where the shape changes. */
function block(channels: number, stride: number, from: number): nn.Layer {
  const main = nn.sequential([
    nn.conv2d(channels, 3, { stride, padding: 1, bias: false }),
    nn.batchNorm(),
    nn.relu(),
    nn.conv2d(channels, 3, { padding: 1, bias: false }),
    nn.batchNorm(),
  ]);
  if (stride === 1 && channels === from) return nn.residual(main);
  return nn.residual(main, nn.sequential([nn.conv2d(channels, 1, { stride, bias: false }), nn.batchNorm()]));
}

/** ResNet-8: a stem, three stages of one block each, average over the picture, one dense layer. */
export function resnet8(input: readonly [number, number, number], classes: number): Model {
  const model = new Model({ input: [...input] });
  model.add(nn.conv2d(16, 3, { padding: 1, bias: false, name: 'stem' })).add(nn.batchNorm()).add(nn.relu());
  let from = 16;
  for (const [i, channels] of [16, 32, 64].entries()) {
    model.add(block(channels, i === 0 ? 1 : 2, from)).add(nn.relu());
    from = channels;
  }
  return model.add(nn.globalAvgPool()).add(nn.dense(classes, { name: 'head' }));
}

/** Trains and tests; returns the accuracy on the test pictures. */
export async function main(options: ResnetOptions = {}): Promise<number> {
  const log = options.log ?? console.log;
  const seed = options.seed ?? 1;
  const dataset: Dataset = options.data
    ? await fromFolder(options.data, log)
    : figures({ train: options.train ?? 8000, test: options.test ?? 2000, seed });
  log(`${dataset.name}: ${dataset.train.y.length} pictures to learn, ${dataset.test.y.length} to test, ${dataset.shape.join(' × ')}`);

  const model = resnet8(dataset.shape, dataset.classes);
  const epochs = options.epochs ?? 3;
  const batchSize = options.batchSize ?? 64;
  const steps = epochs * Math.ceil(dataset.train.y.length / batchSize);
  model.compile({
    loss: losses.softmaxCrossEntropy,
    optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    metrics: { accuracy: metrics.accuracy },
    threads: options.threads,
    target: options.target,
    seed,
  });
  log(model.summary());
  if (options.dump) {
    log(await model.dump(options.dump, { batchSize }));
    await model.dispose();
    return Number.NaN;
  }
  log(await model.describePlan({ batchSize }));
  log(`training: ${epochs} epochs, ${steps} steps of ${batchSize}`);
  await model.fit(dataset.train, {
    epochs,
    batchSize,
    seed,
    validation: dataset.test,
    // The rate falls to zero along a cosine: the last epoch settles.
    learningRate: (step) => 0.05 * 0.5 * (1 + Math.cos((Math.PI * step) / steps)),
  });
  const result = await model.evaluate(dataset.test, { batchSize: 250 });
  log(`test accuracy ${result['accuracy']!.toFixed(4)}, test loss ${result['loss']!.toFixed(4)}`);
  await model.dispose();
  return result['accuracy']!;
}

/** Reads the command line and runs. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      epochs: { type: 'string' },
      batch: { type: 'string' },
      threads: { type: 'string' },
      target: { type: 'string' },
      seed: { type: 'string' },
      dump: { type: 'string' },
    },
  });
  const number = (key: 'epochs' | 'batch' | 'threads' | 'seed'): number | undefined => {
    const text = values[key];
    if (text === undefined) return undefined;
    const n = Number(text);
    if (!Number.isInteger(n) || n < (key === 'seed' ? 0 : 1)) throw new Error(`--${key} takes a whole number, not '${text}'`);
    return n;
  };
  if (values.target !== undefined && values.target !== 'wasm' && values.target !== 'js') {
    throw new Error(`--target takes wasm or js, not '${values.target}'`);
  }
  await main({
    data: values.data,
    epochs: number('epochs'),
    batchSize: number('batch'),
    threads: number('threads'),
    target: values.target,
    seed: number('seed'),
    dump: values.dump as DumpStage | undefined,
  });
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].replaceAll('\\', '/').split('/').at(-1)!)) {
  try {
    await run(process.argv.slice(2));
    console.log('done');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
