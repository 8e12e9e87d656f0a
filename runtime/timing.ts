// Times of a run, taken by the threads that run it. A profile hands each worker a table; a worker that has one notes the
// time after each item of its list, so that what lies between two entries is one kernel call, or one wait at a barrier:
//
//     table    origin | start | end of item 0 | end of item 1 | …        ms; origin + entry is comparable between threads
//
// One look at the clock per item, some 60 ns in Node. Without a table the worker's own loop runs, which knows nothing
// of this file. Each table has one writer, and is read when its run has ended: no atomics.

import type { KernelFunction } from './kernels.ts';
import { barrierItem, itemSize, type Walk } from './walk.ts';

/** Times of one worker in one run. */
export type TimeTable = Float64Array;

/** Entries before the end of the first item. */
export const tableHead = 2;

/** When one run began and ended for its caller, in ms of `performance`, and what its workers noted. */
export interface RunTimes {
  /** Before the inputs are copied in. */
  readonly begin: number;
  /** Inputs and addresses are written; the workers are woken. */
  readonly prepared: number;
  /** The caller knows that the last worker has finished. */
  readonly returned: number;
  /** Outputs are copied out. */
  readonly end: number;
  /** `performance.timeOrigin` of the caller. */
  readonly origin: number;
  /** One table per worker that has a list. */
  readonly workers: readonly TimeTable[];
}

/** Tables for the lists of a walk. Shared, unless the calling thread is the only one. */
export function makeTimeTables(walk: Walk, shared: boolean): TimeTable[] {
  return walk.lists.map(({ length }) => {
    const bytes = (length / itemSize + tableHead) * Float64Array.BYTES_PER_ELEMENT;
    return new Float64Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  });
}

/**
 * Walks a list and notes times. `enter` is told each item before it begins, `barrier` waits at one; when it returns
 * false, the run was aborted, and so does this.
 */
export function walkTimed(
  items: Int32Array,
  kernels: readonly KernelFunction[],
  args: number,
  times: TimeTable,
  enter: (item: number) => void,
  barrier: () => boolean,
): boolean {
  times[0] = performance.timeOrigin;
  times[1] = performance.now();
  const count = items.length / itemSize;
  for (let item = 0; item < count; item++) {
    enter(item);
    const i = item * itemSize;
    const kernel = items[i]!;
    if (kernel !== barrierItem) kernels[kernel]!(items[i + 1]!, items[i + 2]!, args + items[i + 3]!);
    else if (!barrier()) return false;
    times[tableHead + item] = performance.now();
  }
  return true;
}
