// Short runs, in which the calling thread does the last list: the same bits, the same errors, and an event loop that goes on
// when a worker is slow, dies, or is not wanted any more.

import t from 'tap';
import type { HeddleError } from '../../runtime/errors.ts';
import { Executor, type LoadedPlan } from '../../runtime/executor.ts';
import type { Plan } from '../../runtime/plan.ts';
import { sharedPool } from '../../runtime/shared-pool.ts';
import { arena, elements, makePlan, trainPlan, trainStep, variable, waitingSingly } from './plans.ts';

const x = Float32Array.from({ length: elements }, (_, i) => i / 1e5);
const ones = new Float32Array(elements).fill(1);

/** What this thread's kernels do and see. */
const own = globalThis as { isCaller?: boolean; callerRuns?: number };
own.isCaller = true;

/** What happens in the second step. */
const Mode = { nothing: 0, callerThrows: 1, workerThrows: 2, workerCloses: 3, workerIsSlow: 4 } as const;

/** w' = w + 1, in two steps of 4 units with a barrier between; counts the calls that the calling thread makes. */
function countingPlan(workers: number): Promise<Plan> {
  const read = { access: 'read', bytes: 4 } as const;
  const write = { access: 'write', bytes: 16 } as const;
  return makePlan('js', {
    arenaBytes: 64,
    inputs: [{ name: 'mode', dtype: 'i32', shape: [], order: [], location: arena(0) }],
    variables: [{ name: 'n', dtype: 'i32', shape: [4], order: [0], trainable: false, updated: true }],
    kernels: [
      {
        name: 'half',
        params: [read, { ...write, access: 'read' }, write, read],
        js: `const [mode, from, to, second] = [0, 1, 2, 3].map((i) => u32[args / 4 + i] / 4);
if (globalThis.isCaller) globalThis.callerRuns = (globalThis.callerRuns ?? 0) + 1;
const who = globalThis.isCaller ? 'caller' : 'worker';
for (let u = begin; u < end; u++) i32[to + u] = i32[from + u] + i32[second];
if (i32[second] === 1 && begin < end) {
  if (i32[mode] === 1 && who === 'caller' || i32[mode] === 2 && who === 'worker') throw new TypeError('boom in ' + who);
  if (i32[mode] === 3 && who === 'worker') { self.close(); for (;;); }
  if (i32[mode] === 4 && who === 'worker') { const until = performance.now() + 300; while (performance.now() < until); }
}`,
      },
    ],
    constants: new Uint8Array(Int32Array.of(0, 1).buffer),
    steps: [0, 1].map((s) => ({
      label: s === 0 ? 'first' : 'block/second',
      kernel: 0,
      units: 4,
      args: [
        arena(0),
        s === 0 ? variable(0, 'current') : arena(16),
        s === 0 ? arena(16) : variable(0, 'next'),
        { space: 'constant', offset: 4 * s } as const,
      ],
    })),
    sites: [],
  }).then((plan) => ({
    ...plan,
    manifest: { ...plan.manifest, schedules: plan.manifest.schedules.filter((s) => s.workers === workers) },
  }));
}

/** Runs until the calling thread takes part; how many runs that took. */
async function runUntilShort(executor: Executor, loaded: LoadedPlan): Promise<number> {
  own.callerRuns = 0;
  let runs = 0;
  while (own.callerRuns === 0) {
    await executor.run(loaded, { mode: [Mode.nothing] });
    if (++runs > 5000) throw new Error('the calling thread never takes part');
  }
  return runs;
}

const failureOf = (promise: Promise<unknown>): Promise<HeddleError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as HeddleError,
  );

for (const threads of [1, 2, 3]) {
  t.test(`${threads} threads: a hundred short runs`, async (t) => {
    const executor = await Executor.create({ threads });
    for (const plan of [await trainPlan('wasm'), waitingSingly(await trainPlan('js'))]) {
      const train = await executor.load(plan);
      let w: Float32Array = ones;
      executor.set('w', ones);
      for (let run = 0; run < 100; run++) {
        const outputs = await executor.run(train, { x });
        const [total, updated] = trainStep(x, w);
        w = updated;
        if (outputs['total']!.data[0] !== total) throw new Error(`run ${run}: ${outputs['total']!.data[0]}`);
      }
      t.same(executor.get('w').data, w);
    }
    await executor.dispose();
  });
}

