// Is a schedule of a plan well-formed? Every unit of every step runs exactly once, and all workers come to the same number of
// barriers of the same kinds, so that nobody waits for one who never comes.

import { loopOfSteps } from './loops.ts';
import { check, checkCount, isRecord, itemAt } from './malformed.ts';
import type { BarrierItem, PlanManifest, PlanSchedule, ScheduleItem } from './plan.ts';

/** Throws Malformed with the reason; `where` names the schedule. */
export function checkSchedule(m: PlanManifest, schedule: PlanSchedule, where: string): void {
  check(isRecord(schedule) && Array.isArray(schedule.lists), `${where}.lists is not a list`);
  checkCount(schedule.workers, `${where}.workers`);
  check(
    schedule.workers >= 1 && schedule.lists.length === schedule.workers,
    `${where} has ${schedule.lists.length} lists for ${schedule.workers} workers`,
  );
  const ranges: [number, number][][] = m.steps.map(() => []);
  const { loops = [] } = m;
  const loopOf = loopOfSteps(m);
  /** Of each barrier outside of loops, whether all wait for all. */
  const meets: boolean[][] = schedule.lists.map(() => []);
  /** Notes what a list, or its part of a loop, runs; gives the number of its barriers. */
  const visit = (
    items: readonly ScheduleItem[],
    loop: number | null,
    name: string,
    worker: number,
  ): number => {
    check(Array.isArray(items), `${name} is not a list`);
    let count = 0;
    const seen = new Set<number>();
    for (const item of items) {
      check(isRecord(item), `${name} holds something else than items`);
      if (item.do === 'barrier') {
        count++;
        checkAfter(item, worker, schedule.workers, loop, name);
        if (loop === null) meets[worker]!.push(item.after === undefined);
        continue;
      }
      if (item.do === 'repeat') {
        check(loop === null, `${name} holds a loop in a loop`);
        const own = itemAt(loops, item.loop);
        check(own !== undefined, `${name} names loop ${String(item.loop)} of ${loops.length}`);
        check(!seen.has(item.loop), `${name} runs loop ${item.loop} twice`);
        seen.add(item.loop);
        count += own.length * visit(item.items, item.loop, `loop ${item.loop} in ${name}`, worker);
        continue;
      }
      check(item.do === 'run', `${name} holds an item that is neither run, repeat nor barrier`);
      const step = itemAt(m.steps, item.step);
      check(step !== undefined, `${name} names step ${String(item.step)} of ${m.steps.length}`);
      check(
        loopOf[item.step] === (loop === null ? null : loops[loop]),
        `${name} runs step ${item.step}, which is ${loop === null ? 'in a loop' : 'not in this loop'}`,
      );
      checkCount(item.begin, `begin of a range in ${name}`);
      checkCount(item.end, `end of a range in ${name}`);
      check(
        item.begin <= item.end && item.end <= step.units,
        `${name} runs units [${item.begin}, ${item.end}) of step ${item.step}, which has ${step.units}`,
      );
      if (item.shared !== undefined) {
        checkCount(item.shared, `shared units of a range in ${name}`);
        check(item.shared >= 1, `${name} shares units of step ${item.step} 0 at a time`);
      }
      if (item.begin < item.end) ranges[item.step]!.push([item.begin, item.end]);
    }
    return count;
  };
  const barriers = schedule.lists.map((list, worker) =>
    visit(list, null, `${where}.lists[${worker}]`, worker),
  );
  check(
    barriers.every((count) => count === barriers[0]),
    `${where}: workers pass different numbers of barriers (${barriers.join(', ')})`,
  );
  meets[0]!.forEach((all, b) => {
    const odd = meets.findIndex((of) => of[b] !== all);
    check(odd < 0, `${where}: of barrier ${b}, workers 0 and ${odd} disagree whether all wait for all`);
  });
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

function checkAfter(
  { after }: BarrierItem,
  worker: number,
  workers: number,
  loop: number | null,
  name: string,
): void {
  if (after === undefined) return;
  check(Array.isArray(after), `${name} has a barrier after what is not a list`);
  check(loop === null, `${name} has a barrier after single workers`);
  after.forEach((other, i) => {
    const isOther = Number.isInteger(other) && other >= 0 && other < workers && other !== worker;
    check(isOther, `${name} waits for worker ${String(other)} of ${workers}`);
    check(!after.includes(other, i + 1), `${name} waits for worker ${other} twice`);
  });
}
