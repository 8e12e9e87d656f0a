// The loop over batches that training, evaluation and prediction share. Batches of one size are run many at a time, so
// that small nets need not wait for this thread after each of them: as many as keep progress alive.

import { runtimeError } from '../../runtime/errors.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import type { Program } from '../program.ts';
import { GatherFeed } from '../steps.ts';
import type { BatchSource } from './batches.ts';
import type { RowsByName } from './examples.ts';

export interface BatchLoop {
  /** Entry of the program for batches of such rows. */
  readonly entry: string | ((rows: RowsByName) => string);
  readonly batches: BatchSource;
  /** Sees the results of each batch, in order; the loop ends when it returns false. */
  readonly visit: (
    results: Readonly<Record<string, RunTensor>>,
    examples: number,
    rows: RowsByName,
  ) => boolean;
  /** How many batches to run at once; kept from one loop to the next. */
  readonly pace: Pace;
  /** Names of variables, and their values for the batch of that number. */
  readonly schedules?: Readonly<Record<string, (batch: number) => number>>;
  /** Stop with the first batch whose loss is not finite. */
  readonly watch?: string;
  /** Batches of the same training before this loop: errors name one by its number in all of it. */
  readonly before?: number;
  readonly signal?: AbortSignal | undefined;
  /** Batches, from 1 to any number, until somebody must come between two. */
  readonly untilPause?: () => number;
  /** Awaited between runs: all batches so far have been seen. */
  readonly pause?: () => Promise<void>;
}

/** Time that a run of several batches should take: progress moves, and coming back costs next to nothing. */
const runMs = 40;
const mostBatches = 4096;

/** Finds how many batches to run at once, by the time that they take. `oneByOne`: a callback must come between any two. */
export class Pace {
  readonly oneByOne: boolean;
  batches = 1;

  constructor(oneByOne = false) {
    this.oneByOne = oneByOne;
  }

  /** So many took so long. */
  note(batches: number, ms: number): void {
    if (this.oneByOne) return;
    const fitting = Math.round((batches * runMs) / ms);
    this.batches = Math.max(1, Math.min(mostBatches, 8 * batches, fitting));
  }
}

/** Runs an entry for each batch. Returns whether all were run. */
export async function overBatches(program: Program, loop: BatchLoop): Promise<boolean> {
  try {
    return await runBatches(program, loop);
  } finally {
    await loop.batches.close?.();
  }
}

async function runBatches(program: Program, loop: BatchLoop): Promise<boolean> {
  const { entry, batches, visit, pace, schedules = {}, watch, before = 0, signal } = loop;
  let done = 0;
  for (;;) {
    if (signal?.aborted && !pace.oneByOne) return false;
    const run = await batches.next(Math.min(pace.batches, loop.untilPause?.() ?? mostBatches));
    if (run === null) return true;
    const { rows, indices, count } = run;
    const examples = indices.length / count;
    const begin = performance.now();
    const { outputs, ...result } = await program.runSteps(typeof entry === 'string' ? entry : entry(rows), {
      steps: count,
      feed: new GatherFeed(rows, indices),
      outputs: 'each',
      schedules: Object.fromEntries(
        Object.entries(schedules).map(([name, value]) => [
          name,
          Float32Array.from({ length: count }, (_, i) => value(before + done + i)),
        ]),
      ),
      before: before + done,
      ...(watch === undefined ? {} : { watch }),
      // Between steps that run one by one, `visit` looks at the signal, after the step in flight.
      ...(signal === undefined || pace.oneByOne ? {} : { signal }),
    });
    const ms = performance.now() - begin;
    for (let i = 0; i < result.done; i++) {
      if (!visit(resultsOf(outputs, i), examples, rows)) return false;
    }
    await loop.pause?.();
    if (result.done < count) return false;
    done += count;
    pace.note(count, ms);
  }
}

/** The results of step `i`. */
function resultsOf(
  outputs: Readonly<Record<string, RunTensor>>,
  i: number,
): Readonly<Record<string, RunTensor>> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
      const size = data.length / shape[0]!;
      return [name, { dtype, shape: shape.slice(1), data: data.subarray(i * size, (i + 1) * size) }];
    }),
  );
}

/** What is said when a loss is no longer finite: what the data has to do with it, or the learning rate. */
export function divergence(
  loss: number,
  at: { readonly epoch: number; readonly step: number; readonly learningRate: number },
  rows: RowsByName,
  /** Whether the rows are all examples, so that the number of one says which it is. */
  isAll: boolean,
): Error {
  const what = `the loss is ${loss} at step ${at.step}, in epoch ${at.epoch}`;
  for (const [name, { data, rowSize }] of Object.entries(rows)) {
    const wrong = data instanceof Float32Array ? data.findIndex((v) => !Number.isFinite(v)) : -1;
    if (wrong < 0) continue;
    return runtimeError('HDL1005', {
      what: `${what}, and ${name} has ${data[wrong]}${isAll ? ` in example ${Math.floor(wrong / rowSize)}` : ''}`,
      rule: 'examples are finite numbers',
      hint: 'leave such examples out, or fill in what is missing',
    });
  }
  return runtimeError('HDL1005', {
    what,
    rule: 'training goes on only from a finite loss',
    hint: `lower the learning rate, which is ${at.learningRate}, scale the inputs, or clip gradients; checkNumerics: true names the first op that is not finite`,
  });
}
