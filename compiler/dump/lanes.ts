// What each worker is thought to do when: a schedule's lists as spans on one clock. In a phase all workers start together;
// who is done first waits for the slowest, whose spans are critical.
//
//   worker 0  ██ 3 ███ 4 ░░ wait ░░│█ 6 █
//   worker 1  ███████ 5 ██████████│█ 7 ██    <- critical in the first phase

import type { PlainItem, PlanSchedule, ScheduleItem } from '../../runtime/plan.ts';
import type { Machine } from '../kernel/ir.ts';
import { workOf } from '../schedule/cost.ts';
import type { Lowered } from '../schedule/lowered.ts';
import type { InspectedSchedule, InspectedSpan } from './inspection.ts';

/** A part of a step; of one in a loop, all iterations as one. */
type Run = Extract<PlainItem, { do: 'run' }> & { readonly times: number };

interface Phase {
  readonly runs: Run[];
  /** How often everybody meets behind it. */
  meetings: number;
}

export function scheduleOf(
  { workers, lists }: PlanSchedule,
  lowered: Lowered,
  machine: Machine,
): InspectedSchedule {
  const phases = lists.map((list) => phasesOf(list, (loop) => lowered.loops![loop]!.length));
  const count = phases[0]?.length ?? 0;
  const lanes: InspectedSpan[][] = lists.map(() => []);
  const nsOf = ({ step, begin, end, times }: Run): number => {
    const { kernel } = lowered.steps[step]!;
    return times * (machine.callNs + ((end - begin) / kernel.unit.extent) * workOf(kernel, machine));
  };
  let now = 0;
  for (let p = 0; p < count; p++) {
    const took = phases.map((of) => of[p]!.runs.reduce((sum, run) => sum + nsOf(run), 0));
    const longest = Math.max(...took);
    const slowest = took.indexOf(longest);
    const isLast = p === count - 1;
    const end = now + longest + (isLast ? 0 : phases[0]![p]!.meetings * machine.barrierNs);
    phases.forEach((of, w) => {
      let at = now;
      for (const run of of[p]!.runs) {
        const to = at + nsOf(run);
        lanes[w]!.push({
          step: run.step,
          phase: p,
          units: [run.begin, run.end],
          fromNs: at,
          toNs: to,
          isCritical: w === slowest,
        });
        at = to;
      }
      if (isLast && at >= end) return;
      lanes[w]!.push({ step: null, phase: p, units: [0, 0], fromNs: at, toNs: end, isCritical: false });
    });
    now = end;
  }
  return { workers, predictedNs: now, lanes };
}

/** A loop is shown as one iteration that takes as long as all of them. */
function phasesOf(list: readonly ScheduleItem[], lengthOf: (loop: number) => number): Phase[] {
  const phases: Phase[] = [{ runs: [], meetings: 0 }];
  const add = (item: PlainItem, times: number): void => {
    const last = phases.at(-1)!;
    if (item.do === 'run') last.runs.push({ ...item, times });
    else {
      last.meetings = times;
      phases.push({ runs: [], meetings: 0 });
    }
  };
  for (const item of list) {
    if (item.do !== 'repeat') add(item, 1);
    else for (const inner of item.items) add(inner, lengthOf(item.loop));
  }
  return phases;
}
