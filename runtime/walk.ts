// Schedules as workers walk them: flat lists of four integers per item, computed once when a plan is loaded, so that a
// run does nothing but read integers and call kernels.
//
//     kernel, begin, end, args      call a kernel on units [begin, end); args counts bytes from the plan's argument table
//     -1,     0,     0,   0         barrier
//     -2,     o,     0,   0         take pieces of offer o, until none is left
//     -3,     low,   high, 0        tell the others to have come here; wait for the threads whose bits are set
//
// Ranges that others may take units of (`shared`) are not in the lists but cut into pieces, in items of the same form. All
// pieces of a phase are an offer: of each worker, in the order in which they are to be taken. Large pieces come first, so that
// a range costs a few calls more than one, and small ones last, so that all workers are done at nearly the same time
// (guided self-scheduling: Polychronopoulos and Kuck, 1987).
//
// Loops are written out (loops.ts): a call of each iteration, with arguments of its own.
//
// A plan holds schedules for some worker counts. Any of them runs on fewer threads too: between two barriers the lists
// of a schedule are independent, so one thread may do several, one after another; what is shared depends on nothing between
// the two, so it comes last. Results do not depend on it.
// A worker that has nothing to do in a plan takes no part: it is neither woken nor waited for.

import { type LoopItem, timesOfSteps, writtenOut } from './loops.ts';
import type { PlanManifest, PlanSchedule, RunItem } from './plan.ts';

/** Integers per item. */
export const itemSize = 4;
/** In the place of a kernel. */
export const barrierItem = -1;
export const offerItem = -2;
export const waitItem = -3;
/** Threads that have a bit in a wait; with more, all meet instead. */
const mostThreads = 64;

export interface Walk {
  /** Threads that take part in barriers. */
  readonly participants: number;
  /** Items of each thread. */
  readonly lists: readonly Int32Array<ArrayBuffer>[];
  /** Step of each item, for errors; for what is no call the step before it. −1: none yet. */
  readonly steps: readonly Int32Array[];
  readonly offers: WalkOffers;
}

/** What any thread may take. */
export interface WalkOffers {
  /** Items of all offers. */
  readonly pieces: Int32Array<ArrayBuffer>;
  /** Of each offer and thread, its first piece and its number of pieces: `table[2 (offer · participants + thread)]`. */
  readonly table: Int32Array<ArrayBuffer>;
  /** Step of each piece. */
  readonly steps: Int32Array;
}

/** A range of units, in an iteration of the loop that the step is in. */
interface Call extends RunItem {
  readonly iteration: number;
}

/** What one thread does between two barriers. */
type Part = readonly Call[];

/** Of a barrier, the threads that this one waits for; null: all wait for all. */
type After = readonly number[] | null;

/** The walk of a plan on so many threads. */
export function makeWalk(manifest: PlanManifest, threads: number): Walk {
  const schedule = chooseSchedule(manifest.schedules, threads);
  const all = schedule.lists.map((list) => writtenOut(list, manifest.loops));
  const working = all.filter((list) => list.some(isWork));
  const busy = working.length > 0 ? working : all.slice(0, 1);
  const participants = Math.min(busy.length, threads);
  const parts = Array.from({ length: participants }, (_, thread) =>
    mergeParts(busy.filter((__, worker) => worker % participants === thread).map(partsOf)),
  );
  while (parts.every((of) => of.length > 1 && of.at(-1)!.length === 0)) for (const of of parts) of.pop();
  const waits = waitsOf(
    busy,
    busy.map((list) => all.indexOf(list)),
    participants,
  );

  const argsOffsets = argsTable(manifest).offsets;
  const itemOf = ({ step, begin, end, iteration }: Call): number[] => {
    const { kernel, args } = manifest.steps[step]!;
    return [kernel, begin, end, argsOffsets[step]! + iteration * args.length * 4];
  };
  const pieces: Call[] = [];
  const table: number[] = [];
  const lists = parts.map((): number[][] => []);
  const steps = parts.map((): number[] => []);
  for (let p = 0; p < parts[0]!.length; p++) {
    const shared = parts.map((of) => (participants === 1 ? [] : of[p]!.filter(isShared).flatMap(cut)));
    const isOffer = shared.some((own) => own.length > 0);
    const offer = table.length / (2 * participants);
    for (const own of shared) {
      if (isOffer) table.push(pieces.length, own.length);
      pieces.push(...own);
    }
    parts.forEach((of, thread) => {
      const list = lists[thread]!;
      const last = (): number => steps[thread]!.at(-1) ?? -1;
      if (p > 0 && participants > 1) {
        list.push(meetingItem(waits[thread]![p - 1]!));
        steps[thread]!.push(last());
      }
      for (const item of of[p]!) {
        if (isShared(item) && participants > 1) continue;
        list.push(itemOf(item));
        steps[thread]!.push(item.step);
      }
      if (isOffer) {
        list.push([offerItem, offer, 0, 0]);
        steps[thread]!.push(last());
      }
    });
  }
  return {
    participants,
    lists: lists.map(flatten),
    steps: steps.map((of) => Int32Array.from(of)),
    offers: {
      pieces: flatten(pieces.map(itemOf)),
      table: Int32Array.from(table),
      steps: Int32Array.from(pieces, ({ step }) => step),
    },
  };
}

