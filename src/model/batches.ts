// Where the loop takes batches from: rows of arrays, in an order, or the elements of a data set as they come. It asks for as many
// as it wants to run at once, and gets batches of one size, that many or fewer. How many are asked for at a time changes no result.

import type { RunData } from '../../runtime/tensor.ts';
import { batchesOf, expectBatches } from '../data/batches.ts';
import type { RowsByName } from './examples.ts';

/** Batches that follow each other: batch i takes `indices.length / count` rows, one slice of the indices after the other. */
export interface BatchRun {
  readonly rows: RowsByName;
  readonly indices: Int32Array;
  readonly count: number;
}

export interface BatchSource {
  /** The next batches, at most so many, all of one size; null at the end. */
  next(most: number): BatchRun | null | Promise<BatchRun | null>;
  /** Nobody will ask again. */
  close?(): Promise<unknown>;
}

/** Batches of rows in an order, which is given or that of the rows. */
export function batchesOfRows(
  rows: RowsByName,
  batchSize: number,
  order: Int32Array | null | { readonly seed: number } = null,
  from = 0,
): BatchSource {
  const { count } = Object.values(rows)[0]!;
  expectBatches(order instanceof Int32Array ? order.length : count, batchSize);
  const batches = order instanceof Int32Array ? slices(order, batchSize) : batchesOf(count, batchSize, order);
  for (let i = 0; i < from; i++) batches.next();
  let waiting = batches.next();
  return {
    next: (most) => {
      const held: Int32Array[] = [];
      while (
        !waiting.done &&
        held.length < most &&
        waiting.value.length === (held[0] ?? waiting.value).length
      ) {
        held.push(waiting.value);
        waiting = batches.next();
      }
      if (held.length === 0) return null;
      const indices = new Int32Array(held.length * held[0]!.length);
      held.forEach((batch, i) => {
        indices.set(batch, i * batch.length);
      });
      return { rows, indices, count: held.length };
    },
  };
}

function* slices(order: Int32Array, batchSize: number): Generator<Int32Array> {
  for (let start = 0; start < order.length; start += batchSize) {
    yield order.subarray(start, Math.min(start + batchSize, order.length));
  }
}

/** Rows that wait for the loop take no more than this. */
const mostBytes = 64 * 2 ** 20;

/** Batches that come one after the other. The next ones are made while the loop runs those before. */
export function batchesOfStream(batches: AsyncIterator<RowsByName>): BatchSource {
  let held: RowsByName[] = [];
  let wanted = 1;
  // Before the first is there, one is waited for.
  let batchBytes = mostBytes;
  let hasEnded = false;
  let failure: { readonly error: unknown } | null = null;
  let isFilling = false;
  let arrived: () => void = () => {};

  const fill = async (): Promise<void> => {
    if (isFilling) return;
    isFilling = true;
    try {
      while (!hasEnded && held.length < wanted) {
        const { done, value } = await batches.next();
        if (done) hasEnded = true;
        else {
          held.push(value);
          batchBytes = bytesOf(value);
        }
        arrived();
      }
    } catch (error) {
      failure = { error };
      hasEnded = true;
    }
    isFilling = false;
    arrived();
  };
  return {
    next: async (most) => {
      wanted = Math.max(1, Math.min(most, Math.floor(mostBytes / batchBytes)));
      // More batches to a run pay, as long as they come at once.
      const patience = new Patience();
      while (!hasEnded && held.length < wanted && (held.length === 0 || !patience.isOver)) {
        const arrival = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        void fill();
        await (held.length === 0 ? arrival : Promise.race([arrival, patience.end()]));
      }
      patience.close();
      if (held.length === 0) {
        if (failure !== null) throw failure.error;
        return null;
      }
      const size = countOf(held[0]!);
      let count = 1;
      while (count < Math.min(most, held.length) && countOf(held[count]!) === size) count++;
      const taken = held.slice(0, count);
      held = held.slice(count);
      void fill();
      const indices = Int32Array.from({ length: size * count }, (_, i) => i);
      return { rows: join(taken), indices, count };
    },
    close: async () => {
      hasEnded = true;
      const ended = Promise.resolve(batches.return?.()).catch(() => {});
      // A source that is still to answer is told, and not waited for.
      if (!isFilling) await ended;
    },
  };
}

/** Milliseconds that are waited for further batches when there is one. */
const patienceMs = 10;

/** A time that runs out; it is only measured when somebody waits for its end. */
class Patience {
  isOver = false;
  #end: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  end(): Promise<void> {
    this.#end ??= new Promise((resolve) => {
      this.#timer = setTimeout(() => {
        this.isOver = true;
        resolve();
      }, patienceMs);
    });
    return this.#end;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

function countOf(rows: RowsByName): number {
  return Object.values(rows)[0]!.count;
}

function bytesOf(rows: RowsByName): number {
  return Object.values(rows).reduce((n, { data }) => n + data.byteLength, 0);
}

function join(batches: readonly RowsByName[]): RowsByName {
  const [first] = batches;
  if (batches.length === 1) return first!;
  return Object.fromEntries(
    Object.entries(first!).map(([name, { data, rowSize, count, shape }]) => {
      const all = new (data.constructor as new (n: number) => RunData)(data.length * batches.length);
      batches.forEach((batch, i) => {
        all.set(batch[name]!.data, i * data.length);
      });
      return [name, { data: all, rowSize, count: count * batches.length, shape }];
    }),
  );
}
