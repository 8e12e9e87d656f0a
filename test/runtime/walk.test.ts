// Given a schedule, when its lists are laid out for some threads, then each unit is in one list, and a worker that has
// nothing to do takes no part.

import t from 'tap';
import type { PlanManifest, ScheduleItem } from '../../runtime/plan.ts';
import { itemSize, makeWalk } from '../../runtime/walk.ts';

const run = (step: number): ScheduleItem => ({ do: 'run', step, begin: 0, end: 1 });
const barrier: ScheduleItem = { do: 'barrier' };

function manifest(lists: readonly (readonly ScheduleItem[])[]): PlanManifest {
  return {
    format: 1,
    entry: 'e',
    target: 'js',
    features: [],
    arenaBytes: 0,
    constantBytes: 0,
    inputs: [],
    outputs: [],
    variables: [],
    kernels: [{ name: 'k', params: [] }],
    steps: [0, 1, 2].map((step) => ({ label: `s${step}`, kernel: 0, args: [], units: 1 })),
    schedules: [{ workers: lists.length, lists }],
    sites: [],
    buffers: [],
  };
}

/** Steps of each list; −1 for a barrier. */
function listsOf(plan: PlanManifest, threads: number): number[][] {
  const walk = makeWalk(plan, threads);
  t.equal(walk.participants, walk.lists.length);
  return walk.lists.map((list, w) =>
    Array.from({ length: list.length / itemSize }, (_, i) =>
      list[i * itemSize] === -1 ? -1 : walk.steps[w]![i]!,
    ),
  );
}

t.test('workers without work take no part, and one alone meets nobody', async (t) => {
  const alone = manifest([
    [run(0), barrier, run(1), barrier, run(2)],
    [barrier, barrier],
  ]);
  t.same(listsOf(alone, 2), [[0, 1, 2]]);
  const middle = manifest([
    [run(0), barrier, run(1)],
    [barrier],
    [barrier, { do: 'run', step: 1, begin: 0, end: 0 }],
    [barrier, run(2)],
  ]);
  t.same(listsOf(middle, 4), [[0, -1, 1], [-1, 2]]); // biome-ignore format: lists
  t.same(listsOf(middle, 1), [[0, 1, 2]]);
});

t.test('fewer threads than workers: a thread does the lists of several', async (t) => {
  const plan = manifest([[run(0), barrier], [barrier, run(1)], [run(2), barrier]]); // biome-ignore format: lists
  t.same(listsOf(plan, 2), [[0, 2, -1], [-1, 1]]); // biome-ignore format: lists
  t.same(listsOf(manifest([[], []]), 2), [[]], 'a plan without steps');
});
