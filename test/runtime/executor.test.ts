// Runs: the same values on any number of threads and on both targets, commits, turns, errors that change nothing.

import { Worker as NodeWorker } from 'node:worker_threads';
import t from 'tap';
import type { HeddleError } from '../../runtime/errors.ts';
import { Executor } from '../../runtime/executor.ts';
import type { Plan } from '../../runtime/plan.ts';
import {
  arena,
  elements,
  flags,
  makePlan,
  type TargetName,
  trainPlan,
  trainStep,
  variable,
} from './plans.ts';

const x = Float32Array.from({ length: elements }, (_, i) => Math.sin(i) / 3);
const w0 = Float32Array.from({ length: elements }, (_, i) => Math.cos(i) / 5);
const start = (v: { name: string }) => (v.name === 'w' ? w0 : [0, 1, 2, 3, 4, 5]);

const codeOf = async (action: () => unknown): Promise<string> => {
  try {
    await action();
  } catch (error) {
    return (error as HeddleError).code;
  }
  return 'no error';
};

for (const target of ['js', 'wasm'] as TargetName[]) {
  for (const threads of [1, 2, 3, 4]) {
    t.test(`${target}, ${threads} threads: three steps equal the loops`, async (t) => {
      const executor = await Executor.create({ threads });
      const train = await executor.load(await trainPlan(target), start);
      let w: Float32Array = w0;
      for (let step = 0; step < 3; step++) {
        const [total, updated] = trainStep(x, w);
        const outputs = await executor.run(train, { x });
        t.same(outputs['total']?.data, [total], 'total');
        t.same(
          outputs['updated'],
          { dtype: 'f32', shape: [elements], data: updated },
          'next bank is read out',
        );
        t.same(executor.get('w').data, updated, 'and committed');
        w = updated;
      }
      t.same(executor.get('bias').data, [0, 1, 2, 3, 4, 5], 'what is not updated stays');
      await executor.dispose();
    });
  }
}

t.test('a plan with a schedule for four workers only runs on fewer threads and on more', async (t) => {
  const plan = await trainPlan('js');
  const schedules = plan.manifest.schedules.filter((schedule) => schedule.workers === 3);
  for (const threads of [1, 2, 4]) {
    const executor = await Executor.create({ threads });
    const train = await executor.load({ ...plan, manifest: { ...plan.manifest, schedules } }, start);
    const { updated } = await executor.run(train, { x });
    t.same(updated?.data, trainStep(x, w0)[1], `${threads} threads`);
    await executor.dispose();
  }
});

/** Doubles variable `v`, and knows another one. */
const doubler = (entry: string, v: number): Promise<Plan> =>
  makePlan('js', {
    entry,
    variables: ['a', 'b'].map((name, i) => ({
      name, dtype: 'f32', shape: [2], order: [0], trainable: true, updated: i === v,
    })) /* biome-ignore format: short */,
    outputs: [
      {
        name: 'a',
        dtype: 'f32',
        shape: [2],
        order: [0],
        location: variable(0, v === 0 ? 'next' : 'current'),
      },
      {
        name: 'b',
        dtype: 'f32',
        shape: [2],
        order: [0],
        location: variable(1, v === 1 ? 'next' : 'current'),
      },
    ],
    kernels: [
      {
        name: 'double',
        params: [
          { access: 'read', bytes: 8 },
          { access: 'write', bytes: 8 },
        ],
        js: 'for (let i = begin; i < end; i++) f32[u32[args / 4 + 1] / 4 + i] = 2 * f32[u32[args / 4] / 4 + i];',
      },
    ],
    steps: [{ label: 'double', kernel: 0, units: 2, args: [variable(v, 'current'), variable(v, 'next')] }],
  });

t.test('plans share variables, whatever order their updates come in', async (t) => {
  const executor = await Executor.create({ threads: 1 });
  const plans = [await executor.load(await doubler('first', 0), () => [1, 3])];
  plans.push(await executor.load(await doubler('second', 1), () => [9, 9]));
  const expected: Record<string, number> = { a: 1, b: 1 };
  for (const which of [0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1]) {
    const name = which === 0 ? 'a' : 'b';
    expected[name] = expected[name]! * 2;
    const outputs = await executor.run(plans[which]!, {});
    for (const v of ['a', 'b']) {
      t.same(outputs[v]?.data, [expected[v]!, 3 * expected[v]!], `output ${v}`);
      t.same(executor.get(v).data, outputs[v]?.data, `variable ${v}`);
    }
  }
  executor.set('a', [5, 6]);
  t.same((await executor.run(plans[0]!, {}))['a']?.data, [10, 12], 'a set value is what the next run reads');
  t.same(executor.variableNames(), ['a', 'b']);
  await executor.dispose();
});

