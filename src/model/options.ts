// What a model is made of, compiled with and trained on: the records that its methods take.

import type { Callback, EpochEnd } from '../callbacks/callback.ts';
import type { AnyIterable, Dataset } from '../data/dataset/index.ts';
import type { Feed } from '../feeds.ts';
import type { Loss } from '../losses/loss.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { ProgramOptions } from '../program.ts';
import type { Progress } from '../progress.ts';
import type { Spec, SpecShape } from '../spec.ts';
import type { Build } from './entries.ts';
import type { ResumeFrom } from './training-state.ts';

/** One example of an input: its shape (f32), or a spec, without the dimension of the batch. */
export type InputSpec = readonly number[] | Spec<readonly number[]>;

export interface ModelOptions {
  /** One input, called `x`, or several by name. */
  readonly input: InputSpec | Readonly<Record<string, InputSpec>>;
  /** The net as a function of its inputs, in place of `add`: returns its output, or a record of several. */
  readonly build?: Build;
}

export interface CompileModelOptions extends ProgramOptions {
  /** Needed for `fit` and `evaluate`. */
  readonly loss?: Loss | Readonly<Record<string, Loss>>;
  /** Factors of the losses of several outputs in their sum; default 1. */
  readonly lossWeights?: Readonly<Record<string, number>>;
  /** Needed for `fit`. */
  readonly optimizer?: Optimizer;
  readonly metrics?: readonly Metric[] | Readonly<Record<string, readonly Metric[]>>;
  /** One example of `y`; default: a class number (i32) or the prediction's type, as the loss has it. */
  readonly y?: InputSpec | Readonly<Record<string, InputSpec>>;
  /** Told of what looks like a mistake but may be meant; default: the console. */
  readonly onWarning?: (text: string) => void;
}

/** Examples: `x` by itself, or by name for several inputs. */
export interface ModelData {
  readonly x: Feed | Readonly<Record<string, Feed>>;
  /** Targets: by the name of their output, for several outputs. */
  readonly y: Feed | Readonly<Record<string, Feed>>;
  /** What the loss of each example counts: one number per example, for all outputs alike. Metrics do not look at it. */
  readonly sampleWeight?: Feed | undefined;
}

/**
 * What a model is trained and evaluated on: arrays; a Dataset; examples `{ x, y }`, with `sampleWeight` if wanted, one after the other
 * from an iterable or async iterable, or from a function that makes one for each epoch.
 */
export type FitData =
  | ModelData
  | Dataset<unknown>
  | AnyIterable<object>
  | ((epoch: number) => AnyIterable<object>);

export interface FitOptions {
  /** Default 1. */
  readonly epochs?: number;
  /** Default 32, or that of a Dataset that is batched. The last batch of an epoch may be shorter; it is not padded. */
  readonly batchSize?: number;
  /** Measured after each epoch, as `valLoss` and so on. */
  readonly validation?: FitData;
  /** Visits the examples of arrays in another order each epoch; default true. A Dataset has an order of its own. */
  readonly shuffle?: boolean;
  /** The order follows from it; default 0. */
  readonly seed?: number;
  /** The learning rate of each step, from 0: set before the step runs. Default: the optimizer's. */
  readonly learningRate?: (step: number) => number;
  /** Called after each epoch; training stops when it returns `stop`. */
  readonly onEpochEnd?: (end: EpochEnd) => unknown;
  /** Told of the course of the training, in order; see `callbacks`. */
  readonly callbacks?: readonly Callback[];
  /** When it is aborted, training stops after the step in flight, and `fit` returns what it has. */
  readonly signal?: AbortSignal;
  /**
   * A checkpoint of the same training (see `callbacks.checkpoint`): goes on from there, and has the same bits in the end as one that
   * was never interrupted. `epochs` counts from the very start. With `{ path, ifExists: true }` a training without a checkpoint begins
   * anew; of a path with `{epoch}` or `{step}` the newest file is taken.
   */
  readonly resume?: ResumeFrom;
  /** Shows progress; default true. */
  readonly verbose?: boolean;
  /** Where progress goes; default: a bar in a terminal, lines in a log. */
  readonly progress?: Progress;
}

export function isInputSpec(input: InputSpec | Readonly<Record<string, InputSpec>>): input is InputSpec {
  return (
    Array.isArray(input) || (typeof input === 'object' && 'dtype' in input && Array.isArray(input.shape))
  );
}

/** The spec of a batch of such examples. */
export function withBatch(input: InputSpec): Spec {
  const spec = 'dtype' in input ? input : { dtype: 'f32' as const, shape: input };
  const shape: SpecShape = ['batch', ...spec.shape];
  return { dtype: spec.dtype, shape };
}
