// Dataset: examples, wherever they come from, and what is done to them on their way to training. It is lazy, and it can be gone
// through any number of times: what an epoch gives follows from the epoch's number and from seeds, so a training that is resumed
// sees what it would have seen.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { callerLocation } from '../../../compiler/graph/location.ts';
import { random } from '../../random.ts';
import { transformNames } from '../augment/apply.ts';
import type { Transform } from '../augment/transform.ts';
import type { LabelledPictures } from '../cifar10.ts';
import { augmented } from './augmented.ts';
import { type AnyIterable, again, fromColumns, fromIterable, fromList, isIterable } from './sources.ts';
import { chosen, permutationOf, type RowChoice, type Stage } from './stage.ts';
import {
  batched,
  cached,
  filtered,
  mapped,
  type Place,
  prefetched,
  ranged,
  shuffledBy,
} from './transforms.ts';

/** A record of numbers, arrays, and arrays with a shape: `{ x, y }`. */
export type Example = Readonly<Record<string, unknown>>;

export interface ShuffleOptions {
  /** The order follows from it and the epoch; default 0. */
  readonly seed?: number;
  /** Draws from so many elements at a time, for data that cannot be read in any order. Default: all elements. */
  readonly buffer?: number;
}

export interface SplitOptions {
  /** Chooses examples at random, always the same for a seed; `false` keeps the order. Default true. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Examples, lazily.
 *
 * @example
 * const [train, test] = Dataset.from({ x, y }).split(0.8);
 * await model.fit(train.shuffle({ seed: 1 }).batch(32), { epochs: 10, validation: test });
 */
export class Dataset<E = Example> implements AsyncIterable<E> {
  readonly #stage: Stage<E>;

  /** Use `Dataset.from`. */
  constructor(stage: Stage<E>) {
    this.#stage = stage;
  }

