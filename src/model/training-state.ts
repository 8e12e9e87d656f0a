// The state of a training, as a checkpoint holds it: put together from its parts, compared with the training that is to go on, and
// taken apart again.

import { runtimeError } from '../../runtime/errors.ts';
import type { RunData } from '../../runtime/tensor.ts';
import type { Callback, CallbackState } from '../callbacks/callback.ts';
import { filesOf, isTemplate } from '../callbacks/checkpoint-files.ts';
import { bytesOf, type DataSource } from '../data/source.ts';
import { expectFiles, readIfThere } from '../files.ts';
import { type Checkpoint, readCheckpoint, type TrainingState } from '../state/checkpoint.ts';
import type { StoredTensor } from '../state/safetensors.ts';

/** A checkpoint's file or bytes; with `ifExists` a training without one begins anew. */
export type ResumeFrom = DataSource | { readonly path: string; readonly ifExists: true };

/** Sums of the running epoch, by name, and the state of callbacks, by their place in the list. */
export function trainingValues(
  totals: ReadonlyMap<string, Float64Array>,
  callbacks: readonly Callback[],
  rateFactor: number,
): ReadonlyMap<string, StoredTensor> {
  const values = new Map<string, StoredTensor>([['rateFactor', stored(rateFactor)]]);
  for (const [name, data] of totals) values.set(`totals/${name}`, stored(data));
  callbacks.forEach((callback, i) => {
    for (const [name, value] of Object.entries(callback.state?.() ?? {}))
      values.set(`callbacks/${i}/${name}`, stored(value));
  });
  return values;
}

export function totalsOf({ values }: TrainingState): ReadonlyMap<string, ArrayLike<number>> {
  return new Map([...below(values, 'totals/')].map(([name, { data }]) => [name, data]));
}

export function rateFactorOf({ values }: TrainingState): number {
  return values.get('rateFactor')?.data[0] ?? 1;
}

export function callbackStateOf({ values }: TrainingState, i: number): CallbackState {
  return Object.fromEntries(
    [...below(values, `callbacks/${i}/`)].map(([name, { data, dtype }]) => [
      name,
      dtype === 'f64' ? data[0]! : (data as RunData),
    ]),
  );
}

/** Throws HDL0016 (no such file), HDL0017 (a file, where there are none), HDL1020 (no whole checkpoint). */
export async function readResumed(from: ResumeFrom): Promise<Checkpoint | null> {
  const isOptional = typeof from === 'object' && 'ifExists' in from;
  const source = isOptional ? from.path : from;
  if (typeof source !== 'string') return readCheckpoint(await bytesOf(source, 'checkpoint'));
  expectFiles(`resume from '${source}'`, 'pass the bytes of the checkpoint');
  const path = isTemplate(source) ? ((await filesOf(source))[0] ?? source) : source;
  const bytes = isOptional ? await readIfThere(path) : await bytesOf(path, 'checkpoint');
  return bytes === null ? null : readCheckpoint(bytes);
}

/** The training that goes on is the one that was interrupted, as far as can be told, or HDL1020 is thrown. */
export function expectSameTraining(
  { training, seed }: Checkpoint,
  now: {
    readonly seed: number;
    readonly settings: TrainingState['settings'];
    readonly callbacks: readonly Callback[];
  },
): TrainingState {
  const fail = (what: string, rule: string, hint: string): Error =>
    runtimeError('HDL1020', { what: `training cannot be resumed: ${what}`, rule, hint });
  if (training === null) {
    throw fail(
      'the checkpoint was not made during a training',
      'fit goes on from where a training was',
      'model.loadCheckpoint(path) restores the variables; then fit begins a new training from them',
    );
  }
  const rule = 'the rest has the same bits only with the same settings and data';
  if (seed !== now.seed) {
    throw fail(
      `its program has seed ${seed}, this one ${now.seed}`,
      rule,
      `compile({ seed: ${seed}, … }) as before`,
    );
  }
  for (const [name, value] of Object.entries(now.settings)) {
    const before = training.settings[name];
    // What was not known then, or is not yet known, cannot be compared.
    if (before === value || before === null || value === null) continue;
    throw fail(
      `it has ${name}: ${String(before)}, this one ${name}: ${String(value)}`,
      rule,
      'give fit the same, or load the variables alone by model.loadCheckpoint(path)',
    );
  }
  const places = new Set(
    [...below(training.values, 'callbacks/').keys()].map((name) => Number(name.split('/', 1)[0])),
  );
  for (const place of places) {
    if (now.callbacks[place]?.resume !== undefined) continue;
    throw fail(
      `it has the state of callback ${place + 1}, and there is none here that takes it`,
      rule,
      'pass the same callbacks in the same order',
    );
  }
  return training;
}

function* entriesBelow(
  values: ReadonlyMap<string, StoredTensor>,
  prefix: string,
): Generator<readonly [string, StoredTensor]> {
  for (const [name, value] of values) {
    if (name.startsWith(prefix)) yield [name.slice(prefix.length), value];
  }
}

function below(values: ReadonlyMap<string, StoredTensor>, prefix: string): ReadonlyMap<string, StoredTensor> {
  return new Map(entriesBelow(values, prefix));
}

function stored(value: number | Float64Array | RunData): StoredTensor {
  if (typeof value === 'number') return { dtype: 'f64', shape: [], data: Float64Array.of(value) };
  const shape = [value.length];
  if (value instanceof Float64Array) return { dtype: 'f64', shape, data: value };
  if (value instanceof Float32Array) return { dtype: 'f32', shape, data: value };
  if (value instanceof Int32Array) return { dtype: 'i32', shape, data: value };
  return value instanceof Uint32Array
    ? { dtype: 'u32', shape, data: value }
    : { dtype: 'u8', shape, data: value };
}