t.test('dimensions in memory may lie in another order', async (t) => {
  // x: NCHW outside, channels last inside; the kernel copies bytes as they lie.
  const shape = [2, 3, 4, 5];
  const size = 2 * 3 * 4 * 5;
  const executor = await Executor.create({ threads: 1 });
  const loaded = await executor.load(
    await makePlan('js', {
      arenaBytes: 8 * size,
      inputs: [{ name: 'x', dtype: 'i32', shape, order: [0, 2, 3, 1], location: arena(0) }],
      outputs: [
        { name: 'same', dtype: 'i32', shape, order: [0, 2, 3, 1], location: arena(4 * size) },
        { name: 'raw', dtype: 'i32', shape: [size], order: [0], location: arena(4 * size) },
      ],
      kernels: [
        {
          name: 'copy',
          params: [
            { access: 'read', bytes: 4 * size },
            { access: 'write', bytes: 4 * size },
          ],
          js: `const a = u32[args / 4] / 4; if (begin < end) i32.copyWithin(u32[args / 4 + 1] / 4, a, a + ${size});`,
        },
      ],
      steps: [{ label: 'copy', kernel: 0, units: 1, args: [arena(0), arena(4 * size)] }],
    }),
  );
  const data = Int32Array.from({ length: size }, (_, i) => i);
  const { same, raw } = await executor.run(loaded, { x: data });
  t.same(same?.data, data, 'in and out again');
  const channelsLast: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let hw = 0; hw < 20; hw++) for (let c = 0; c < 3; c++) channelsLast.push(n * 60 + c * 20 + hw);
  t.same(raw?.data, channelsLast, 'channels last between');
  await executor.dispose();
});

t.test('runs take turns, and inputs are taken when run is called', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const train = await executor.load(await trainPlan('js'), start);
    const batch = x.slice();
    const first = executor.run(train, { x: batch });
    const second = executor.run(train, { x: batch });
    batch.fill(7);
    t.equal(await codeOf(() => executor.set('w', w0)), 'HDL1009', 'variables are not set in the middle');
    t.same(executor.get('w').data.length, elements, 'but can be read');
    const afterFirst = trainStep(x, w0)[1];
    t.same((await first)['updated']?.data, afterFirst, `${threads} threads: first`);
    t.same((await second)['updated']?.data, trainStep(x, afterFirst)[1], `${threads} threads: second`);
    await executor.dispose();
  }
});

t.test('inputs that do not fit are refused by name, and nothing changes', async (t) => {
  const executor = await Executor.create({ threads: 1 });
  const train = await executor.load(await trainPlan('js'), start);
  const message = async (inputs: Record<string, never>) =>
    executor.run(train, inputs).then(() => 'no error', (error: Error) => error.message) /* biome-ignore format: short */;
  t.equal(
    await message({ x: new Float32Array(3) as never }),
    `HDL1001: input 'x' of 'train' is a Float32Array of 3 elements, expected f32[64], a Float32Array of 64 elements
  rule: values are given row-major, as many as the shape has, of a type that its dtype can hold
  try:  check the batch size and the order of dimensions; a plan has fixed shapes`,
  );
  t.match(await message({}), /input 'x' of 'train' is missing, expected f32\[64\]/);
  t.match(
    await message({ x: x as never, y: x as never }),
    /'train' has no input 'y'[\s\S]*its inputs are 'x' f32\[64\]/,
  );
  t.match(
    await message({ x: new Int32Array(64) as never }),
    /is an Int32Array, expected[\s\S]*convert it on purpose/,
  );
  t.match(await message({ x: [[1]] as never }), /a nested array of 1 elements/);
  t.match(await message({ x: Array(64).fill('1') as never }), /an array with 1 at position 0/);
  t.match(await message({ x: new BigInt64Array(64) as never }), /narrow it on purpose/);
  t.match(await message({ x: undefined as never }), /is undefined/);
  t.match(await message({ x: executor.get('w') as never }), /pass its data/);
  t.same(executor.get('w').data, w0, 'variables are as before');
  t.same(
    (await executor.run(train, { x: Array.from(x) }))['total']?.data,
    [trainStep(x, w0)[0]],
    'numbers will do',
  );
  t.same(await codeOf(() => executor.get('v')), 'HDL1008');
  t.same(await codeOf(() => executor.set('w', [1])), 'HDL1001');
  await executor.dispose();
});

