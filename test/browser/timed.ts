// Trainings that are timed, in a page and in Node alike: `prepare` compiles one and runs its first call, `time` runs some more.

import * as h from '../../src/index.ts';
import { type Batch, batches, trainingProgram, type Workload } from '../support/workloads.ts';

export interface TimedOptions extends Pick<h.ProgramOptions, 'threads' | 'target' | 'relaxed'> {
  /** Steps in a call: of many, the page or process hears nothing before the last. */
  readonly perCall: number;
}

const trainings: { readonly call: () => Promise<unknown>; readonly end: () => Promise<void> }[] = [];

/** A training, by its number; and the milliseconds until its first call had ended. */
export async function prepare(
  workload: Workload,
  { perCall, ...options }: TimedOptions,
): Promise<{ readonly id: number; readonly firstMs: number }> {
  const start = performance.now();
  const program = trainingProgram(workload, options);
  const feeds = batches(workload);
  let done = 0;
  const single = (): Promise<unknown> => program.run('train', feeds[done++ % feeds.length] as never);
  const call = perCall === 1 ? single : manySteps(program, feeds, perCall);
  await call();
  trainings.push({ call, end: () => program.dispose() });
  return { id: trainings.length - 1, firstMs: performance.now() - start };
}

/** Runs so many calls; milliseconds of each, on the average. */
export async function time(id: number, calls: number): Promise<number> {
  const { call } = trainings[id]!;
  const start = performance.now();
  for (let i = 0; i < calls; i++) await call();
  return (performance.now() - start) / calls;
}

export async function end(id: number): Promise<void> {
  await trainings[id]!.end();
}

/** All batches in turn, which lie in the program's memory. */
function manySteps(program: h.Program, feeds: readonly Batch[], steps: number): () => Promise<unknown> {
  const join = (key: 'x' | 'y'): Float32Array | Int32Array => {
    const parts = feeds.map((batch) => batch[key]);
    const joined = parts[0] instanceof Int32Array ? Int32Array : Float32Array;
    return joined.from(parts.flatMap((part) => [...part]));
  };
  const rows = h.resident({ x: join('x'), y: join('y') });
  const count = feeds.length * feeds[0]!.y.length;
  const feed = rows.rows(Int32Array.from({ length: steps * feeds[0]!.y.length }, (_, i) => i % count));
  return () => program.run('train', { steps, feed } as never);
}
