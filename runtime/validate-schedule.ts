// Is a schedule of a plan well-formed? Every unit of every step runs exactly once, and all workers pass the same number of
// barriers, so that nobody waits for one who never comes.

import { check, checkCount, isRecord, itemAt } from './malformed.ts';
import type { PlanManifest, PlanSchedule } from './plan.ts';

/** Throws Malformed with the reason; `where` names the schedule. */
export function checkSchedule(m: PlanManifest, schedule: PlanSchedule, where: string): void {
  check(isRecord(schedule) && Array.isArray(schedule.lists), `${where}.lists is not a list`);
  checkCount(schedule.workers, `${where}.workers`);
  check(
    schedule.workers >= 1 && schedule.lists.length === schedule.workers,
    `${where} has ${schedule.lists.length} lists for ${schedule.workers} workers`,
  );
  const ranges: [number, number][][] = m.steps.map(() => []);
  const barriers = schedule.lists.map((list, worker) => {
    check(Array.isArray(list), `${where}.lists[${worker}] is not a list`);
    let count = 0;
    for (const item of list) {
      check(isRecord(item), `${where}.lists[${worker}] holds something else than items`);
      if (item.do === 'barrier') {
        count++;
        continue;
      }
      check(item.do === 'run', `${where}.lists[${worker}] holds an item that is neither run nor barrier`);
      const step = itemAt(m.steps, item.step);
      check(
        step !== undefined,
        `${where}.lists[${worker}] names step ${String(item.step)} of ${m.steps.length}`,
      );
      checkCount(item.begin, `begin of a range in ${where}.lists[${worker}]`);
      checkCount(item.end, `end of a range in ${where}.lists[${worker}]`);
      check(
        item.begin <= item.end && item.end <= step.units,
        `${where}.lists[${worker}] runs units [${item.begin}, ${item.end}) of step ${item.step}, which has ${step.units}`,
      );
      if (item.begin < item.end) ranges[item.step]!.push([item.begin, item.end]);
    }
    return count;
  });
  check(
    barriers.every((count) => count === barriers[0]),
    `${where}: workers pass different numbers of barriers (${barriers.join(', ')})`,
  );
  ranges.forEach((list, step) => {
    list.sort((a, b) => a[0] - b[0]);
    let done = 0;
    for (const [begin, end] of list) {
      check(
        begin === done,
        `${where}: unit ${Math.min(begin, done)} of step ${step} runs ${begin < done ? 'twice' : 'never'}`,
      );
      done = end;
    }
    check(done === m.steps[step]!.units, `${where}: unit ${done} of step ${step} runs never`);
  });
}
