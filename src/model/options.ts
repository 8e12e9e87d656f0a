// What a model is made of, compiled with and trained on: the records that its methods take.

import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Context } from '../context.ts';
import type { Feed } from '../feeds.ts';
import type { Loss } from '../losses/loss.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import type { ProgramOptions } from '../program.ts';
import type { Figures, Progress } from '../progress.ts';
import type { Spec, SpecShape } from '../spec.ts';

/** One example of an input: its shape (f32), or a spec, without the dimension of the batch. */
export type InputSpec = readonly number[] | Spec<readonly number[]>;

export interface ModelOptions {
  /** One input, called `x`, or several by name. */
  readonly input: InputSpec | Readonly<Record<string, InputSpec>>;
  /** The net as a function of its inputs, in place of `add`. */
  readonly build?: (inputs: Readonly<Record<string, Tensor>>, ctx: Context) => Tensor;
}

export interface CompileModelOptions extends ProgramOptions {
  /** Needed for `fit` and `evaluate`. */
  readonly loss?: Loss;
  /** Needed for `fit`. */
  readonly optimizer?: Optimizer;
  readonly metrics?: readonly Metric[];
  /** One example of `y`; default: a class number (i32) or the prediction's type, as the loss has it. */
  readonly y?: InputSpec;
}

/** Examples: `x` by itself, or by name for several inputs. */
export interface ModelData {
  readonly x: Feed | Readonly<Record<string, Feed>>;
  readonly y: Feed;
}

export interface EpochEnd {
  /** From 1. */
  readonly epoch: number;
  readonly figures: Figures;
}

export interface FitOptions {
  /** Default 1. */
  readonly epochs?: number;
  /** Default 32. The last batch of an epoch may be shorter; it is not padded. */
  readonly batchSize?: number;
  /** Measured after each epoch, as `valLoss` and so on. */
  readonly validation?: ModelData;
  /** Visits the examples in another order each epoch; default true. */
  readonly shuffle?: boolean;
  /** The order follows from it; default 0. */
  readonly seed?: number;
  /** The learning rate of each step, from 0: set before the step runs. Default: the optimizer's. */
  readonly learningRate?: (step: number) => number;
  /** Called after each epoch; training stops when it returns `stop`. */
  readonly onEpochEnd?: (end: EpochEnd) => unknown;
  /** When it is aborted, training stops after the step in flight, and `fit` returns what it has. */
  readonly signal?: AbortSignal;
  /** Shows progress; default true. */
  readonly verbose?: boolean;
  /** Where progress goes; default: a bar in a terminal, lines in a log. */
  readonly progress?: Progress;
}

/** Figures by epoch: `loss`, metrics, and those of validation as `valLoss`, `valAccuracy`. */
export type History = Readonly<Record<string, readonly number[]>>;

export function isInputSpec(input: ModelOptions['input']): input is InputSpec {
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
