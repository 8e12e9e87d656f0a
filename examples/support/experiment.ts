// What an experiment is: one record. It says what is trained, which number comes out, and what that number has to be; the
// runner (examples/run.ts), the table (docs/experiments.md), the tests and the benchmarks all read the same record.

import { performance } from 'node:perf_hooks';
import { type Feed, type Program, resident } from '../../src/index.ts';
import type { Figure } from '../../src/plot/index.ts';

export interface RunOptions {
  /** Training ends after so many steps. Default: all. */
  readonly steps?: number | undefined;
  /** For tests: less data, fewer epochs. */
  readonly isSmall?: boolean | undefined;
  /** Threads that compute; default 1 where the net is small. */
  readonly threads?: number | undefined;
  /** Folder of data sets, for the experiments that read one. */
  readonly data?: string | undefined;
  /** Draws a figure, too. */
  readonly figure?: boolean | undefined;
  /** Told how much is done, from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** What a run of an experiment measured. */
export interface Outcome {
  /** The metric of the experiment. */
  readonly value: number;
  /** Other numbers worth telling, by name. */
  readonly others?: Readonly<Record<string, number>> | undefined;
  /** The loss of each step, before its update; of experiments that train by `fit`, the mean of each epoch. */
  readonly losses: ArrayLike<number>;
  /** Training steps, and what they took; without data, compilation and evaluation. */
  readonly steps: number;
  readonly seconds: number;
  readonly compileSeconds: number;
  /** What it looks like, where it was asked for. */
  readonly figure?: Figure | undefined;
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
  /** Where the medians of other numbers have to lie. */
  readonly also?: Readonly<Record<string, Range>> | undefined;
  /** Takes more than half a minute a seed: left out by `--quick`. */
  readonly isSlow?: boolean | undefined;
  /** The data set that it reads from the folder; without it, it cannot be run. */
  readonly needs?: string | undefined;
  readonly run: (seed: number, options?: RunOptions) => Promise<Outcome>;
  /** The training apart from its measurement, for benchmarks: where it is steps of one program. */
  readonly prepare?: ((seed: number, options?: RunOptions) => Promise<Prepared>) | undefined;
}

/** A training that is ready to begin: steps of entry `train`, whose output `loss` is kept, and what is measured after them. */
export interface Prepared {
  readonly program: Program;
  /** All examples, by the names of the entry's inputs. */
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Rows of the steps, one after the other; null: every step sees all examples. */
  readonly rows: Int32Array | null;
  readonly batch: number;
  readonly steps: number;
  readonly measure: (losses: ArrayLike<number>) => Promise<Pick<Outcome, 'value' | 'others'>>;
  readonly figure: (losses: ArrayLike<number>) => Promise<Figure>;
}

type Trained = Pick<Experiment, 'run' | 'prepare'>;

/** The parts of an experiment's record that follow from how its training is prepared. */
export function training(prepare: (seed: number, options: RunOptions) => Promise<Prepared>): Trained {
  return {
    prepare: (seed, options = {}) => prepare(seed, options),
    run: async (seed, options = {}) => {
      const start = performance.now();
      const prepared = await prepare(seed, options);
      try {
        await prepared.program.compile('train', { batch: prepared.batch });
        const compileSeconds = (performance.now() - start) / 1000;
        const trained = await train(prepared, options);
        const measured = await prepared.measure(trained.losses);
        const figure = options.figure ? await prepared.figure(trained.losses) : undefined;
        return { ...measured, ...trained, compileSeconds, figure };
      } finally {
        await prepared.program.dispose();
      }
    },
  };
}

/** Runs the steps in one call. The clock sees the steps alone. */
async function train(
  { program, feeds, rows, batch, steps: all }: Prepared,
  { steps: most = all, onProgress }: RunOptions,
): Promise<Pick<Outcome, 'losses' | 'steps' | 'seconds'>> {
  const steps = Math.min(all, most);
  const set = resident(feeds);
  const start = performance.now();
  const { outputs, end, done } = await program.runSteps('train', {
    steps,
    feed: rows === null ? feeds : set.rows(rows.subarray(0, steps * batch)),
    outputs: 'each',
    watch: 'loss',
    onProgress: ({ done }) => onProgress?.(done / steps),
  });
  const seconds = (performance.now() - start) / 1000;
  await set.release();
  // A metric of a net that is no longer one would look like a bad result, or even like a good one.
  if (end === 'notFinite') throw new Error(`the loss is not finite at step ${done}`);
  return { losses: outputs['loss']!.data as Float32Array, steps, seconds };
}
