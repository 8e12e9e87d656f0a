// Times of a run, taken by the threads that run it. A profile hands each worker a table; a worker that has one notes the
// time after each kernel call and each barrier, and which it was, so that what lies between two entries is one call, or one
// wait:
//
//     table    origin | entries | start | end of entry 0 | end of entry 1 | … | what entry 0 was | what entry 1 was | …
//
// Times are in ms; origin + entry is comparable between threads. An entry is an item of the worker's list or, as −1 − p, piece
// p of what is offered to all: who runs those is known after the run only. One look at the clock per entry, some 60 ns in
// Node. Without a table the worker's own loop runs, which knows nothing of this file. Each table has one writer, and is
// read when its run has ended: no atomics.

import type { KernelFunction } from './kernels.ts';
import { barrierItem, itemSize, offerItem, type Walk, waitItem } from './walk.ts';

/** Times of one worker in one run. */
export type TimeTable = Float64Array;

/** Entries before the end of the first item: the last of them is the start. */
export const tableHead = 3;
const entriesAt = 1;

/** How many entries a table has. */
export function entryCount(table: TimeTable): number {
  return table[entriesAt]!;
}

/** What an entry was: an item of the list, or −1 − piece. */
export function entryOf(table: TimeTable, entry: number): number {
  return table[tableHead + room(table) + entry]!;
}

/** Entries for which there is room. */
function room(table: TimeTable): number {
  return (table.length - tableHead) / 2;
}

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
export function makeTimeTables({ lists, offers }: Walk, shared: boolean): TimeTable[] {
  return lists.map(({ length }) => {
    const entries = (length + offers.pieces.length) / itemSize;
    const bytes = (tableHead + 2 * entries) * Float64Array.BYTES_PER_ELEMENT;
    return new Float64Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  });
}

export interface TimedWalk {
  /** Is told each item before it begins. */
  readonly enter: (item: number) => void;
  /** Waits at a barrier; false: the run was aborted. */
  readonly barrier: () => boolean;
  /** Waits for some of the workers; false: the run was aborted. */
  readonly wait: (low: number, high: number) => boolean;
  /** Takes pieces of an offer and tells `note` each when it is done; false: the run was aborted. */
  readonly take: (offer: number, note: (piece: number) => void) => boolean;
}

/** Walks a list and notes times. False when the run was aborted. */
export function walkTimed(
  items: Int32Array,
  kernels: readonly KernelFunction[],
  args: number,
  times: TimeTable,
  { enter, barrier, wait, take }: TimedWalk,
): boolean {
  const whatAt = tableHead + room(times);
  let entries = 0;
  const note = (what: number): void => {
    times[whatAt + entries] = what;
    times[tableHead + entries] = performance.now();
    entries++;
  };
  const notePiece = (piece: number): void => note(-1 - piece);
  times[0] = performance.timeOrigin;
  times[tableHead - 1] = performance.now();
  const count = items.length / itemSize;
  for (let item = 0; item < count; item++) {
    enter(item);
    const i = item * itemSize;
    const kernel = items[i]!;
    if (kernel === offerItem) {
      if (!take(items[i + 1]!, notePiece)) return false;
      continue;
    }
    if (kernel === barrierItem) {
      if (!barrier()) return false;
    } else if (kernel === waitItem) {
      if (!wait(items[i + 1]!, items[i + 2]!)) return false;
    } else kernels[kernel]!(items[i + 1]!, items[i + 2]!, args + items[i + 3]!);
    note(item);
  }
  times[entriesAt] = entries;
  return true;
}