for (const workers of [1, 2, 3]) {
  t.test(`a schedule for ${workers}, of 3 threads: who computes`, async (t) => {
    const executor = await Executor.create({ threads: 3 });
    const loaded = await executor.load(await countingPlan(workers));
    let runs = await runUntilShort(executor, loaded);
    t.ok(runs > 1, 'the first run is not known to be short');
    for (; runs < 60; runs++) await executor.run(loaded, { mode: [Mode.nothing] });
    t.same([...executor.get('n').data], [runs, runs, runs, runs], 'each run counts once');
    // Two runs at once, and one of another executor beside them.
    const other = await Executor.create({ threads: 2 });
    const loadedThere = await other.load(await countingPlan(2));
    await Promise.all([
      executor.run(loaded, { mode: [Mode.nothing] }),
      other.run(loadedThere, { mode: [Mode.nothing] }),
      executor.run(loaded, { mode: [Mode.nothing] }),
      other.run(loadedThere, { mode: [Mode.nothing] }),
    ]);
    t.same([...executor.get('n').data], Array(4).fill(runs + 2));
    t.same([...other.get('n').data], [2, 2, 2, 2]);
    await executor.dispose();
    await other.dispose();
  });
}

t.test('a kernel that throws, in the calling thread or in a worker', async (t) => {
  for (const [mode, who] of [
    [Mode.callerThrows, 'caller'],
    [Mode.workerThrows, 'worker'],
  ] as const) {
    // biome-ignore format: pairs
    const executor = await Executor.create({ threads: 2 });
    const loaded = await executor.load(await countingPlan(2));
    let runs = await runUntilShort(executor, loaded);
    // A run before it that took long, for whatever reason, would leave this one to the workers.
    let error: HeddleError | null = null;
    for (; error === null && runs < 5000; runs++)
      error = await executor.run(loaded, { mode: [mode] }).then(() => null, (reason: HeddleError) => reason); // biome-ignore format: one line
    runs--;
    t.equal(error?.code, 'HDL1003');
    t.match(
      error?.message,
      new RegExp(
        `step 'block/second' of 'train' failed in worker ${who === 'caller' ? '1' : '[01]'} of 2: TypeError: boom in ${who}`,
      ),
    );
    t.equal(executor.get('n').data[0], runs, 'nothing is committed');
    await executor.run(loaded, { mode: [Mode.nothing] });
    t.equal(executor.get('n').data[0], runs + 1, 'the next run works');
    await executor.dispose();
  }
});

t.test('a worker that dies while the calling thread waits for it', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const loaded = await executor.load(await countingPlan(2));
  const runs = await runUntilShort(executor, loaded);
  const failing = failureOf(executor.run(loaded, { mode: [Mode.workerCloses] }));
  t.match(
    (await failing).message,
    /^HDL1003: step 'block\/second' of 'train' failed in worker [01] of 2: the worker /,
  );
  t.equal(executor.get('n').data[0], runs);
  await executor.run(loaded, { mode: [Mode.nothing] });
  t.equal(executor.get('n').data[0], runs + 1);
  await executor.dispose();
});

t.test('a worker that is ended from outside', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const loaded = await executor.load(await countingPlan(2));
  const runs = await runUntilShort(executor, loaded);
  const failing = failureOf(executor.run(loaded, { mode: [Mode.workerIsSlow] }));
  await sharedPool.current!.kill(0);
  t.equal((await failing).code, 'HDL1003');
  t.equal(executor.get('n').data[0], runs);
  await executor.dispose();
});

t.test('a worker that is slow: timers fire meanwhile, and the next run is left to the workers', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const loaded = await executor.load(await countingPlan(2));
  const runs = await runUntilShort(executor, loaded);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  await executor.run(loaded, { mode: [Mode.workerIsSlow] });
  clearInterval(timer);
  t.ok(ticks > 5, `${ticks} ticks in 300 ms`);
  t.equal(executor.get('n').data[0], runs + 1);
  own.callerRuns = 0;
  await executor.run(loaded, { mode: [Mode.nothing] });
  t.equal(own.callerRuns, 0);
  await executor.dispose();
});

t.test('dispose while the calling thread waits', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const loaded = await executor.load(await countingPlan(2));
  await runUntilShort(executor, loaded);
  const failing = failureOf(executor.run(loaded, { mode: [Mode.workerIsSlow] }));
  const queued = failureOf(executor.run(loaded, { mode: [Mode.nothing] }));
  await executor.dispose();
  t.equal((await failing).code, 'HDL1002');
  t.equal((await queued).code, 'HDL1002');
});

t.test('memory that grows between short runs', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const loaded = await executor.load(await countingPlan(2));
  const runs = await runUntilShort(executor, loaded);
  const before = executor.memoryUse().sizeBytes;
  const values = new Float32Array(5_000_000);
  await executor.keep([{ name: 'large', dtype: 'f32', shape: [values.length], values }]);
  t.ok(executor.memoryUse().sizeBytes > before);
  await executor.run(loaded, { mode: [Mode.nothing] });
  t.equal(executor.get('n').data[0], runs + 1);
  await executor.dispose();
});

t.teardown(() => {
  Reflect.deleteProperty(own, 'isCaller');
  Reflect.deleteProperty(own, 'callerRuns');
});
