// What the tests do in a page and in Node alike: arguments and results are JSON, so that either may be asked.

import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import * as h from '../../src/index.ts';
import { batches, trainingProgram, type Workload } from '../support/workloads.ts';

/** Whether plans use fused multiply-add here, unless they are told not to. */
export function isRelaxed(): boolean {
  return featureObstacle(relaxedSimd) === null;
}

export interface TraceOptions extends Pick<h.ProgramOptions, 'threads' | 'target' | 'relaxed'> {
  readonly steps: number;
}

/** The losses of the first steps of a workload. */
export async function trace(workload: Workload, { steps, ...options }: TraceOptions): Promise<number[]> {
  const program = trainingProgram(workload, options);
  try {
    const feeds = batches(workload);
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      const { loss } = await program.run('train', feeds[i % feeds.length]! as never);
      losses.push((loss as h.RunTensor).data[0]!);
    }
    return losses;
  } finally {
    await program.dispose();
  }
}

/** A convolutional net trained on pictures that another thread changes at random, stopped after one epoch and gone on with. */
export async function fitPictures(threads: number): Promise<{
  readonly losses: readonly number[];
  /** Of the checkpoint after the first epoch. */
  readonly bytes: number;
  readonly weights: readonly number[];
}> {
  const pictures = h.data.shapes(96, 3);
  const { flip, crop, normalize } = h.data.augment;
  const set = h.Dataset.pictures(pictures)
    .shuffle()
    .augment([flip(), crop({ padding: 2 }), normalize(h.data.statistics(pictures.images))], { worker: true })
    .batch(32);
  const make = (): h.Model =>
    new h.Model({ input: [1, 28, 28] })
      .add(h.nn.conv2d(8, 3, { stride: 2 }), h.nn.batchNorm(), h.nn.relu(), h.nn.flatten(), h.nn.dense(10))
      .compile({ loss: h.losses.softmaxCrossEntropy, optimizer: h.optimizers.adam(), threads });
  // What a page keeps in a Blob, in the origin's own file system, or sends away.
  let kept: Uint8Array | null = null;
  const keep = h.callbacks.checkpoint({
    path: (bytes) => {
      kept = bytes;
    },
  });
  const first = make();
  await first.fit(set, { epochs: 1, verbose: false, callbacks: [keep] });
  await first.dispose();
  const blob = new Blob([kept! as Uint8Array<ArrayBuffer>]);
  const second = make();
  const history = await second.fit(set, {
    epochs: 2,
    verbose: false,
    callbacks: [keep],
    resume: new Uint8Array(await blob.arrayBuffer()),
  });
  const { tensors } = h.state.readSafetensors(kept!);
  const weights = [...tensors].find(([name]) => name === 'dense1/w')![1];
  await second.dispose();
  return { losses: history['loss']!, bytes: blob.size, weights: Array.from(weights.data.slice(0, 16)) };
}

/** The doubles of 1 … 4, or what went wrong. */
export async function double(target: 'wasm' | 'js', threads: number): Promise<string> {
  const p = h.program(
    { double: h.entry({ x: h.tensor([4]) }, ({ x }) => ({ y: h.add(x, x) })) },
    { target, threads },
  );
  try {
    const { y } = await p.run('double', { x: [1, 2, 3, 4] });
    return y.data.join(' ');
  } catch (error) {
    return (error as Error).message;
  } finally {
    await p.dispose();
  }
}

/** What the error of a wrong shape says. */
export function mistake(): string {
  try {
    return String(h.variable('w', [2, -3], h.initializers.zeros()));
  } catch (error) {
    return (error as Error).message;
  }
}
