// Schedules as workers walk them: flat lists of four integers per item, computed once when a plan is loaded, so that a
// run does nothing but read integers and call kernels.
//
//     kernel, begin, end, args      call a kernel on units [begin, end); args counts bytes from the plan's argument table
//     -1,     0,     0,   0         barrier
//
// Loops are written out (loops.ts): a call of each iteration, with arguments of its own.
//
// A plan holds schedules for some worker counts. Any of them runs on fewer threads too: between two barriers the lists
// of a schedule are independent, so one thread may do several, one after another. Results do not depend on it.
// A worker that has nothing to do in a plan takes no part: it is neither woken nor waited for.

import { type LoopItem, timesOfSteps, writtenOut } from './loops.ts';
import type { PlanManifest, PlanSchedule } from './plan.ts';

/** Integers per item. */
export const itemSize = 4;
/** In the place of a kernel. */
export const barrierItem = -1;

export interface Walk {
  /** Threads that take part in barriers. */
  readonly participants: number;
  /** Items of each thread. */
  readonly lists: readonly Int32Array<ArrayBuffer>[];
  /** Step of each item, for errors; for a barrier the step before it. −1: none yet. */
  readonly steps: readonly Int32Array[];
}

/** The walk of a plan on so many threads. */
export function makeWalk(manifest: PlanManifest, threads: number): Walk {
  const schedule = chooseSchedule(manifest.schedules, threads);
  const all = schedule.lists.map((list) => writtenOut(list, manifest.loops));
  const working = all.filter((list) => list.some(isWork));
  const busy = working.length > 0 ? working : all.slice(0, 1);
  const participants = Math.min(busy.length, threads);
  const lists: LoopItem[][] = [];
  for (let thread = 0; thread < participants; thread++) {
    lists.push(interleave(busy.filter((_, worker) => worker % participants === thread)));
  }
  if (participants === 1) lists[0] = lists[0]!.filter(({ item }) => item.do === 'run');
  while (lists.every((list) => list.at(-1)?.item.do === 'barrier')) for (const list of lists) list.pop();

  const argsOffsets = argsTable(manifest).offsets;
  const flat = lists.map((list) => new Int32Array(list.length * itemSize));
  const steps = lists.map((list) => new Int32Array(list.length));
  lists.forEach((list, thread) => {
    let last = -1;
    list.forEach(({ item, iteration }, i) => {
      if (item.do === 'run') last = item.step;
      steps[thread]![i] = last;
      const at = i * itemSize;
      if (item.do !== 'run') {
        flat[thread]![at] = barrierItem;
        return;
      }
      const { kernel, args } = manifest.steps[last]!;
      flat[thread]![at] = kernel;
      flat[thread]![at + 1] = item.begin;
      flat[thread]![at + 2] = item.end;
      flat[thread]![at + 3] = argsOffsets[last]! + iteration * args.length * 4;
    });
  });
  return { participants, lists: flat, steps };
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

/** One list that does the work of several: their parts between barriers, one after another. */
function interleave(lists: readonly (readonly LoopItem[])[]): LoopItem[] {
  const parts = lists.map((list) => {
    const split: LoopItem[][] = [[]];
    for (const entry of list) {
      if (entry.item.do === 'barrier') split.push([]);
      else if (isWork(entry)) split.at(-1)!.push(entry);
    }
    return split;
  });
  const merged: LoopItem[] = [];
  for (let part = 0; part < parts[0]!.length; part++) {
    if (part > 0) merged.push({ item: { do: 'barrier' }, iteration: 0 });
    for (const list of parts) for (const item of list[part]!) merged.push(item);
  }
  return merged;
}
