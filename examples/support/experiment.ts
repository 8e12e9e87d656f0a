// What an experiment is: one record. It says what is trained, which number comes out, and what that number has to be; the
// runner (examples/run.ts), the table (docs/experiments.md), the tests and the benchmarks all read the same record.

import { performance } from 'node:perf_hooks';
import { type Feed, type Program, resident } from '../../src/index.ts';

export interface RunOptions {
  /** Training ends after so many steps: tests at small size. Default: all. */
  readonly steps?: number | undefined;
  /** Threads that compute; default 1 where the net is small. */
  readonly threads?: number | undefined;
  /** Folder of data sets, for the experiments that read one. */
  readonly data?: string | undefined;
  /** Told how much is done, from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export interface Outcome {
  /** The metric of the experiment. */
  readonly value: number;
  /** Other numbers worth telling, by name. */
  readonly others?: Readonly<Record<string, number>>;
  /** The loss of each step, before its update. */
  readonly losses: ArrayLike<number>;
  /** Training steps, and what they took; without data, compilation and evaluation. */
  readonly steps: number;
  readonly seconds: number;
  readonly compileSeconds: number;
}

/** From and to, both included; an end that is left open is ±∞. */
export type Range = readonly [from: number, to: number];

export interface Experiment {
  readonly name: string;
  /** What it shows, in a line. */
  readonly about: string;
  /** Name of the number that counts. */
  readonly metric: string;
  /** Where the median over seeds has to lie. */
  readonly median: Range;
  /** Where the number of each seed has to lie. */
  readonly each?: Range | undefined;
  /** Takes more than half a minute a seed: left out by `--quick`. */
  readonly isSlow?: boolean | undefined;
  /** The data set that it reads from the folder; without it, it cannot be run. */
  readonly needs?: string | undefined;
  readonly run: (seed: number, options?: RunOptions) => Promise<Outcome>;
}

export interface Steps {
  /** All examples, by the names of the entry's inputs. */
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Rows of the steps, one after the other; null: every step sees all examples. */
  readonly rows: Int32Array | null;
  readonly batch: number;
  readonly steps: number;
}

/**
 * Runs the steps of entry `train`, whose output `loss` is kept, in as few calls as there are moments of progress. The clock sees
 * the steps alone.
 */
export async function trainSteps(
  program: Program,
  { feeds, rows, batch, steps: all }: Steps,
  options: RunOptions = {},
): Promise<Pick<Outcome, 'losses' | 'steps' | 'seconds' | 'compileSeconds'>> {
  const steps = Math.min(all, options.steps ?? all);
  const start = performance.now();
  await program.compile('train', { batch });
  const compiled = performance.now();
  const set = resident(feeds);
  const { loss } = await program.run('train', {
    steps,
    feed: rows === null ? feeds : set.rows(rows.subarray(0, steps * batch)),
    outputs: 'each',
    onProgress: ({ done }) => options.onProgress?.(done / steps),
  });
  const end = performance.now();
  await set.release();
  return {
    losses: loss!.data as Float32Array,
    steps,
    seconds: (end - compiled) / 1000,
    compileSeconds: (compiled - start) / 1000,
  };
}
