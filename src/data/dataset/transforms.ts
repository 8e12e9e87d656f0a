// What becomes of elements, one stage after the other. Each is lazy: nothing runs before an epoch is gone through.

import { type Random, random } from '../../random.ts';
import { stack } from './elements.ts';
import { byEpoch, openByPlace, type Stage } from './stage.ts';

/** What a function that is mapped may know of the element's place. */
export interface Place {
  /** Place in the epoch, from 0. */
  readonly index: number;
  readonly epoch: number;
  /** Random numbers of its own for each element of each epoch. */
  readonly random: Random;
}

/** A place whose random numbers are made when they are asked for. */
class LazyPlace implements Place {
  readonly index: number;
  readonly epoch: number;
  readonly #ofEpoch: (epoch: number) => Random;
  #own: Random | undefined;

  constructor(index: number, epoch: number, ofEpoch: (epoch: number) => Random) {
    this.index = index;
    this.epoch = epoch;
    this.#ofEpoch = ofEpoch;
  }

  /** The same stream, further on, each time it is read. */
  get random(): Random {
    this.#own ??= this.#ofEpoch(this.epoch).fork(this.index);
    return this.#own;
  }
}

export function mapped<E, F>(
  from: Stage<E>,
  f: (element: E, place: Place) => F | Promise<F>,
  seed: number,
): Stage<F> {
  const ofEpoch = byEpoch((epoch) => random(seed, 'map', epoch));
  const apply = (element: E, index: number, epoch: number): F | Promise<F> =>
    f(element, new LazyPlace(index, epoch, ofEpoch));
  const { at } = from;
  const stage: Stage<F> = {
    size: from.size,
    at:
      at === null
        ? null
        : (index, epoch) => {
            const element = at(index, epoch);
            return element instanceof Promise
              ? element.then((e) => apply(e, index, epoch))
              : apply(element, index, epoch);
          },
    open:
      at === null
        ? async function* (epoch, start) {
            let index = start;
            for await (const element of from.open(epoch, start)) yield await apply(element, index++, epoch);
          }
        : (epoch, start) => openByPlace(stage, epoch, start),
    rows: null,
    batch: from.batch,
  };
  return stage;
}

export function filtered<E>(from: Stage<E>, keep: (element: E) => unknown): Stage<E> {
  return {
    size: null,
    at: null,
    rows: null,
    batch: from.batch,
    async *open(epoch, start) {
      let left = start;
      for await (const element of from.open(epoch, 0)) {
        if (!(await keep(element))) continue;
        if (left > 0) left--;
        else yield element;
      }
    },
  };
}

/**
 * Draws each element from a buffer that the next ones fill: an element can come `buffer` places earlier, or any number later. What
 * a place gets depends on all before, so an epoch that is entered in its middle reads what came before again.
 */
export function shuffledBy<E>(from: Stage<E>, buffer: number, seed: number): Stage<E> {
  return {
    size: from.size,
    at: null,
    rows: null,
    batch: from.batch,
    async *open(epoch, start) {
      const draw = random(seed, 'shuffle', epoch);
      const held: E[] = [];
      let left = start;
      for await (const element of from.open(epoch, 0)) {
        if (held.length < buffer) {
          held.push(element);
          continue;
        }
        const i = draw.int(buffer);
        const drawn = held[i]!;
        held[i] = element;
        if (left > 0) left--;
        else yield drawn;
      }
      while (held.length > 0) {
        const i = draw.int(held.length);
        const drawn = held[i]!;
        held[i] = held.at(-1)!;
        held.pop();
        if (left > 0) left--;
        else yield drawn;
      }
    },
  };
}

export function batched<E>(from: Stage<E>, batchSize: number, dropRemainder: boolean): Stage<unknown> {
  const { at, size } = from;
  const batches = size === null ? null : (dropRemainder ? Math.floor : Math.ceil)(size / batchSize);
  const stage: Stage<unknown> = {
    size: batches,
    at:
      at === null
        ? null
        : (index, epoch) => {
            const first = index * batchSize;
            const length = Math.min(batchSize, size! - first);
            const elements = Array.from({ length }, (_, i) => at(first + i, epoch));
            return elements.some((e) => e instanceof Promise)
              ? Promise.all(elements).then(stack)
              : stack(elements);
          },
    open:
      at === null
        ? async function* (epoch, start) {
            let held: E[] = [];
            for await (const element of from.open(epoch, start * batchSize)) {
              held.push(element);
              if (held.length < batchSize) continue;
              yield stack(held);
              held = [];
            }
            if (held.length > 0 && !dropRemainder) yield stack(held);
          }
        : (epoch, start) => openByPlace(stage, epoch, start),
    rows: from.rows === null || !dropRemainder ? from.rows : { ...from.rows, count: batches! * batchSize },
    batch: batchSize,
  };
  return stage;
}

/** Asks for elements before they are wanted, so that they are made while a step runs. */
export function prefetched<E>(from: Stage<E>, ahead: number): Stage<E> {
  return {
    ...from,
    async *open(epoch, start) {
      const source = from.open(epoch, start)[Symbol.asyncIterator]();
      const asked: Promise<IteratorResult<E>>[] = [];
      try {
        for (;;) {
          while (asked.length <= ahead) {
            const next = source.next();
            // Whoever awaits it hears of a failure; until then it is nobody's.
            next.catch(() => {});
            asked.push(next);
          }
          const { done, value } = await asked.shift()!;
          if (done) return;
          yield value;
        }
      } finally {
        await source.return?.();
      }
    },
  };
}

/** The first `count` elements from place `first` on; all the rest when count is null. */
export function ranged<E>(from: Stage<E>, first: number, count: number | null): Stage<E> {
  const limit = count ?? Number.POSITIVE_INFINITY;
  const size = from.size === null ? null : Math.max(0, Math.min(limit, from.size - first));
  return {
    size,
    at: null,
    rows: null,
    batch: from.batch,
    async *open(epoch, start) {
      let left = limit - start;
      if (left <= 0) return;
      for await (const element of from.open(epoch, first + start)) {
        yield element;
        if (--left <= 0) return;
      }
    },
  };
}

/** Keeps the elements of the first epoch for all others. */
export function cached<E>(from: Stage<E>): Stage<E> {
  const held: E[] = [];
  let source: AsyncIterator<E> | null = null;
  let isComplete = false;
  let turn: Promise<unknown> = Promise.resolve();
  /** Whether there is an element at that place; those up to it are read, one after the other whoever asks. */
  const read = async (index: number): Promise<boolean> => {
    while (held.length <= index && !isComplete) {
      source ??= from.open(0, 0)[Symbol.asyncIterator]();
      try {
        const { done, value } = await source.next();
        if (done) isComplete = true;
        else held.push(value);
      } catch (error) {
        // The next one who asks goes on behind what is there.
        source = from.open(0, held.length)[Symbol.asyncIterator]();
        throw error;
      }
    }
    return index < held.length;
  };
  const has = (index: number): Promise<boolean> => {
    const answer = turn.then(() => read(index));
    turn = answer.catch(() => {});
    return answer;
  };
  return {
    size: from.size,
    at:
      from.size === null
        ? null
        : (index) => (index < held.length ? held[index]! : has(index).then(() => held[index]!)),
    rows: null,
    batch: from.batch,
    async *open(_epoch, start) {
      for (let i = start; i < held.length || (await has(i)); i++) yield held[i]!;
    },
  };
}