/** The step that a thread is at: at an item of its list, or, from the length of the list on, at a piece. */
export function stepAt({ steps, offers }: Walk, thread: number, position: number): number {
  const own = steps[thread];
  if (own === undefined || position < 0) return -1;
  return (position < own.length ? own[position] : offers.steps[position - own.length]) ?? -1;
}

function flatten(items: readonly (readonly number[])[]): Int32Array<ArrayBuffer> {
  const flat = new Int32Array(items.length * itemSize);
  items.forEach((item, i) => {
    flat.set(item, i * itemSize);
  });
  return flat;
}

/** Of what is left, a piece takes so much. */
const shareOfRest = 1 / 3;

function cut(item: Call): Call[] {
  const { end, shared = 1 } = item;
  const found: Call[] = [];
  for (let begin = item.begin; begin < end; ) {
    const units = Math.max(shared, Math.ceil((end - begin) * shareOfRest));
    const to = end - begin - units < shared ? end : begin + units;
    found.push({ ...item, begin, end: to });
    begin = to;
  }
  return found;
}

/** The argument table of a plan: one word per argument of each step; those of the iterations of a loop follow each other. */
export function argsTable(manifest: PlanManifest): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  const offsets: number[] = [];
  const times = timesOfSteps(manifest);
  let bytes = 0;
  manifest.steps.forEach((step, s) => {
    offsets.push(bytes);
    bytes += step.args.length * 4 * times[s]!;
  });
  return { offsets, bytes };
}

/** The schedule for as many workers as there are threads; else for the most below, else for the fewest above. */
function chooseSchedule(schedules: readonly PlanSchedule[], threads: number): PlanSchedule {
  const byWorkers = [...schedules].sort((a, b) => a.workers - b.workers);
  return byWorkers.filter((s) => s.workers <= threads).at(-1) ?? byWorkers[0]!;
}

function isWork({ item }: LoopItem): boolean {
  return item.do === 'run' && item.begin < item.end;
}

function isShared({ shared }: Call): boolean {
  return shared !== undefined;
}

/** Of each thread, whom it waits for at each barrier. Where one thread does the work of several, all meet. */
function waitsOf(
  lists: readonly (readonly LoopItem[])[],
  workers: readonly number[],
  threads: number,
): After[][] {
  const waits = lists.map((list) =>
    list.flatMap(({ item }): After[] => {
      if (item.do !== 'barrier') return [];
      return [item.after?.map((worker) => workers.indexOf(worker)) ?? null];
    }),
  );
  const isKnown = lists.length === threads && threads <= mostThreads;
  // Someone who has no work may stand between two who have.
  const isMeeting = (_: unknown, b: number): boolean =>
    !isKnown || waits.some((of) => of[b] === null || of[b]!.includes(-1));
  const meetings = waits[0]!.map(isMeeting);
  return waits.map((of) => of.map((after, b) => (meetings[b] ? null : after)));
}

function meetingItem(after: After): number[] {
  if (after === null) return [barrierItem, 0, 0, 0];
  const bits = (from: number): number =>
    after.reduce(
      (set, thread) => (thread >= from && thread < from + 32 ? set | (1 << (thread - from)) : set),
      0,
    );
  return [waitItem, bits(0), bits(32), 0];
}

/** Calls `visit` for the threads of a wait, until it says no; whether it never did. */
export function everyAwaited(low: number, high: number, visit: (thread: number) => boolean): boolean {
  for (let set = low, thread = 0; set !== 0; set >>>= 1, thread++)
    if ((set & 1) !== 0 && !visit(thread)) return false;
  for (let set = high, thread = 32; set !== 0; set >>>= 1, thread++)
    if ((set & 1) !== 0 && !visit(thread)) return false;
  return true;
}

/** The threads of a wait. */
export function awaitedThreads(low: number, high: number): number[] {
  const threads: number[] = [];
  everyAwaited(low, high, (thread) => threads.push(thread) > 0);
  return threads;
}

/** A list cut at its barriers. */
function partsOf(list: readonly LoopItem[]): Part[] {
  const parts: Call[][] = [[]];
  for (const { item, iteration } of list) {
    if (item.do === 'barrier') parts.push([]);
    else if (item.begin < item.end) parts.at(-1)!.push({ ...item, iteration });
  }
  return parts;
}

/** What does the work of several lists: their parts between barriers, one after another. */
function mergeParts(lists: readonly (readonly Part[])[]): Part[] {
  return lists[0]!.map((_, p) => lists.flatMap((parts) => parts[p]!));
}
