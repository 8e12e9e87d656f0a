// The course of a training: epochs over batches, validation, figures, callbacks, pauses in which it can be saved. A training that
// is resumed enters the same course where it was left.
//
// Invariant: between two steps, `epoch`, `batch`, `steps`, `totals`, `history` and the program's variables belong together.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { RunData } from '../../runtime/tensor.ts';
import type { Callback, History, Pause, TrainingRun } from '../callbacks/callback.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Program } from '../program.ts';
import { createProgress, type Figures, silent } from '../progress.ts';
import { writeCheckpoint } from '../state/checkpoint.ts';
import { weighted, weightName } from './entries.ts';
import type { RowsByName } from './examples.ts';
import { divergence, overBatches, Pace } from './loop.ts';
import type { FitOptions } from './options.ts';
import { Rates } from './rates.ts';
import { Totals } from './totals.ts';
import type { TrainingData } from './training-data.ts';
import {
  callbackStateOf,
  expectSameTraining,
  rateFactorOf,
  readResumed,
  totalsOf,
  trainingValues,
} from './training-state.ts';

export interface Fit {
  readonly program: Program;
  readonly optimizer: Optimizer;
  readonly metrics: readonly Metric[];
  readonly data: TrainingData;
  /** Told the first batch, where the rows are not in memory. */
  readonly warn: ((rows: RowsByName) => void) | null;
  /** Figures of validation, or null where there is none. */
  readonly validate: (() => Promise<Figures>) | null;
  readonly save: () => Promise<Uint8Array>;
  /** Makes the variables of training known to the program. */
  readonly declare: () => void;
}

