// The course of a training: epochs over batches, validation, figures, callbacks.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { RunData } from '../../runtime/tensor.ts';
import type { Callback, History, TrainingRun } from '../callbacks/callback.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { Program } from '../program.ts';
import { createProgress, type Figures, silent } from '../progress.ts';
import { weighted, weightName } from './entries.ts';
import type { RowsByName } from './examples.ts';
import { divergence, overBatches, Pace } from './loop.ts';
import type { FitOptions } from './options.ts';
import { Totals } from './totals.ts';
import type { TrainingData } from './training-data.ts';

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
}

/** Trains for the epochs of the options, or until something stops it. Throws HDL1005 (loss not finite) and what a run throws. */
export async function runFit(fit: Fit, options: FitOptions): Promise<History> {
  const { epochs = 1, signal, onEpochEnd, learningRate } = options;
  const { program, optimizer, metrics, data, validate } = fit;
  checkOptions(options);
  const progress = options.verbose === false ? silent : (options.progress ?? createProgress());
  const callbacks: readonly Callback[] = options.callbacks ?? [];
  const history: Record<string, number[]> = {};
  const rates = new Rates(optimizer, program, learningRate);
  let steps = 0;
  let { warn } = fit;
  const run: TrainingRun = {
    history,
    learningRate: () => rates.at(steps),
    scaleLearningRate: (factor) => rates.scale(factor),
    snapshot: () => new Map(program.variables().map(({ name }) => [name, program.get(name).data])),
    restore: (values: ReadonlyMap<string, RunData>) => {
      for (const [name, data] of values) program.set(name, data);
    },
    save: fit.save,
  };
  // What a rate or a progress does may depend on the batch before, and ask to stop.
  const isWatched = learningRate !== undefined ? (options.progress ?? signal) : options.progress && signal;
  const tellsBatches = callbacks.some((c) => c.onBatchEnd !== undefined);
  const pace = new Pace(isWatched !== undefined || tellsBatches);

  for (const callback of callbacks) await callback.onTrainBegin?.(run);
  for (let epoch = 1; epoch <= epochs && !signal?.aborted; epoch++) {
    const totals = new Totals(metrics);
    progress.begin(`Epoch ${epoch}/${epochs}`, data.count ?? 0);
    const isComplete = await overBatches(program, {
      entry: (rows) => {
        warn?.(rows);
        warn = null;
        return weightName in rows ? weighted('train') : 'train';
      },
      batches: data.epoch(epoch, 0),
      pace,
      schedules: rates.schedules(),
      watch: 'loss',
      before: steps,
      signal,
      visit: (results, examples, rows) => {
        const loss = totals.add(results, examples);
        steps++;
        if (!Number.isFinite(loss)) {
          throw divergence(loss, { epoch, step: steps, learningRate: rates.at(steps - 1) }, rows);
        }
        progress.update(totals.examples, totals.figures(false));
        for (const callback of callbacks) callback.onBatchEnd?.({ epoch, step: steps, loss }, run);
        return !signal?.aborted || !pace.oneByOne;
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
    const answers = [await onEpochEnd?.({ epoch, figures })];
    for (const callback of callbacks) answers.push(await callback.onEpochEnd?.({ epoch, figures }, run));
    if (answers.includes('stop')) break;
  }
  for (const callback of callbacks) await callback.onTrainEnd?.(run);
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

/** The learning rates of all groups of an optimizer: what a schedule says, or their variables, times a factor. */
class Rates {
  readonly #rates: Optimizer['rates'];
  readonly #program: Program;
  readonly #schedule: ((step: number) => number) | undefined;
  #factor = 1;

  constructor({ rates }: Optimizer, program: Program, schedule: ((step: number) => number) | undefined) {
    this.#rates = rates;
    this.#program = program;
    this.#schedule = schedule;
  }

  at(step: number): number {
    const [first] = this.#rates;
    if (this.#schedule !== undefined) return this.#schedule(step) * this.#factor;
    return first === undefined ? 0 : this.#program.get(first.variable).data[0]!;
  }

  scale(factor: number): void {
    this.#factor *= factor;
    if (this.#schedule !== undefined) return;
    for (const { variable } of this.#rates) {
      this.#program.set(variable, this.#program.get(variable).data[0]! * factor);
    }
  }

  /** Values by step for each variable; groups keep their ratios to the first. */
  schedules(): Record<string, (step: number) => number> {
    const schedule = this.#schedule;
    if (schedule === undefined) return {};
    const base = this.#rates[0]?.initial ?? 1;
    const ratios = this.#rates.map(
      ({ variable, initial }) => [variable, base === 0 ? 1 : initial / base] as const,
    );
    const at = (step: number): number => schedule(step) * this.#factor;
    return Object.fromEntries(
      ratios.map(([variable, ratio]) => [variable, (step: number) => at(step) * ratio]),
    );
  }
}
