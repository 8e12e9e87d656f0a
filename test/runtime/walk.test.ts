// Given a schedule, when its lists are laid out for some threads, then each unit is in one list, and a worker that has
// nothing to do takes no part.

import t from 'tap';
import type { PlanManifest, ScheduleItem } from '../../runtime/plan.ts';
import { everyAwaited, itemSize, makeWalk, stepAt } from '../../runtime/walk.ts';

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

t.test(
  'point-to-point waits name threads; where lists are merged, or someone idle stands between, all meet',
  async (t) => {
    const wait = (...after: number[]): ScheduleItem => ({ do: 'barrier', after });
    const plan = manifest([[run(0), wait()], [wait()], [wait(0), run(1)], [wait(2, 0), run(2)]]); // biome-ignore format: lists
    const meetings = (of: PlanManifest, threads: number) =>
      makeWalk(of, threads).lists.map((list) =>
        Array.from({ length: list.length / itemSize }, (_, i) => [
          ...list.subarray(i * itemSize, i * itemSize + 3),
        ]).filter(([kernel]) => kernel! < 0),
      );
    t.same(meetings(plan, 4), [[[-3, 0, 0]], [[-3, 1, 0]], [[-3, 3, 0]]], 'the idle one has no number');
    t.same(meetings(plan, 2), [[[-1, 0, 0]], [[-1, 0, 0]]], 'two threads for three lists');
    const over = manifest([[run(0), wait()], [wait(0)], [wait(1), run(1)]]); // biome-ignore format: lists
    t.same(meetings(over, 3), [[[-1, 0, 0]], [[-1, 0, 0]]], 'worker 2 waits for an idle one');
    const many = manifest(
      Array.from({ length: 40 }, (_, w) => [w === 0 ? wait() : wait(0, 39 - w || 1), run(w % 3)]),
    );
    const bits = meetings(many, 40);
    t.same(bits[1], [[-3, 1, 1 << 6]], 'threads 0 and 38');
    t.same(bits[8], [[-3, 1 | (1 << 31), 0]], 'threads 0 and 31');
    const seen: number[] = [];
    everyAwaited(1 | (1 << 31), 1 << 6, (thread) => seen.push(thread) > 0);
    t.same(seen, [0, 31, 38]);
  },
);

t.test('fewer threads than workers: a thread does the lists of several', async (t) => {
  const plan = manifest([[run(0), barrier], [barrier, run(1)], [run(2), barrier]]); // biome-ignore format: lists
  t.same(listsOf(plan, 2), [[0, 2, -1], [-1, 1]]); // biome-ignore format: lists
  t.same(listsOf(manifest([[], []]), 2), [[]], 'a plan without steps');
});

t.test(
  'shared ranges become an offer of pieces: of what is left a third, none below the smallest',
  async (t) => {
    const range = (step: number, begin: number, end: number, shared: number): ScheduleItem => ({
      do: 'run',
      step,
      begin,
      end,
      shared,
    });
    const plan = manifest([
      [run(0), range(1, 0, 9, 2), barrier, run(2)],
      [range(1, 9, 12, 2), barrier],
      [range(1, 12, 13, 1), barrier],
    ]);
    const of = (threads: number) => {
      const { lists, offers } = makeWalk(plan, threads);
      const rows = (items: Int32Array) =>
        Array.from({ length: items.length / itemSize }, (_, i) => [
          ...items.subarray(i * itemSize).slice(0, 3),
        ]);
      return { lists: lists.map(rows), pieces: rows(offers.pieces), table: [...offers.table] };
    };
    const [offer, meet] = [[-2, 0, 0], [-1, 0, 0]]; // biome-ignore format: items
    const own = [[0, 0, 3], [0, 3, 5], [0, 5, 7], [0, 7, 9]]; // biome-ignore format: items
    t.same(of(3), {
      lists: [
        [[0, 0, 1], offer, meet, [0, 0, 1]],
        [offer, meet],
        [offer, meet],
      ],
      pieces: [...own, [0, 9, 12], [0, 12, 13]],
      table: [0, 4, 4, 1, 5, 1],
    });
    t.same(of(2).table, [0, 5, 5, 1], 'a thread that does the work of two workers offers that of both');
    t.same(of(2).pieces, [...own, [0, 12, 13], [0, 9, 12]]);
    t.same(of(1), {
      lists: [[[0, 0, 1], [0, 0, 9], [0, 9, 12], [0, 12, 13], [0, 0, 1]]], // biome-ignore format: items
      pieces: [],
      table: [],
    });
    const walk = makeWalk(plan, 3);
    t.same(
      [-1, 0, 1, 3, 4, 99].map((at) => stepAt(walk, 0, at)),
      [-1, 0, 0, 2, 1, -1],
      'step of a position',
    );
  },
);
