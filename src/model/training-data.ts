// What `fit` and `evaluate` are given, seen as epochs of batches: arrays that this thread cuts, a Dataset with an order of its own,
// or anything that can be iterated.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { stack } from '../data/dataset/elements.ts';
import { Dataset, type Example } from '../data/dataset/index.ts';
import type { Specs } from '../entry.ts';
import type { TrainingState } from '../state/checkpoint.ts';
import { type BatchSource, batchesOfRows, batchesOfStream } from './batches.ts';
import type { Head } from './entries.ts';
import { type RowsByName, rowsOf } from './examples.ts';
import type { FitData, ModelData } from './options.ts';

export interface TrainingData {
  /** Examples of an epoch; null before the first epoch of data that is not known has ended. */
  readonly count: number | null;
  readonly batchSize: number;
  /** What the order of the examples follows from, as far as it can be told. */
  readonly settings: TrainingState['settings'];
  /** The rows, where they are in memory. */
  readonly rows: RowsByName | null;
  /** Batches of an epoch, from 1, from batch `from` on. */
  epoch(epoch: number, from: number): BatchSource;
}

export interface BatchSettings {
  readonly batchSize?: number | undefined;
  /** Of arrays: an order for each epoch; null keeps theirs. A Dataset has its own. */
  readonly shuffle: { readonly seed: number } | null;
  /** Whether the caller asked to shuffle: a Dataset does not let others. */
  readonly asksForShuffle?: boolean;
}

/** Throws HDL0016 for data that is empty or does not fit the model, HDL0003 for settings that are not for such data. */
export function trainingData(
  inputs: Specs,
  heads: readonly Head[],
  data: FitData,
  prefix: string,
  settings: BatchSettings,
): TrainingData {
  const set = asDataset(data);
  if (set === null) {
    const { batchSize = 32, shuffle } = settings;
    const rows = rowsOf(inputs, heads, data as ModelData, prefix);
    const { count } = Object.values(rows)[0]!;
    return {
      count,
      batchSize,
      settings: {
        data: 'arrays',
        examples: count,
        batchSize,
        shuffle: shuffle !== null,
        seed: shuffle?.seed ?? null,
      },
      rows,
      epoch: (epoch, from) =>
        batchesOfRows(rows, batchSize, shuffle && { seed: shuffle.seed * 65537 + epoch }, from),
    };
  }
  const batchSize = batchSizeOf(set, settings, prefix);
  if (set.rows !== null) {
    const { columns, count, order } = set.rows;
    if (count === 0) throw noBatch(prefix);
    const rows = rowsOf(inputs, heads, columns as unknown as ModelData, prefix);
    const all = Object.values(rows)[0]!.count;
    const inOrder = count === all ? null : Int32Array.from({ length: count }, (_, i) => i);
    return {
      count,
      batchSize,
      settings: { data: 'dataset', examples: count, batchSize },
      rows,
      epoch: (epoch, from) =>
        batchesOfRows(rows, batchSize, order?.(epoch - 1).subarray(0, count) ?? inOrder, from),
    };
  }
  const batches = set.batchSize === null ? set.map(expectExample(prefix)).batch(batchSize) : set;
  const convert = (batch: Example): RowsByName =>
    rowsOf(inputs, heads, expectExample(prefix)(batch) as unknown as ModelData, prefix);
  let count = set.batchSize === null ? set.size : null;
  return {
    get count() {
      return count;
    },
    batchSize,
    settings: { data: 'dataset', examples: count, batchSize },
    rows: null,
    epoch: (epoch, from) => batchesOfStream(converted(epoch, from)),
  };

  async function* converted(epoch: number, from: number): AsyncGenerator<RowsByName> {
    let seen = 0;
    for await (const batch of batches.epoch(epoch - 1, from)) {
      const rows = convert(batch);
      seen += Object.values(rows)[0]!.count;
      yield rows;
    }
    if (from > 0) return;
    if (seen === 0) throw noBatch(prefix);
    count = seen;
  }
}

/** The arrays of what `measure` is given: all examples at once. Throws HDL0016 (none), HDL0003 (batches). */
export async function arraysOf(data: FitData): Promise<ModelData> {
  const set = asDataset(data);
  return set === null ? (data as ModelData) : ((await collect(set)) as unknown as ModelData);
}

/** The arrays of what `predict` is given: of a Dataset the inputs of all examples, in epoch 0. Throws as `arraysOf`. */
export async function inputsOf(x: ModelData['x'] | Dataset<unknown>): Promise<ModelData['x']> {
  if (!(x instanceof Dataset)) return x;
  const all = await collect(x as Dataset);
  return ('x' in all ? all['x'] : all) as ModelData['x'];
}

async function collect(set: Dataset): Promise<Example> {
  if (set.batchSize !== null) {
    throw compilerError('HDL0003', {
      what: `a Dataset in batches of ${set.batchSize}, where all examples are put together`,
      rule: 'predict and measure take a Dataset of single examples',
      hint: 'leave out .batch(…); batchSize is an option',
      loc: callerLocation(),
    });
  }
  const examples = await set.toArray();
  if (examples.length === 0) throw noBatch('');
  return stack(examples) as Example;
}

/** What is no record of arrays, as a data set; null for a record of arrays, or for what is refused as one. */
function asDataset(data: FitData): Dataset | null {
  if (data instanceof Dataset) return data as Dataset;
  if (typeof data === 'function') return Dataset.from(data as () => Iterable<Example>);
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return null;
  // Rows without targets.
  if (Array.isArray(data) && (Array.isArray(data[0]) || typeof data[0] === 'number')) return null;
  return Symbol.iterator in data || Symbol.asyncIterator in data
    ? Dataset.from(data as Iterable<Example>)
    : null;
}

function batchSizeOf(set: Dataset, settings: BatchSettings, prefix: string): number {
  const refuse = (what: string, hint: string): Error =>
    compilerError('HDL0003', {
      what: `${what} for a Dataset`,
      rule: 'a Dataset says itself in which order and in which batches its examples come',
      hint,
      loc: callerLocation(),
    });
  if (settings.asksForShuffle)
    throw refuse('fit with shuffle: true', 'data.shuffle({ seed }), before .batch(…)');
  if (set.batchSize === null) return settings.batchSize ?? 32;
  const isOther = settings.batchSize !== undefined && settings.batchSize !== set.batchSize;
  // Validation data may be batched in another way than training data.
  if (isOther && prefix === '') {
    throw refuse(
      `batchSize: ${settings.batchSize} and batches of ${set.batchSize}`,
      'leave out batchSize, or .batch(…)',
    );
  }
  return set.batchSize;
}

/** Says what an element lacks to be an example. */
function expectExample(prefix: string): (element: Example) => Example {
  return (element) => {
    if (typeof element === 'object' && element !== null && 'x' in element && 'y' in element) return element;
    const is = Array.isArray(element)
      ? 'is a list'
      : typeof element === 'object' && element !== null
        ? `has ${Object.keys(element).join(', ') || 'no fields'}`
        : `is ${String(element)}`;
    throw compilerError('HDL0016', {
      what: `an element of ${prefix}data ${is}`,
      rule: 'an element is a record of an input and its target, { x, y }',
      hint: 'map it: data.map((e) => ({ x: …, y: … }))',
    });
  };
}

function noBatch(prefix: string): Error {
  return compilerError('HDL0016', {
    what: `${prefix}data has no batch in an epoch`,
    rule: 'there is at least one example, and at least one whole batch where the remainder is dropped',
    hint: 'check what filter, take and skip leave, or use smaller batches',
  });
}