/** Trains for the epochs of the options, or until something stops it. Throws HDL1005 (loss not finite) and what a run throws. */
export async function runFit(fit: Fit, options: FitOptions): Promise<History> {
  const { epochs = 1, onEpochEnd, learningRate } = options;
  const { program, optimizer, metrics, data, validate } = fit;
  checkOptions(options);
  const callbacks: readonly Callback[] = options.callbacks ?? [];
  const rates = new Rates(optimizer, program, learningRate);
  const stopping = new AbortController();
  const { signal } = stopping;
  const history: Record<string, number[]> = {};
  let { warn } = fit;
  let epoch = 1;
  let batch = 0;
  let steps = 0;
  let totals = new Totals(metrics);
  let isStopped = false;
  let last: () => void = () => {};

  const run: TrainingRun = {
    history,
    learningRate: () => rates.at(steps),
    scaleLearningRate: (factor) => rates.scale(factor),
    snapshot: () => new Map(program.variables().map(({ name }) => [name, program.get(name).data])),
    restore: (values: ReadonlyMap<string, RunData>) => {
      for (const [name, values_] of values) program.set(name, values_);
    },
    save: fit.save,
    checkpoint: () =>
      writeCheckpoint({
        variables: program.state(),
        seed: program.seed,
        training: {
          epoch,
          batch,
          step: steps,
          isStopped,
          settings: data.settings,
          history,
          values: trainingValues(totals.state(), callbacks, rates.factor),
        },
        metadata: {},
      }),
    stop: (then) => {
      if (then !== undefined) last = then;
      stopping.abort();
    },
  };

  const resumed = options.resume === undefined ? null : await readResumed(options.resume);
  const before =
    resumed && expectSameTraining(resumed, { seed: program.seed, settings: data.settings, callbacks });
  if (before !== null) {
    fit.declare();
    program.restore(resumed!.variables);
    ({ epoch, batch, step: steps, isStopped } = before);
    totals.restore(totalsOf(before));
    rates.resume(rateFactorOf(before));
    for (const [name, values] of Object.entries(before.history)) history[name] = [...values];
  }

  const progress = options.verbose === false ? silent : (options.progress ?? createProgress());
  // What a rate or a progress does may depend on the batch before, and ask to stop.
  const isWatched =
    learningRate !== undefined ? (options.progress ?? options.signal) : options.progress && options.signal;
  const tellsBatches = callbacks.some((c) => c.onBatchEnd !== undefined);
  const pace = new Pace(isWatched !== undefined || tellsBatches);
  const everySteps = callbacks.flatMap((c) => c.everySteps ?? []);
  let paused = steps;
  const pause = async (reason: Pause['reason'], ended = epoch): Promise<void> => {
    for (const callback of callbacks) {
      if (reason === 'steps' && steps % (callback.everySteps ?? Number.NaN) !== 0) continue;
      await callback.onPause?.({ reason, epoch: ended, step: steps }, run);
    }
  };
  const forward = (): void => stopping.abort();
  if (options.signal?.aborted) forward();
  options.signal?.addEventListener('abort', forward);

  try {
    for (const [i, callback] of callbacks.entries()) {
      await callback.onTrainBegin?.(run);
      if (before !== null) await callback.resume?.(callbackStateOf(before, i));
    }
    while (epoch <= epochs && !isStopped && !signal.aborted) {
      progress.begin(`Epoch ${epoch}/${epochs}`, data.count ?? 0);
      const isComplete = await overBatches(program, {
        entry: (rows) => {
          warn?.(rows);
          warn = null;
          return weightName in rows ? weighted('train') : 'train';
        },
        batches: data.epoch(epoch, batch),
        pace,
        schedules: rates.schedules(),
        watch: 'loss',
        before: steps,
        // Nobody else can ask to stop in the midst of a run; a run that listens comes back more often.
        signal: options.signal !== undefined || callbacks.length > 0 ? signal : undefined,
        visit: (results, examples, rows) => {
          const loss = totals.add(results, examples);
          steps++;
          batch++;
          if (!Number.isFinite(loss)) {
            const at = { epoch, step: steps, learningRate: rates.at(steps - 1) };
            throw divergence(loss, at, rows, data.rows !== null);
          }
          progress.update(totals.examples, totals.figures(false));
          for (const callback of callbacks) callback.onBatchEnd?.({ epoch, step: steps, loss }, run);
          return !signal.aborted || !pace.oneByOne;
        },
        untilPause: () => Math.min(...everySteps.map((n) => n - (steps % n))),
        pause: async () => {
          if (steps === paused || !everySteps.some((n) => steps % n === 0)) return;
          paused = steps;
          await pause('steps');
        },
      });
      if (!isComplete && totals.examples !== data.count) break;
      const figures: Record<string, number> = { ...totals.figures() };
      for (const [name, value] of Object.entries((await validate?.()) ?? {})) {
        figures[`val${name[0]!.toUpperCase()}${name.slice(1)}`] = value;
      }
      progress.end(figures);
      for (const [name, value] of Object.entries(figures)) {
        history[name] ??= [];
        history[name].push(value);
      }
      const ended = epoch++;
      batch = 0;
      totals = new Totals(metrics);
      const answers = [await onEpochEnd?.({ epoch: ended, figures })];
      for (const callback of callbacks)
        answers.push(await callback.onEpochEnd?.({ epoch: ended, figures }, run));
      isStopped = answers.includes('stop');
      await pause('epoch', ended);
    }
    await pause('end', batch === 0 ? epoch - 1 : epoch);
    for (const callback of callbacks) await callback.onTrainEnd?.(run);
  } finally {
    options.signal?.removeEventListener('abort', forward);
    for (const callback of callbacks) callback.onClose?.();
  }
  last();
  return history;
}

function checkOptions({ epochs = 1, learningRate }: FitOptions): void {
  const fail = (what: string, rule: string, hint: string): never => {
    throw compilerError('HDL0003', { what: `fit with ${what}`, rule, hint, loc: callerLocation() });
  };
  if (!Number.isInteger(epochs) || epochs < 1) {
    fail(`epochs: ${JSON.stringify(epochs)}`, 'epochs is an integer of at least 1', 'epochs: 10');
  }
  if (learningRate !== undefined && typeof learningRate !== 'function') {
    fail(
      `learningRate: ${String(learningRate)}`,
      'it is a function from the number of the step to its rate',
      'a rate that stays belongs to the optimizer: optimizers.adam({ learningRate: 0.01 }); others are made by schedules',
    );
  }
}
