// One run as spans: what each worker did from when to when, on one clock. In: the walk, and the tables that workers
// noted. Between two entries of a table lies one item of the worker's list, or one piece of what was offered to all, so
// spans have no gaps.
//
// Each thread has a clock of its own, and says when it began. That is right to a microsecond, unless the thread was
// interrupted while it found out; so clocks are moved where they contradict what must have happened in order:
//
//     caller    ── prepared ──────────────────────────────── returned ──
//     worker         start ── arrives at a barrier ── end               every worker, between the two
//     another             leaves the barrier, not before any arrived

import { entryCount, entryOf, type RunTimes, type TimeTable, tableHead } from '../../runtime/timing.ts';
import { barrierItem, itemSize, type Walk, waitItem } from '../../runtime/walk.ts';

/** A kernel call or a wait; times in ms from the beginning of the run. */
export interface Span {
  readonly kind: 'kernel' | 'wait';
  /** The step; for a wait, the number of the barrier. */
  readonly index: number;
  /** Barriers passed before. */
  readonly phase: number;
  readonly units: readonly [begin: number, end: number];
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  readonly wallMs: number;
  /** When inputs are in, when the caller hears of the end. */
  readonly preparedAt: number;
  readonly returnedAt: number;
  /** By worker. */
  readonly workers: readonly {
    readonly from: number;
    readonly to: number;
    readonly spans: readonly Span[];
  }[];
}

/** The spans of a run. */
export function timelineOf(walk: Walk, run: RunTimes): Timeline {
  const shifts = clockShifts(walk, run);
  const workers = walk.lists.map((list, worker) => {
    const table = run.workers[worker]!;
    const at = (entry: number): number => table[tableHead + entry]! + shifts[worker]!;
    const spans: Span[] = [];
    let phase = 0;
    for (let entry = 0; entry < entryCount(table); entry++) {
      const what = entryOf(table, entry);
      const [items, item, steps] =
        what >= 0 ? [list, what, walk.steps[worker]!] : [walk.offers.pieces, -1 - what, walk.offers.steps];
      const [kernel, begin, end] = items.subarray(item * itemSize);
      const isWait = kernel === barrierItem || kernel === waitItem;
      spans.push({
        kind: isWait ? 'wait' : 'kernel',
        index: isWait ? phase : steps[item]!,
        phase,
        units: isWait ? [0, 0] : [begin!, end!],
        from: at(entry - 1),
        to: at(entry),
      });
      if (isWait) phase++;
    }
    return { from: at(-1), to: at(spans.length - 1), spans };
  });
  return {
    wallMs: run.end - run.begin,
    preparedAt: run.prepared - run.begin,
    returnedAt: run.returned - run.begin,
    workers,
  };
}

/** What to add to the times of each worker, to have them from the beginning of the run. */
function clockShifts(walk: Walk, run: RunTimes): number[] {
  const { prepared, returned, begin, origin, workers } = run;
  const barriers = workers.map((table, worker) => barrierEntries(walk.lists[worker]!, table));
  const shifts: number[] = [];
  workers.forEach((table, worker) => {
    let least = prepared - begin - table[tableHead - 1]!;
    let most = returned - begin - table[tableHead - 1 + entryCount(table)]!;
    if (worker > 0) {
      const first = workers[0]!;
      barriers[worker]!.forEach((entry, b) => {
        const other = barriers[0]![b]!;
        least = Math.max(least, first[other - 1]! + shifts[0]! - table[entry]!);
        most = Math.min(most, first[other]! + shifts[0]! - table[entry - 1]!);
      });
    }
    const declared = table[0]! - origin - begin;
    shifts.push(least <= most ? Math.min(Math.max(declared, least), most) : declared);
  });
  return shifts;
}

/** Where a worker's table says when it left each barrier at which all meet; the entry before says when it arrived. */
function barrierEntries(list: Int32Array, table: TimeTable): number[] {
  const entries: number[] = [];
  for (let entry = 0; entry < entryCount(table); entry++) {
    const what = entryOf(table, entry);
    if (what >= 0 && list[what * itemSize] === barrierItem) entries.push(tableHead + entry);
  }
  return entries;
}
