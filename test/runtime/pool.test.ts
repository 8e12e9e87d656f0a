// One pool of workers for everything in a process: shared, replaced when it breaks, idle without using a core, gone when
// the last executor is.

import t from 'tap';
import { HeddleError } from '../../runtime/errors.ts';
import { Executor } from '../../runtime/executor.ts';
import { sharedPool } from '../../runtime/shared-pool.ts';
import { arena, elements, makePlan, trainPlan, trainStep, variable, wildPlan } from './plans.ts';

const x = Float32Array.from({ length: elements }, (_, i) => i / 100);
const ones = new Float32Array(elements).fill(1);
const updated = trainStep(x, ones)[1];
const start = (v: { readonly name: string }) => (v.name === 'w' ? ones : undefined);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof HeddleError ? error.code : String(error)),
  );

t.test('executors share workers: as many as the largest of them has', async (t) => {
  const executors = [];
  for (const threads of [2, 3, 2]) executors.push(await Executor.create({ threads }));
  t.equal(sharedPool.current?.size, 3);
  const plan = await trainPlan('wasm');
  const loaded = await Promise.all(executors.map((executor) => executor.load(plan, start)));
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all(executors.map((executor, i) => executor.run(loaded[i]!, { x })));
    t.ok(results.every((result) => result['total'] !== undefined));
  }
  t.same(executors[0]!.get('w'), executors[1]!.get('w'));
  t.same(executors[0]!.get('w'), executors[2]!.get('w'));
  await executors[1]!.dispose();
  t.equal(await codeOf(executors[0]!.run(loaded[0]!, { x })), 'no error');
  await Promise.all([executors[0]!.dispose(), executors[2]!.dispose()]);
});

t.test('an idle pool uses no processor time', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  const loaded = await executor.load(await trainPlan('wasm'));
  for (let i = 0; i < 10; i++) await executor.run(loaded, { x });
  await sleep(50);
  const before = process.cpuUsage();
  await sleep(400);
  const { user, system } = process.cpuUsage(before);
  t.ok(user + system < 200_000, `${user + system} us of 400,000`);
  await executor.dispose();
});

t.test('ten thousand runs, and a thousand executors, leave memory flat', async (t) => {
  const plan = await trainPlan('wasm');
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(plan, start);
    const used = executor.memoryUse();
    const feed = { kind: 'constant', inputs: { x } } as const;
    await executor.runSteps(loaded, { steps: 5000, feed, keep: { updated: 'last' } });
    await executor.runSteps(loaded, { steps: 5000, feed, keep: 'none' });
    const grown = executor.memoryUse();
    t.equal(grown.usedBytes, used.usedBytes, `${threads} threads`);
    for (let i = 0; i < 2000; i++) await executor.run(loaded, { x });
    for (let i = 0; i < 100; i++) await executor.runSteps(loaded, { steps: 3, feed });
    t.same(executor.memoryUse(), grown);
    await executor.dispose();
  }
  const cycle = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const executor = await Executor.create({ threads: 2 });
      const loaded = await executor.load(plan, start);
      if (i % 10 === 0) t.same((await executor.run(loaded, { x }))['updated']!.data, updated);
      await executor.dispose();
    }
  };
  await cycle(300);
  const before = process.memoryUsage.rss();
  await cycle(700);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  t.ok(grown < 60, `${grown.toFixed(1)} MiB more after 700 executors`);
});

t.test('a worker that is ended from outside in the middle of a run', async (t) => {
  for (const when of ['in a kernel', 'at a barrier']) {
    const executor = await Executor.create({ threads: 2 });
    const train = await executor.load(await trainPlan('wasm'), start);
    const wild = await executor.load(
      await wildPlan(
        `const end0 = performance.now() + ${when === 'in a kernel' ? 300 : '(begin === 0 ? 300 : 0)'};
while (performance.now() < end0);`,
      ),
    );
    const failing = codeOf(executor.run(wild, {}));
    await sleep(30);
    await sharedPool.current!.kill(1);
    t.equal(await failing, 'HDL1003', when);
    t.same(executor.get('w').data, ones, 'variables are as before');
    t.same((await executor.run(train, { x }))['updated']!.data, updated, 'and the next run works');
    await executor.dispose();
  }
});

t.test('a trap in a kernel of WebAssembly', async (t) => {
  const plan = await makePlan('wasm', {
    arenaBytes: 64,
    inputs: [{ name: 'by', dtype: 'i32', shape: [], order: [], location: arena(0) }],
    variables: [{ name: 'n', dtype: 'i32', shape: [], order: [], trainable: false, updated: true }],
    kernels: [
      {
        name: 'divide',
        params: [
          { access: 'read', bytes: 4 },
          { access: 'write', bytes: 4 },
        ],
        js: '',
        wat: `(i32.store (i32.load offset=4 (local.get $args))
          (i32.div_s (i32.const 12) (i32.load (i32.load (local.get $args)))))`,
      },
    ],
    steps: [{ label: 'block/divide', kernel: 0, units: 1, args: [arena(0), variable(0, 'next')] }],
  });
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(plan);
    const batches = [3, 4, 0, 6].map((by) => ({ by: [by] }));
    const error = await executor
      .runSteps(loaded, { steps: 4, feed: { kind: 'stream', batches: batches.values() } })
      .catch((e: Error) => e);
    t.match(
      (error as Error).message,
      /^HDL1003: step 'block\/divide' of 'train' failed in worker \d of \d: RuntimeError: divide by zero, at step 2 of 4/,
    );
    t.same(executor.get('n').data, [3], 'the step before it is committed');
    await executor.run(loaded, { by: [2] });
    t.same(executor.get('n').data, [6]);
    await executor.dispose();
  }
});

t.test('too little memory for many steps: refused by name, and nothing is lost', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads, maximumBytes: 1 << 18 });
    const loaded = await executor.load(await trainPlan('wasm'), start);
    const large = {
      name: 'x',
      dtype: 'f32',
      shape: [1 << 16, 1],
      values: new Float32Array(1 << 16),
    } as const;
    t.equal(await codeOf(executor.keep([large, { ...large, name: 'y' }])), 'HDL1007');
    const used = executor.memoryUse().usedBytes;
    const request = { steps: 100_000, feed: { kind: 'constant', inputs: { x } }, keep: 'each' } as const;
    t.equal(await codeOf(executor.runSteps(loaded, request)), 'HDL1007');
    t.equal(executor.memoryUse().usedBytes, used);
    t.same((await executor.run(loaded, { x }))['updated']!.data, updated);
    await executor.dispose();
  }
});

t.test('the threads end when nobody uses them', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  await executor.dispose();
  t.ok(sharedPool.current, 'they are kept for a while');
  await sleep(1300);
  t.equal(sharedPool.current, undefined);
  const again = await Executor.create({ threads: 2 });
  const loaded = await again.load(await trainPlan('js'), start);
  t.same((await again.run(loaded, { x }))['updated']!.data, updated);
  await again.dispose();
});
