// Runs that note their times: one entry per item of each worker's list, in order, on any number of threads; and that a
// profile which fails leaves an executor that works.

import t from 'tap';
import { Executor } from '../../runtime/executor.ts';
import { entryCount, entryOf, tableHead } from '../../runtime/timing.ts';
import { itemSize, offerItem } from '../../runtime/walk.ts';
import { elements, trainPlan, trainStep, wildPlan } from './plans.ts';

const x = Float32Array.from({ length: elements }, (_, i) => i / 100);
const ones = new Float32Array(elements).fill(1);

for (const threads of [1, 2, 3]) {
  t.test(`${threads} threads: every item has an end, not before the one before it`, async (t) => {
    const executor = await Executor.create({ threads });
    const train = await executor.load(await trainPlan('wasm'), () => undefined);
    executor.set('w', ones);
    const { walk, runs } = await executor.profile(train, { x }, { runs: 4, warmUp: 2 });
    t.equal(runs.length, 4);
    t.equal(walk.lists.length, threads);
    for (const { begin, prepared, returned, end, origin, workers } of runs) {
      t.ok(begin <= prepared && prepared <= returned && returned <= end, 'times of the caller are in order');
      const pieces = workers.flatMap((table, worker) => {
        const entries = Array.from({ length: entryCount(table) }, (_, e) => entryOf(table, e));
        const list = walk.lists[worker]!;
        const own = Array.from({ length: list.length / itemSize }, (_, i) => i);
        t.same(
          entries.filter((e) => e >= 0),
          own.filter((i) => list[i * itemSize] !== offerItem),
          'each item of the list once, in order',
        );
        const times = [...table.subarray(tableHead - 1, tableHead + entries.length)];
        t.same(
          [...times].sort((a, b) => a - b),
          times,
          'times are in order',
        );
        t.ok(times.at(-1)! - times[0]! <= returned - prepared, 'and no longer than the run');
        t.ok(table[0]! > 0 && origin > 0, 'on a clock whose beginning is known');
        return entries.filter((e) => e < 0);
      });
      t.equal(new Set(pieces).size, pieces.length, 'nobody takes what another has taken');
      t.equal(pieces.length, walk.offers.pieces.length / itemSize, 'and everything is taken');
    }
    t.same(executor.get('w').data, ones, 'nothing is committed');
    const { updated } = await executor.run(train, { x });
    t.same(updated?.data, trainStep(x, ones)[1], 'a run afterwards commits');
    await executor.dispose();
  });

  t.test(`${threads} threads: a kernel that throws while times are taken`, async (t) => {
    const executor = await Executor.create({ threads });
    const train = await executor.load(await trainPlan('js'), () => undefined);
    executor.set('w', ones);
    const wild = await executor.load(await wildPlan('if (begin === 0) throw new TypeError("boom")'));
    await t.rejects(executor.profile(wild, {}, { runs: 2, warmUp: 0 }), {
      code: 'HDL1003',
      message: /^HDL1003: step 'before' of 'wild' failed in worker 0 of \d: TypeError: boom\n/,
    });
    t.same(executor.get('w').data, ones);
    const { runs } = await executor.profile(train, { x }, { runs: 2, warmUp: 0 });
    t.ok(runs.length === 2 && runs.every(({ workers }) => workers.every((table) => entryCount(table) > 0)));
    await executor.unload(wild);
    await executor.dispose();
  });
}

t.test('a profile takes its turn, and checks its counts before', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const train = await executor.load(await trainPlan('wasm'), () => undefined);
  executor.set('w', ones);
  const given = x.slice();
  const first = executor.run(train, { x });
  const profile = executor.profile(train, { x: given }, { runs: 1, warmUp: 0 });
  given.fill(Number.NaN);
  const last = executor.run(train, { x });
  const [one, measured, two] = await Promise.all([first, profile, last]);
  t.equal(measured.runs.length, 1);
  const [, w1] = trainStep(x, ones);
  t.same(one['updated']?.data, w1);
  t.same(two['updated']?.data, trainStep(x, w1)[1], 'a run before and a run after count two');
  for (const options of [
    { runs: 0, warmUp: 0 },
    { runs: 1.5, warmUp: 0 },
    { runs: 1, warmUp: -1 },
  ])
    await t.rejects(executor.profile(train, { x }, options), { code: 'HDL1001' });
  await executor.dispose();
});