  /**
   * A data set of columns (`{ x, y }`: typed arrays, nested arrays, `{ data, shape }`; all with as many rows), of a list of elements, of
   * an iterable or async iterable of elements, or of a function that makes one for each epoch. A flat array is cut into as many rows as
   * the other columns have. Throws HDL0016 for columns that are empty or do not go together.
   *
   * @example
   * Dataset.from({ x: { data: images, shape: [1000, 1, 28, 28] }, y: labels });
   * Dataset.from(async function* () { for await (const line of lines) yield parse(line); });
   */
  static from<E = Example>(
    given: Dataset<E> | AnyIterable<E> | ((epoch: number) => AnyIterable<E>) | Example,
  ): Dataset<E> {
    if (given instanceof Dataset) return given as Dataset<E>;
    if (typeof given === 'function')
      return new Dataset(fromIterable(given as (epoch: number) => AnyIterable<E>));
    if (Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView))) {
      return new Dataset(fromList(given as unknown as ArrayLike<E>));
    }
    if (isIterable(given)) return new Dataset(fromIterable(again(given as AnyIterable<E>)));
    if (typeof given === 'object' && given !== null && !(given instanceof Promise)) {
      return new Dataset(fromColumns(given as Example) as Stage<E>);
    }
    throw compilerError('HDL0016', {
      what: `Dataset.from(${(given as unknown) instanceof Promise ? 'a promise' : String(given)})`,
      rule: 'data comes as { x, y }, a list of elements, an iterable, or a function that makes one',
      hint: (given as unknown) instanceof Promise ? 'await it first' : 'Dataset.from({ x, y })',
      loc: callerLocation(),
    });
  }

  /**
   * Pictures with their labels, as readers and generators give them: elements `{ x, y }` of one picture [channels, height, width] and its
   * class.
   *
   * @example Dataset.pictures(data.shapes(1000))
   */
  static pictures({ images, labels, shape }: LabelledPictures): Dataset {
    return Dataset.from({ x: { data: images, shape }, y: labels });
  }

  /** How many elements an epoch has; null when that is not known before its end. */
  get size(): number | null {
    return this.#stage.size;
  }

  /** Examples in an element that is a batch; null when elements are examples. */
  get batchSize(): number | null {
    return this.#stage.batch;
  }

  /** Arrays of which the examples are rows, where it only chooses, orders and batches them; else null. For the loop of training. */
  get rows(): RowChoice | null {
    return this.#stage.rows;
  }

  /** Changes each element. What `f` does at random it draws from `place.random`, which follows from the seed, the epoch and the place. */
  map<F>(
    f: (element: E, place: Place) => F | Promise<F>,
    options: { readonly seed?: number; readonly worker?: false } = {},
  ): Dataset<F> {
    expectFunction('map', f);
    if ((options as { readonly worker?: unknown }).worker) {
      throw compilerError('HDL0003', {
        what: 'map with worker: true',
        rule: 'a function cannot be sent to another thread, since it may use what stands around it',
        hint: 'map runs on the main thread; transforms that have names run in a worker: augment([…], { worker: true })',
        loc: callerLocation(),
      });
    }
    return new Dataset(mapped(this.#stage, f, options.seed ?? 0));
  }

  /**
   * Transforms pictures: `field` of each element, `{ data, shape: [channels, height, width] }`, by transforms of `data.augment`, one after
   * the other. Bytes become fractions of 255 first. What is random follows from the seed, the epoch and the place. With `worker` it runs
   * on a thread beside those that train, with the same bits; it then comes after what shuffles all. Throws HDL0003 for what is no such
   * transform: a function of one's own cannot be sent, and belongs into `map`.
   *
   * @example set.shuffle().augment([data.augment.flip(), data.augment.crop()], { worker: true }).batch(64)
   */
  augment(
    transforms: readonly Transform[],
    options: { readonly field?: string; readonly seed?: number; readonly worker?: boolean } = {},
  ): Dataset<E> {
    const { field = 'x', seed = 0, worker = false } = options;
    for (const given of transforms as readonly unknown[]) expectTransform(given, worker);
    if (this.#stage.batch !== null) {
      throw compilerError('HDL0003', {
        what: `augment of batches of ${this.#stage.batch}`,
        rule: 'each picture is transformed by itself',
        hint: 'augment before batch',
        loc: callerLocation(),
      });
    }
    const stage = this.#stage as unknown as Stage<Example>;
    return new Dataset(augmented(stage, transforms, { field, seed, worker }) as unknown as Stage<E>);
  }

  /** Keeps the elements of which `keep` says yes. */
  filter(keep: (element: E) => unknown): Dataset<E> {
    expectFunction('filter', keep);
    return new Dataset(filtered(this.#stage, keep));
  }

  /**
   * Another order in each epoch. Of all elements, or through a buffer where they come one after the other. Throws HDL0003 where all
   * are wanted and cannot be had in any order.
   */
  shuffle(options: ShuffleOptions = {}): Dataset<E> {
    const { seed = 0, buffer } = options;
    if (buffer !== undefined) {
      expectCount('shuffle', 'buffer', buffer, 1);
      return new Dataset(shuffledBy(this.#stage, buffer, seed));
    }
    const size = this.#expectPlaces('shuffle', 'shuffle({ buffer: 1000 }) draws from so many at a time');
    return new Dataset(chosen(this.#stage, size, permutationOf(size, seed)));
  }

  /**
   * Puts `batchSize` elements together: each value becomes `{ data, shape }` with the batch as first dimension. The last batch may be
   * smaller, or is left out. Throws HDL0016, while it is gone through, for elements that differ in form.
   */
  batch(batchSize: number, options: { readonly dropRemainder?: boolean } = {}): Dataset {
    expectCount('batch', 'batchSize', batchSize, 1);
    if (this.#stage.batch !== null) {
      throw compilerError('HDL0003', {
        what: `batch(${batchSize}) of batches of ${this.#stage.batch}`,
        rule: 'elements are put together to batches once',
        hint: 'leave one of the calls out',
        loc: callerLocation(),
      });
    }
    return new Dataset(batched(this.#stage, batchSize, options.dropRemainder ?? false) as Stage<Example>);
  }

  /** Makes up to `ahead` elements before they are wanted, while training computes. */
  prefetch(ahead = 2): Dataset<E> {
    expectCount('prefetch', 'ahead', ahead, 1);
    return new Dataset(prefetched(this.#stage, ahead));
  }

  /** Keeps the elements, as epoch 0 gives them, in memory: what was done before is done once. */
  cache(): Dataset<E> {
    return new Dataset(cached(this.#stage));
  }

  /** The first `count` elements. */
  take(count: number): Dataset<E> {
    expectCount('take', 'count', count, 0);
    return this.#range(0, count);
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<E> {
    expectCount('skip', 'count', count, 0);
    return this.#range(count, null);
  }

  /**
   * Two parts: about `fraction` of the examples, and the others. Throws HDL0003 for a fraction that leaves a part empty, or for data
   * that cannot be read in any order.
   *
   * @example const [train, validation] = dataset.split(0.8, { seed: 1 });
   */
  split(fraction: number, options: SplitOptions = {}): readonly [Dataset<E>, Dataset<E>] {
    const size = this.#expectPlaces('split', 'collect() reads everything into memory');
    const first = Math.round(size * fraction);
    if (!(fraction > 0 && fraction < 1) || first === 0 || first === size) {
      throw compilerError('HDL0003', {
        what: `split(${fraction}) of ${size} examples`,
        rule: 'fraction is a number between 0 and 1 that leaves an example in each part',
        hint: 'split(0.8)',
        loc: callerLocation(),
      });
    }
    const order = orderOf(size, options);
    return [this.#choose(order.subarray(0, first)), this.#choose(order.subarray(first))];
  }

  /**
   * `k` ways to part the examples for cross-validation: each example is in one `validation` part, and in the `train` parts of all
   * others. Throws HDL0003 for k that is no integer from 2 to the number of examples, or data that cannot be read in any order.
   *
   * @example for (const { train, validation } of dataset.kFold(5)) …
   */
  kFold(
    k: number,
    options: SplitOptions = {},
  ): readonly { readonly train: Dataset<E>; readonly validation: Dataset<E> }[] {
    const size = this.#expectPlaces('kFold', 'collect() reads everything into memory');
    expectCount('kFold', 'k', k, 2);
    if (k > size) {
      throw compilerError('HDL0003', {
        what: `kFold(${k}) of ${size} examples`,
        rule: 'each part has at least one example',
        hint: `kFold(${size}) leaves one out at a time`,
        loc: callerLocation(),
      });
    }
    const order = orderOf(size, options);
    return Array.from({ length: k }, (_, fold) => {
      const [begin, end] = [Math.floor((fold * size) / k), Math.floor(((fold + 1) * size) / k)];
      return {
        train: this.#choose(order.filter((_, i) => i < begin || i >= end)),
        validation: this.#choose(order.subarray(begin, end)),
      };
    });
  }

  /** Reads all elements of epoch 0 into memory, where they can be had in any order. */
  async collect(): Promise<Dataset<E>> {
    const list = await this.toArray();
    const { batch } = this.#stage;
    return new Dataset({ ...fromList(list), batch });
  }

  /** The elements of epoch 0. */
  async toArray(): Promise<E[]> {
    const list: E[] = [];
    for await (const element of this) list.push(element);
    return list;
  }

  /** The elements of an epoch, from place `from` on. */
  epoch(epoch: number, from = 0): AsyncIterable<E> {
    expectCount('epoch', 'epoch', epoch, 0);
    expectCount('epoch', 'from', from, 0);
    return { [Symbol.asyncIterator]: () => this.#stage.open(epoch, from)[Symbol.asyncIterator]() };
  }

  /** The elements of epoch 0. */
  [Symbol.asyncIterator](): AsyncIterator<E> {
    return this.epoch(0)[Symbol.asyncIterator]();
  }

  #range(first: number, count: number | null): Dataset<E> {
    const { size, at } = this.#stage;
    if (size === null || at === null) return new Dataset(ranged(this.#stage, first, count));
    const length = Math.max(0, Math.min(count ?? size, size - first));
    return this.#choose(Int32Array.from({ length }, (_, i) => first + i));
  }

  #choose(indices: Int32Array): Dataset<E> {
    return new Dataset(chosen(this.#stage, indices.length, () => indices));
  }

  /** The size of a data set whose elements can be had in any order, or HDL0003. */
  #expectPlaces(method: string, hint: string): number {
    const { size, at } = this.#stage;
    if (size !== null && at !== null) return size;
    throw compilerError('HDL0003', {
      what: `${method} of data that comes one element after the other`,
      rule: `${method} needs to know how many elements there are, and to take them in any order`,
      hint,
      loc: callerLocation(),
    });
  }
}

function orderOf(size: number, { shuffle = true, seed = 0 }: SplitOptions): Int32Array {
  return shuffle ? random(seed, 'split').permutation(size) : Int32Array.from({ length: size }, (_, i) => i);
}

function expectTransform(given: unknown, worker: boolean): void {
  if (typeof given === 'object' && given !== null && 'name' in given) {
    if (transformNames.includes(String(given.name))) return;
  }
  const isFunction = typeof given === 'function';
  throw compilerError('HDL0003', {
    what: `augment by ${isFunction ? `the function ${given.name || '(…) => …'}` : JSON.stringify(given)}`,
    rule: `transforms are made by data.augment: ${transformNames.join(', ')}`,
    hint: !isFunction
      ? 'augment([data.augment.flip()])'
      : transformNames.includes(given.name)
        ? `call it: data.augment.${given.name}()`
        : `functions run on the main thread, in map((element, { random }) => …)${worker ? ': they cannot be sent to the worker' : ''}`,
    loc: callerLocation(),
  });
}

function expectFunction(method: string, f: unknown): void {
  if (typeof f === 'function') return;
  throw compilerError('HDL0003', {
    what: `${method}(${String(f)})`,
    rule: `${method} takes a function of an element`,
    hint: `${method}((element) => …)`,
    loc: callerLocation(),
  });
}

function expectCount(method: string, name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw compilerError('HDL0003', {
    what: `${method} with ${name}: ${String(value)}`,
    rule: `${name} is an integer of at least ${least}`,
    hint: 'give a whole number',
    loc: callerLocation(),
  });
}