t.test('checks stop the commit', async (t) => {
  const plan = await makePlan('js', {
    arenaBytes: 64,
    inputs: [{ name: 'labels', dtype: 'i32', shape: [2], order: [0], location: arena(0) }],
    variables: [{ name: 'n', dtype: 'i32', shape: [], order: [], trainable: false, updated: true }],
    kernels: [
      {
        name: 'check',
        params: [
          { access: 'read', bytes: 8 },
          { access: 'read', bytes: 4 },
          { access: 'write', bytes: 4 },
          { access: 'write', bytes: 12 },
        ],
        js: `const [x, n, y, flag] = u32.subarray(args / 4, args / 4 + 4).map((a) => a / 4);
if (begin < end) i32[y] = i32[n] + 1;
for (let i = begin; i < end; i++) {
  const label = i32[x + i];
  if (label === 7) i32[flag] = i32[flag + 1] = 1;
  else if (label < 0 || label >= 10) { i32[flag] = 1; i32[flag + 2] = label; }
}`,
      },
    ],
    steps: [
      {
        label: 'check',
        kernel: 0,
        units: 2,
        args: [arena(0), variable(0, 'current'), variable(0, 'next'), flags],
      },
    ],
    sites: [
      { kind: 'finite', label: 'loss/log (f32[])', loc: 'model.ts:9:3', size: 0 },
      { kind: 'index', label: 'loss/gather (f32[2])', loc: '/home/me/my:model.ts:12:8', size: 10 },
    ],
  });
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(plan);
    const run = (labels: number[]) =>
      executor.run(loaded, { labels }).then(() => 'no error', (error: Error) => error.message) /* biome-ignore format: short */;
    t.equal(await run([0, 9]), 'no error');
    t.same(executor.get('n').data, [1]);
    t.equal(
      await run([3, -4]),
      `HDL1004: index -4 is out of range in loss/gather (f32[2]) of 'train'
  rule: indices are in [0, 10)
  at:   /home/me/my:model.ts:12:8
  try:  check the labels or indices of this batch; variables are as they were before the run`,
    );
    t.match(
      await run([7, 0]),
      /^HDL1005: a value of loss\/log \(f32\[\]\) in 'train' is not finite\n[\s\S]*model.ts:9:3/,
    );
    t.match(await run([7, 10]), /^HDL1004: index 10 [\s\S]* \(and 1 more checks failed\)/);
    t.same(executor.get('n').data, [1], 'nothing was committed');
    t.equal(await run([0, 9]), 'no error', 'flags are cleared');
    t.same(executor.get('n').data, [2]);
    await executor.dispose();
  }
});

/** An arena of so many bytes, which its buffers fill. */
const wide = (bytes: number) => ({
  arenaBytes: bytes,
  buffers: [0, 256, 512].map((offset) => ({
    name: `at${offset}`,
    offset,
    bytes: bytes - offset,
    from: -1,
    to: 3,
  })),
});

t.test('a thousand loads and unloads leave memory flat', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const plans = [await trainPlan('wasm'), await trainPlan('js', wide(300_000))];
    const cycle = async (times: number) => {
      for (let i = 0; i < times; i++) {
        const [a, b] = [await executor.load(plans[0]!, start), await executor.load(plans[1]!, start)];
        const first = i % 2 ? a : b;
        await executor.unload(first);
        await executor.unload(first === a ? b : a);
      }
    };
    await cycle(1);
    const before = executor.memoryUse();
    await cycle(500);
    t.same(executor.memoryUse(), before, `${threads} threads`);
    const train = await executor.load(plans[0]!);
    t.same(
      (await executor.run(train, { x }))['total']?.data,
      [trainStep(x, w0)[0]],
      'variables are still there',
    );
    t.equal(await codeOf(() => executor.unload(train)), 'no error');
    t.equal(await codeOf(() => executor.run(train, { x })), 'HDL1002', 'an unloaded plan does not run');
    await executor.dispose();
  }
});

t.test('plans still run after memory has grown under them', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const train = await executor.load(await trainPlan('js'), start);
    const size = executor.memoryUse().sizeBytes;
    const large = await executor.load(await trainPlan('wasm', { entry: 'large', ...wide(5_000_000) }));
    t.ok(executor.memoryUse().sizeBytes > size, 'memory has grown');
    const updated = trainStep(x, w0)[1];
    t.same((await executor.run(train, { x }))['updated']?.data, updated, `${threads} threads`);
    t.same((await executor.run(large, { x }))['updated']?.data, trainStep(x, updated)[1]);
    await executor.dispose();
  }
});

