// What a checkpoint holds, and how it lies in a safetensors file: variables under their names, and what else a training needs to go
// on under `__fit__/`; whole numbers and settings stand in the metadata, as JSON.

import { runtimeError } from '../../runtime/errors.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors.ts';

/** Where a training is, and what it has seen. */
export interface TrainingState {
  /** The epoch that is being run, from 1, and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  /** Steps of the whole training so far. */
  readonly step: number;
  /** A callback has ended the training. */
  readonly isStopped: boolean;
  /** What the order of the data follows from; resuming with other settings would be another training. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** Figures by epoch. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** What a name stands for is known to who wrote it: sums of the running epoch, state of callbacks. */
  readonly values: ReadonlyMap<string, StoredTensor>;
}

export interface Checkpoint {
  readonly variables: ReadonlyMap<string, RunTensor>;
  /** Of the program: what random ops follow from, beside their counter, which is a variable. */
  readonly seed: number;
  /** Null when it was not made during a training. */
  readonly training: TrainingState | null;
  /** What its maker wanted to be kept with it. */
  readonly metadata: Readonly<Record<string, string>>;
}

const format = 'heddle checkpoint 1';
const own = '__fit__/';

export function writeCheckpoint({ variables, seed, training, metadata }: Checkpoint): Uint8Array {
  const tensors = new Map<string, StoredTensor>(variables);
  if (training !== null) {
    for (const [name, values] of Object.entries(training.history)) {
      const data = Float64Array.from(values);
      tensors.set(`${own}history/${name}`, { dtype: 'f64', shape: [data.length], data });
    }
    for (const [name, value] of training.values) tensors.set(`${own}values/${name}`, value);
  }
  const position = training && { ...training, history: undefined, values: undefined };
  const state = JSON.stringify({ seed, training: position });
  return writeSafetensors(tensors, { ...metadata, format, heddle: state });
}

/** Throws HDL1020 for what is no checkpoint of this format. */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  const { format: found, heddle, ...rest } = metadata;
  if (found !== format || heddle === undefined) {
    throw refuse(
      `its format is ${found === undefined ? 'not told' : `'${found}'`}`,
      `a checkpoint of Heddle has metadata format '${format}'`,
      'tensors of other programs are read by readSafetensors, and set by program.set',
    );
  }
  let state: unknown;
  try {
    state = JSON.parse(heddle);
  } catch {
    state = null;
  }
  const { seed, training } = (state ?? {}) as { readonly seed?: unknown; readonly training?: unknown };
  if (typeof seed !== 'number' || (training !== null && !isPosition(training))) {
    throw refuse('its metadata cannot be read', 'it says seed and position', 'use another checkpoint');
  }
  const variables = new Map<string, RunTensor>();
  const history: Record<string, number[]> = Object.create(null);
  const values = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(`${own}history/`)) history[name.slice(own.length + 8)] = [...tensor.data];
    else if (name.startsWith(`${own}values/`)) values.set(name.slice(own.length + 7), tensor);
    else if (tensor.dtype !== 'f64') variables.set(name, tensor as RunTensor);
    else throw refuse(`'${name}' is f64`, 'no variable is of that dtype', 'use another checkpoint');
  }
  return {
    variables,
    seed,
    training: training === null ? null : { ...training, history: { ...history }, values },
    metadata: rest,
  };
}

type Position = Omit<TrainingState, 'history' | 'values'>;

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, batch, step, isStopped, settings } = value as Record<string, unknown>;
  const isCount = (n: unknown, least: number): boolean => Number.isSafeInteger(n) && (n as number) >= least;
  return (
    isCount(epoch, 1) &&
    isCount(batch, 0) &&
    isCount(step, 0) &&
    typeof isStopped === 'boolean' &&
    typeof settings === 'object' &&
    settings !== null
  );
}

function refuse(reason: string, rule: string, hint: string): Error {
  return runtimeError('HDL1020', { what: `checkpoint cannot be read: ${reason}`, rule, hint });
}
