// The bodies of loops, scheduled: each before the program around it, with a scratch arena of its own. And the way back: the
// program with its bodies in place, where everything lies, and what every worker does in an iteration.
//
//   around    0  1  L  5        worker 0:  0, barrier, L, barrier, 5
//   flat      0  1  2  3  4  5  worker 0:  0, barrier, repeat (2, 3 [0, 4), barrier, 4, barrier), barrier, 5
//
// All workers that take part in a loop meet at the end of each iteration, unless they have met within and none begins the next
// with what another has just touched; one that does a loop alone meets nobody.

import type { PlainItem, PlanSchedule, ScheduleItem } from '../../runtime/plan.ts';
import type { Machine } from '../kernel/ir.ts';
import type { Arranged } from './arrange.ts';
import { workOf } from './cost.ts';
import { scheduleLength } from './length.ts';
import type { Lowered, LoweredLoop, LoweredStep } from './lowered.ts';
import { partition } from './partition.ts';
import type { Lifetime, LoopTimes } from './phases.ts';

/** A body in its order, and where its own buffers lie in its scratch. */
export interface Body extends Arranged {
  readonly loop: LoweredLoop;
  readonly lifetimes: readonly (Lifetime | null)[];
  /** By buffer id, from the start of the scratch. */
  readonly offsets: readonly number[];
  readonly height: number;
}

/** What each worker does in one iteration; barriers as they come from phases. */
export function partitionBody({ lowered, phases }: Body, machine: Machine, workers: number): PlanSchedule {
  // Whoever takes part is awake.
  return partition(lowered.steps, { ...machine, wakeNs: 0 }, phases, workers);
}

/** How long a loop takes when one worker does it, and when all share it as in `schedule`. */
export function timesOfLoop({ lowered, loop }: Body, { lists }: PlanSchedule, machine: Machine): LoopTimes {
  const timeOf = ({ step, begin, end }: Extract<PlainItem, { do: 'run' }>): number => {
    const { kernel } = lowered.steps[step]!;
    return machine.callNs + ((end - begin) / kernel.unit.extent) * workOf(kernel, machine);
  };
  const phases = lists.map((list) => {
    const times = [0];
    for (const item of list) {
      if (item.do === 'barrier') times.push(0);
      else if (item.do === 'run') times[times.length - 1]! += timeOf(item);
    }
    return times;
  });
  const alone = lowered.steps.reduce((sum, { kernel }) => sum + machine.callNs + workOf(kernel, machine), 0);
  const meetings = lists.map((list) => list.flatMap((item) => (item.do === 'barrier' ? [null] : [])));
  const shared = scheduleLength(phases, meetings, machine.barrierNs) + machine.barrierNs;
  return { alone: loop.length * alone, shared: loop.length * shared };
}

/** Whether somebody beside the first worker has something to do. */
export function isShared({ lists }: PlanSchedule): boolean {
  return lists.slice(1).some((list) => list.some((item) => item.do !== 'barrier'));
}

export interface Flat {
  readonly steps: readonly LoweredStep[];
  readonly loops: readonly LoweredLoop[];
  /** By step of the program around loops: its first and last step in `steps`. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** The steps around loops, with the bodies in the place of the steps that stood for them. */
export function putBodiesBack({ steps: outer }: Lowered, bodies: readonly Body[]): Flat {
  const steps: LoweredStep[] = [];
  const loops: LoweredLoop[] = [];
  const first: number[] = [];
  const last: number[] = [];
  for (const step of outer) {
    first.push(steps.length);
    if (step.loop === undefined) steps.push(step);
    else {
      const { loop, lowered } = bodies[step.loop]!;
      loops.push({ ...loop, begin: steps.length, end: steps.length + lowered.steps.length });
      steps.push(...lowered.steps);
    }
    last.push(steps.length - 1);
  }
  return { steps, loops, first, last };
}

/** What each worker does in an iteration, and whether all meet at its end. */
export interface BodySchedule extends PlanSchedule {
  readonly meets: boolean;
}

/** One schedule with the parts of bodies in place of the steps that stood for loops. `bodies`: by loop, for as many workers. */
export function repeatBodies(
  { workers, lists }: PlanSchedule,
  outer: readonly LoweredStep[],
  bodies: readonly BodySchedule[],
  { first }: Flat,
): PlanSchedule {
  const loopOf = (item: ScheduleItem): number | undefined =>
    item.do === 'run' ? outer[item.step]!.loop : undefined;
  /** By loop, its number in the order of the plan. */
  const numbers = new Map<number, number>();
  for (const { loop } of outer) if (loop !== undefined) numbers.set(loop, numbers.size);
  const isAlone = bodies.map(
    (_, l) => lists.filter((list) => list.some((item) => loopOf(item) === l)).length <= 1,
  );
  const partOf = (item: Extract<ScheduleItem, { do: 'run' }>, loop: number, worker: number): ScheduleItem => {
    const moved = (list: readonly ScheduleItem[]): PlainItem[] =>
      (list as readonly PlainItem[]).map((x) =>
        x.do === 'run' ? { ...x, step: first[item.step]! + x.step } : x,
      );
    const body = bodies[loop]!;
    const items = isAlone[loop] ? aloneOf(body) : body.lists[worker]!;
    const meeting: PlainItem[] = isAlone[loop] || !body.meets ? [] : [{ do: 'barrier' }];
    return { do: 'repeat', loop: numbers.get(loop)!, items: [...moved(items), ...meeting] };
  };
  return {
    workers,
    lists: lists.map((list, worker) =>
      list.map((item): ScheduleItem => {
        if (item.do !== 'run') return item;
        const loop = loopOf(item);
        return loop === undefined ? { ...item, step: first[item.step]! } : partOf(item, loop, worker);
      }),
    ),
  };
}

/** All steps of a body whole, in order. */
function aloneOf({ lists }: PlanSchedule): PlainItem[] {
  const ends = new Map<number, number>();
  for (const list of lists)
    for (const item of list)
      if (item.do === 'run') ends.set(item.step, Math.max(item.end, ends.get(item.step) ?? 0));
  return [...ends].sort(([a], [b]) => a - b).map(([step, end]) => ({ do: 'run', step, begin: 0, end }));
}
