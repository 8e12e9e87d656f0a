// Loops of a plan: steps that run many times, over places that move from one iteration to the next. A plan holds each step
// once; where it starts to read and write is an arithmetic sequence, or one that begins anew after a few iterations:
//
//   steps 4 to 6, 256 times     step 4: reads x at 1024 + 64 t, reads h at 512 + 64 (t mod 2), writes h at 576 − 64 (t mod 2)
//
// A thread that runs a plan does not loop: its list (walk.ts) and the argument table are written out when the plan is loaded,
// some sixty bytes a call. So nothing is decided, and no word is changed, while a run is on.

import type { PlainItem, PlanLoop, PlanManifest, PlanMove, PlanStep, ScheduleItem } from './plan.ts';

/** Bytes from where an argument lies in iteration 0 to where it lies in iteration t. */
export function movedBy(move: PlanMove | null | undefined, t: number): number {
  if (!move) return 0;
  return move.stride * (move.period === undefined ? t : t % move.period);
}

/** The least and the most that an argument moves in so many iterations. */
export function reachOf(
  move: PlanMove | null | undefined,
  length: number,
): { readonly least: number; readonly most: number } {
  const last = movedBy(move, Math.min(length, move?.period ?? length) - 1);
  return { least: Math.min(0, last), most: Math.max(0, last) };
}

type Range = Pick<PlanLoop, 'begin' | 'end'>;

/** A plan, or whatever else has steps and loops. */
interface Looped<L extends Range> {
  readonly steps: readonly unknown[];
  readonly loops?: readonly L[];
}

/** For each step the loop that it is in, or null. */
export function loopOfSteps<L extends Range>({ steps, loops = [] }: Looped<L>): (L | null)[] {
  const of: (L | null)[] = steps.map(() => null);
  for (const loop of loops) of.fill(loop, loop.begin, loop.end);
  return of;
}

/** How often each step runs. */
export function timesOfSteps(program: Looped<Range & Pick<PlanLoop, 'length'>>): number[] {
  return loopOfSteps(program).map((loop) => loop?.length ?? 1);
}

/** Calls that a plan may make in a run: each takes some sixty bytes once it is loaded. */
export const mostCalls: number = 2 ** 22;

/** How many calls of kernels a plan makes in a run, whoever makes them. */
export function callsOf({ steps, loops = [] }: Looped<Range & Pick<PlanLoop, 'length'>>): number {
  return loops.reduce((n, { begin, end, length }) => n + (end - begin) * (length - 1), steps.length);
}

/** An item of a list that stands for itself, and the iteration of its loop. */
export interface LoopItem {
  readonly item: PlainItem;
  readonly iteration: number;
}

/** A list with its loops written out. */
export function writtenOut(list: readonly ScheduleItem[], loops: readonly PlanLoop[] = []): LoopItem[] {
  return list.flatMap((item): LoopItem[] => {
    if (item.do !== 'repeat') return [{ item, iteration: 0 }];
    const items: LoopItem[] = [];
    for (let iteration = 0; iteration < loops[item.loop]!.length; iteration++) {
      for (const inner of item.items) items.push({ item: inner, iteration });
    }
    return items;
  });
}

/** How often a worker with this list meets the others. */
export function barrierCount(list: readonly ScheduleItem[], loops: readonly PlanLoop[] = []): number {
  return list.reduce((n, item) => {
    if (item.do === 'barrier') return n + 1;
    return item.do === 'run' ? n : n + loops[item.loop]!.length * barrierCount(item.items);
  }, 0);
}

/** The plan without loops: each step as often as it runs, at the places of its iteration. For checks: it may be long. */
export function unrollManifest(m: PlanManifest): PlanManifest {
  const { loops = [], ...rest } = m;
  if (loops.length === 0) return m;
  const steps: PlanStep[] = [];
  /** The position of a step in an iteration. */
  const place: number[][] = m.steps.map(() => []);
  const add = (s: number, t: number): void => {
    const { moves, ...step } = m.steps[s]!;
    place[s]![t] = steps.length;
    const args = step.args.map((l, a) =>
      l.space === 'arena' || l.space === 'constant' ? { ...l, offset: l.offset + movedBy(moves?.[a], t) } : l,
    );
    steps.push({ ...step, args });
  };
  for (let s = 0; s < m.steps.length; ) {
    const loop = loops.find((l) => l.begin === s);
    if (loop === undefined) add(s++, 0);
    else {
      for (let t = 0; t < loop.length; t++) for (let k = loop.begin; k < loop.end; k++) add(k, t);
      s = loop.end;
    }
  }
  return {
    ...rest,
    steps,
    schedules: m.schedules.map((schedule) => ({
      ...schedule,
      lists: schedule.lists.map((list) =>
        writtenOut(list, loops).map(({ item, iteration }) =>
          item.do === 'run' ? { ...item, step: place[item.step]![iteration]! } : item,
        ),
      ),
    })),
  };
}
