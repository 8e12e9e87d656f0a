// What a callback is: someone who is told of the course of a training and may steer it. Callbacks see a training through
// `TrainingRun`, so that none needs to know the model.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { RunData } from '../../runtime/tensor.ts';
import type { Figures } from '../progress.ts';

/** Figures by epoch: `loss`, metrics, and those of validation as `valLoss`, `valAccuracy`. */
export type History = Readonly<Record<string, readonly number[]>>;

export interface EpochEnd {
  /** From 1. */
  readonly epoch: number;
  readonly figures: Figures;
}

export interface BatchEnd {
  readonly epoch: number;
  /** Steps of this training so far, from 1. */
  readonly step: number;
  readonly loss: number;
}

/** A training that runs. */
export interface TrainingRun {
  /** The figures of the epochs so far. */
  readonly history: History;
  /** Learning rate of the next step: the variable of the first group, times what a schedule says. */
  learningRate(): number;
  /** Multiplies the learning rates of all steps from now on, those of a schedule too. */
  scaleLearningRate(factor: number): void;
  /** Copies of all variables, and back. */
  snapshot(): ReadonlyMap<string, RunData>;
  restore(values: ReadonlyMap<string, RunData>): void;
  /** The bytes of `model.save()`. */
  save(): Promise<Uint8Array>;
}

/** All are optional, and awaited. */
export interface Callback {
  readonly onTrainBegin?: (run: TrainingRun) => unknown;
  /** Training stops after the epoch when one returns `'stop'`. */
  readonly onEpochEnd?: (end: EpochEnd, run: TrainingRun) => unknown;
  /** Not awaited. Steps that are told one by one do not run many at a time: small nets train more slowly. */
  readonly onBatchEnd?: (end: BatchEnd, run: TrainingRun) => void;
  readonly onTrainEnd?: (run: TrainingRun) => unknown;
}

export interface MonitorOptions {
  /** The figure that is watched; default `valLoss`. */
  readonly monitor?: string | undefined;
  /** Whether less is better, default for losses, errors and perplexity, or more. */
  readonly mode?: 'min' | 'max' | undefined;
  /** What counts as better; default 0. */
  readonly minDelta?: number | undefined;
}

/** Tells of each epoch's figures whether the watched one is the best so far. Throws HDL0003 when it is not among them. */
export function watch(fn: string, options: MonitorOptions): (figures: Figures) => boolean {
  const { monitor = 'valLoss', minDelta = 0 } = options;
  const mode = options.mode ?? (/loss|error|perplexity/i.test(monitor) ? 'min' : 'max');
  let best: number | null = null;
  return (figures) => {
    const value = figures[monitor];
    if (value === undefined) {
      throw compilerError('HDL0003', {
        what: `${fn} watches '${monitor}'`,
        rule: `the figures are ${Object.keys(figures)
          .map((f) => `'${f}'`)
          .join(', ')}`,
        hint: monitor.startsWith('val')
          ? 'give fit({ validation }), or watch one of these'
          : 'watch one of these',
      });
    }
    const isBetter =
      !Number.isNaN(value) &&
      (best === null || (mode === 'min' ? value < best - minDelta : value > best + minDelta));
    if (isBetter) best = value;
    return isBetter;
  };
}

/** An integer of at least 1. Throws HDL0003. */
export function checkPatience(fn: string, patience: number): void {
  if (Number.isInteger(patience) && patience >= 1) return;
  throw compilerError('HDL0003', {
    what: `${fn} with patience: ${patience}`,
    rule: 'patience is a number of epochs, an integer of at least 1',
    hint: `${fn}({ patience: 3 })`,
  });
}