t.test('what cannot be loaded leaves no trace', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads, maximumBytes: 1 << 20 });
    const plan = await trainPlan('js');
    const empty = executor.memoryUse().usedBytes;
    const refused = async (other: Partial<Plan>, manifest: Partial<Plan['manifest']> = {}) =>
      codeOf(() => executor.load({ ...plan, ...other, manifest: { ...plan.manifest, ...manifest } }, start));
    const text = (source: string) => ({ code: new TextEncoder().encode(source) });
    t.equal(await refused({}, wide(2 << 20)), 'HDL1007', 'too large');
    t.equal(await refused(text('throw new Error("no")')), 'HDL1006', 'code that throws');
    t.equal(await refused(text('return {')), 'HDL1006', 'code that does not parse');
    t.equal(await refused(text('return { product() {} }')), 'HDL1006', 'code without a kernel');
    t.equal(
      await codeOf(() => executor.load(plan, () => [1])),
      'HDL1001',
      'an initial value that does not fit',
    );
    t.same(executor.memoryUse().usedBytes, empty);
    t.same(executor.variableNames(), []);
    const train = await executor.load(plan, start);
    t.same((await executor.run(train, { x }))['updated']?.data, trainStep(x, w0)[1], `${threads} threads`);
    const variables = plan.manifest.variables.map((v) => ({ ...v, order: v.order.toReversed() }));
    t.equal(await refused({}, { variables }), 'HDL1006', 'a variable of another layout');
    await executor.dispose();
  }
});

t.test('every use after dispose is refused', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const plan = await trainPlan('js');
    const train = await executor.load(plan, start);
    const [inFlight, waiting] = [
      codeOf(() => executor.run(train, { x })),
      codeOf(() => executor.run(train, { x })),
    ];
    await executor.dispose();
    await executor.dispose();
    t.equal(await waiting, 'HDL1002', 'a run that waits');
    t.ok(['HDL1002', 'no error'].includes(await inFlight), 'a run that may have ended');
    t.equal(await codeOf(() => executor.run(train, { x })), 'HDL1002');
    t.equal(await codeOf(() => executor.load(plan)), 'HDL1002');
    t.equal(await codeOf(() => executor.unload(train)), 'HDL1002');
    t.equal(await codeOf(() => executor.get('w')), 'HDL1002');
    t.equal(await codeOf(() => executor.set('w', x)), 'HDL1002');
    t.equal(await codeOf(() => executor.variableNames()), 'HDL1002');
  }
});

t.test('without shared memory there is one thread, and it says so', async (t) => {
  const shared = globalThis.SharedArrayBuffer;
  const notices: string[] = [];
  try {
    Object.assign(globalThis, { SharedArrayBuffer: undefined });
    const executor = await Executor.create({ threads: 3, onNotice: (text) => notices.push(text) });
    t.equal(executor.threads, 1);
    t.equal(notices.length, 1);
    t.match(notices[0], /one thread instead of 3/);
    const train = await executor.load(await trainPlan('wasm'), start);
    t.same((await executor.run(train, { x }))['updated']?.data, trainStep(x, w0)[1]);
    await executor.dispose();
    const { args } = t.capture(console, 'warn');
    for (const threads of [2, 3]) await (await Executor.create({ threads })).dispose();
    t.match(args(), [[/one thread instead of 2: there is no memory that threads can share\. Serve/]]);
  } finally {
    Object.assign(globalThis, { SharedArrayBuffer: shared });
  }
  t.equal(await codeOf(() => Executor.create({ threads: 0 })), 'HDL1001');
});

t.test('in a thread that cannot start threads there is one, and it says so', async (t) => {
  const runtime = new URL('../../runtime/index.js', import.meta.url).href;
  const source = `
    const { parentPort } = require('node:worker_threads');
    import('${runtime}').then(async ({ Executor }) => {
      const executor = await Executor.create({ threads: 2, onNotice: (text) => parentPort.postMessage(text) });
      parentPort.postMessage(executor.threads);
    });`;
  const worker = new NodeWorker(source, { eval: true });
  const received: unknown[] = [];
  worker.on('message', (message) => received.push(message));
  await new Promise((resolve) => worker.on('exit', resolve));
  t.match(received, [/one thread instead of 2: no workers can be started here/, 1]);
});
