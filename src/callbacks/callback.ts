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

/** A moment between two steps at which all callbacks have been told what there is to tell. */
export interface Pause {
  /** After steps that `everySteps` asked for, after an epoch, or when training ends, however it does but by an error. */
  readonly reason: 'steps' | 'epoch' | 'end';
  /** The epoch that is being run, or has just ended. */
  readonly epoch: number;
  /** Steps of this training so far. */
  readonly step: number;
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
  /** The bytes of a checkpoint, with which `fit({ resume })` goes on from here. To be asked for in a pause. */
  checkpoint(): Uint8Array;
  /** Ends the training after the step in flight; `then` is called last, when all callbacks have been told. */
  stop(then?: () => void): void;
}

/** What a callback needs to go on from a checkpoint as if it had never stopped: numbers and arrays by name. */
export type CallbackState = Readonly<Record<string, number | RunData>>;

/** All are optional, and awaited. */
export interface Callback {
  readonly onTrainBegin?: (run: TrainingRun) => unknown;
  /** Training stops after the epoch when one returns `'stop'`. */
  readonly onEpochEnd?: (end: EpochEnd, run: TrainingRun) => unknown;
  /** Not awaited. Steps that are told one by one do not run many at a time: small nets train more slowly. */
  readonly onBatchEnd?: (end: BatchEnd, run: TrainingRun) => void;
  /** Asks for a pause after every so many steps. */
  readonly everySteps?: number | undefined;
  readonly onPause?: (at: Pause, run: TrainingRun) => unknown;
  readonly onTrainEnd?: (run: TrainingRun) => unknown;
  /** Called last, also when the training ends by an error. Not awaited. */
  readonly onClose?: () => void;
  /** What a checkpoint keeps of it, and back; a callback without these starts anew when a training is resumed. */
  readonly state?: () => CallbackState;
  readonly resume?: (state: CallbackState) => unknown;
}

export interface MonitorOptions {
  /** The figure that is watched; default `valLoss`. */
  readonly monitor?: string | undefined;
  /** Whether less is better, default for losses, errors and perplexity, or more. */
  readonly mode?: 'min' | 'max' | undefined;
  /** What counts as better; default 0. */
  readonly minDelta?: number | undefined;
}

/** Tells of each epoch's figures whether the watched one is the best so far. */
export class Watch {
  readonly #fn: string;
  readonly #monitor: string;
  readonly #mode: 'min' | 'max';
  readonly #minDelta: number;
  /** Null before the first figure. */
  best: number | null = null;

  /** `fn` names the callback in errors. */
  constructor(fn: string, { monitor = 'valLoss', minDelta = 0, mode }: MonitorOptions) {
    this.#fn = fn;
    this.#monitor = monitor;
    this.#mode = mode ?? (/loss|error|perplexity/i.test(monitor) ? 'min' : 'max');
    this.#minDelta = minDelta;
  }

  /** Throws HDL0003 when the watched figure is not among them. */
  isBest(figures: Figures): boolean {
    const value = figures[this.#monitor];
    if (value === undefined) {
      throw compilerError('HDL0003', {
        what: `${this.#fn} watches '${this.#monitor}'`,
        rule: `the figures are ${Object.keys(figures)
          .map((f) => `'${f}'`)
          .join(', ')}`,
        hint: this.#monitor.startsWith('val')
          ? 'give fit({ validation }), or watch one of these'
          : 'watch one of these',
      });
    }
    const { best } = this;
    const isBetter =
      !Number.isNaN(value) &&
      (best === null ||
        (this.#mode === 'min' ? value < best - this.#minDelta : value > best + this.#minDelta));
    if (isBetter) this.best = value;
    return isBetter;
  }

  state(): { readonly best?: number } {
    return this.best === null ? {} : { best: this.best };
  }

  resume({ best }: CallbackState): void {
    this.best = typeof best === 'number' ? best : null;
  }
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
