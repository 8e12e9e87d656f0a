// Many steps in one call against the same steps one by one: same bits, for every feed, target and number of threads; and
// what happens when a run of many steps is stopped, paused, watched or read from outside.

import t from 'tap';
import type { HeddleError } from '../../runtime/errors.ts';
import { Executor } from '../../runtime/executor.ts';
import type { StepFeed } from '../../runtime/step-feed.ts';
import {
  arena,
  elements,
  flags,
  makePlan,
  type TargetName,
  trainPlan,
  trainStep,
  variable,
  wildPlan,
} from './plans.ts';

const steps = 23;
const w0 = Float32Array.from({ length: elements }, (_, i) => Math.sin(i));
/** Step t gets row `order[t]`. */
const rowCount = 5;
const data = Float32Array.from({ length: rowCount * elements }, (_, i) => Math.cos(i) / 40);
const order = Int32Array.from({ length: steps }, (_, t) => (t * 3) % rowCount);
const row = (r: number) => data.slice(r * elements, (r + 1) * elements);
const start = (v: { readonly name: string }) => (v.name === 'w' ? w0 : undefined);

/** Totals of each step and the last w, by the loops of plans.ts. */
function expected(rows: readonly number[]): { totals: number[]; w: Float32Array } {
  let w: Float32Array = w0;
  const totals = rows.map((r) => {
    const [total, next] = trainStep(row(r), w);
    w = next;
    return total;
  });
  return { totals, w };
}

/** A train step whose input is one row of a batch of one. */
const rowsPlan = (target: TargetName) =>
  trainPlan(target, {
    inputs: [{ name: 'x', dtype: 'f32', shape: [1, elements], order: [0, 1], location: arena(0) }],
  });

for (const target of ['js', 'wasm'] as const) {
  for (const threads of [1, 2, 3]) {
    t.test(`${target}, ${threads} threads: every feed gives the bits of single steps`, async (t) => {
      const executor = await Executor.create({ threads });
      const train = await executor.load(await rowsPlan(target), start);
      const resident = await executor.keep([
        { name: 'x', dtype: 'f32', shape: [rowCount, elements], values: data },
      ]);
      const used = executor.memoryUse().usedBytes;
      const feeds: Record<string, () => StepFeed> = {
        rows: () => ({ kind: 'rows', rows: resident, indices: order }),
        gather: () => ({ kind: 'gather', rows: { x: data }, indices: order }),
        stream: () => ({ kind: 'stream', batches: [...order].map((r) => ({ x: row(r) })).values() }),
      };
      const { totals, w } = expected([...order]);
      for (const [name, feed] of Object.entries(feeds)) {
        executor.set('w', w0);
        const seen: number[] = [];
        const { done, end, outputs } = await executor.runSteps(train, {
          steps,
          feed: feed(),
          onProgress: (n) => seen.push(n),
        });
        t.same({ done, end }, { done: steps, end: 'complete' }, name);
        t.same(outputs['total'], { dtype: 'f32', shape: [steps], data: Float32Array.from(totals) }, name);
        t.same(outputs['updated']!.shape, [steps, elements]);
        t.same(outputs['updated']!.data.slice(-elements), w);
        t.same(executor.get('w').data, w, 'committed');
        t.equal(seen.at(-1), steps, 'progress ends at the last step');
      }
      executor.set('w', w0);
      const constant = await executor.runSteps(train, {
        steps: 4,
        feed: { kind: 'constant', inputs: { x: row(2) } },
        keep: { updated: 'last', total: 'none' },
      });
      const four = expected([2, 2, 2, 2]);
      t.same(constant.outputs, { updated: { dtype: 'f32', shape: [elements], data: four.w } });
      t.equal(executor.memoryUse().usedBytes, used, 'staging memory is given back');
      await executor.drop(resident);
      await executor.dispose();
    });
  }
}

t.test(
  'a constant input is the same in each step, also when its place is used for something else',
  async (t) => {
    // s += x[0] + x[1]; then x's place is overwritten.
    const plan = await makePlan('js', {
      arenaBytes: 64,
      inputs: [{ name: 'x', dtype: 'f32', shape: [2], order: [0], location: arena(0) }],
      outputs: [{ name: 'sum', dtype: 'f32', shape: [], order: [], location: variable(0, 'next') }],
      variables: [{ name: 's', dtype: 'f32', shape: [], order: [], trainable: false, updated: true }],
      kernels: [
        {
          name: 'sum',
          params: [
            { access: 'read', bytes: 8 },
            { access: 'read', bytes: 4 },
            { access: 'write', bytes: 4 },
          ],
          js: `const [x, s, y] = [0, 1, 2].map((i) => u32[args / 4 + i] / 4);
if (begin < end) f32[y] = f32[s] + f32[x] + f32[x + 1];`,
        },
        {
          name: 'overwrite',
          params: [{ access: 'write', bytes: 8 }],
          js: 'const x = u32[args / 4] / 4; if (begin < end) f32[x] = f32[x + 1] = -1000;',
        },
      ],
      steps: [
        { label: 'sum', kernel: 0, units: 1, args: [arena(0), variable(0, 'current'), variable(0, 'next')] },
        { label: 'overwrite', kernel: 1, units: 1, args: [arena(0)] },
      ],
    });
    for (const threads of [1, 2]) {
      const executor = await Executor.create({ threads });
      const loaded = await executor.load(plan);
      const used = executor.memoryUse().usedBytes;
      const constant = (x: number[]): StepFeed => ({ kind: 'constant', inputs: { x } });
      executor.set('s', [0]);
      const runs = [
        executor.runSteps(loaded, { steps: 5, feed: constant([1, 2]) }),
        executor.runSteps(loaded, { steps: 3, feed: constant([10, 20]) }),
      ];
      t.same([...(await runs[0]!).outputs['sum']!.data], [3, 6, 9, 12, 15]);
      t.same([...(await runs[1]!).outputs['sum']!.data], [45, 75, 105]);
      t.same(
        [...(await executor.run(loaded, { x: [5, 5] }))['sum']!.data],
        [115],
        'a run feeds the arena again',
      );
      t.equal(executor.memoryUse().usedBytes, used, 'the place of the inputs is given back');
      const views = await executor.inputs(loaded);
      views['x']!.set([1, 1]);
      t.same([...(await executor.run(loaded, views))['sum']!.data], [117]);
      await executor.runSteps(loaded, { steps: 2, feed: constant([4, 4]) });
      t.same([...(await executor.inputs(loaded))['x']!], [4, 4], 'who has views keeps them');
      await executor.dispose();
    }
  },
);

t.test('inputs that all workers copy together', async (t) => {
  const bytes = 40_000;
  const plan = await makePlan('js', {
    arenaBytes: bytes + 64,
    inputs: [
      { name: 'x', dtype: 'f32', shape: [10, bytes / 40], order: [0, 1], location: arena(0) },
      { name: 'u', dtype: 'u8', shape: [10, 3], order: [0, 1], location: arena(bytes) },
    ],
    outputs: [{ name: 'sum', dtype: 'f32', shape: [], order: [], location: variable(0, 'next') }],
    variables: [{ name: 's', dtype: 'f32', shape: [], order: [], trainable: false, updated: true }],
    kernels: [
      {
        name: 'sum',
        params: [
          { access: 'read', bytes },
          { access: 'read', bytes: 30 },
          { access: 'read', bytes: 4 },
          { access: 'write', bytes: 4 },
        ],
        js: `const [x, s, y] = [0, 2, 3].map((i) => u32[args / 4 + i] / 4);
if (begin < end) { let sum = f32[s]; for (let i = 0; i < ${bytes / 4}; i++) sum += f32[x + i];
for (let i = 0; i < 30; i++) sum += u8[u32[args / 4 + 1] + i]; f32[y] = sum; }`,
      },
    ],
    steps: [
      {
        label: 'sum',
        kernel: 0,
        units: 1,
        args: [arena(0), arena(bytes), variable(0, 'current'), variable(0, 'next')],
      },
    ],
  });
  const x = Float32Array.from({ length: 20 * (bytes / 40) }, (_, i) => i % 7);
  const u = Uint8Array.from({ length: 60 }, (_, i) => i % 5);
  const indices = Int32Array.from({ length: 60 }, (_, i) => (i * 7) % 20);
  const sums: number[] = [];
  for (const threads of [1, 3]) {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(plan);
    const rows = await executor.keep([
      { name: 'x', dtype: 'f32', shape: [20, bytes / 40], values: x },
      { name: 'u', dtype: 'u8', shape: [20, 3], values: u },
    ]);
    for (const feed of [
      { kind: 'rows', rows, indices },
      { kind: 'gather', rows: { x, u }, indices },
    ] satisfies StepFeed[]) {
      executor.set('s', [0]);
      const { outputs } = await executor.runSteps(loaded, { steps: 6, feed });
      sums.push(outputs['sum']!.data[5]!);
    }
    await executor.dispose();
  }
  const all = [...indices].reduce((sum, r) => {
    const xs = x.subarray((r * bytes) / 40, ((r + 1) * bytes) / 40);
    return xs.reduce((a, b) => a + b, sum) + u.subarray(r * 3, r * 3 + 3).reduce((a, b) => a + b, 0);
  }, 0);
  t.same(sums, [all, all, all, all]);
});

/** n' = n + label; the check fails for labels outside [0, 10); the output is not finite for label 9. */
const counting = () =>
  makePlan('js', {
    arenaBytes: 64,
    inputs: [{ name: 'label', dtype: 'i32', shape: [1], order: [0], location: arena(0) }],
    outputs: [{ name: 'loss', dtype: 'f32', shape: [], order: [], location: arena(16) }],
    variables: [
      { name: 'n', dtype: 'i32', shape: [], order: [], trainable: false, updated: true },
      { name: 'rate', dtype: 'i32', shape: [], order: [], trainable: false, updated: false },
    ],
    kernels: [
      {
        name: 'count',
        params: [
          { access: 'read', bytes: 4 },
          { access: 'read', bytes: 4 },
          { access: 'read', bytes: 4 },
          { access: 'write', bytes: 4 },
          { access: 'write', bytes: 4 },
          { access: 'write', bytes: 8 },
        ],
        js: `const [x, n, rate, y, loss, flag] = [0, 1, 2, 3, 4, 5].map((i) => u32[args / 4 + i] / 4);
if (begin >= end) return;
const label = i32[x];
i32[y] = i32[n] + label + 100 * i32[rate];
f32[loss] = label === 9 ? NaN : label;
if (label === 8) { const t = performance.now() + 1; while (performance.now() < t); }
if (label === 7) throw new TypeError('boom');
if (label < 0 || label >= 10) { i32[flag] = 1; i32[flag + 1] = label; }`,
      },
    ],
    steps: [
      {
        label: 'count',
        kernel: 0,
        units: 1,
        args: [
          arena(0),
          variable(0, 'current'),
          variable(1, 'current'),
          variable(0, 'next'),
          arena(16),
          flags,
        ],
      },
    ],
    sites: [{ kind: 'index', label: 'loss/gather (f32[2])', loc: null, size: 10 }],
  });

const stream = (labels: readonly number[]): StepFeed => ({
  kind: 'stream',
  batches: labels.map((label) => ({ label: [label] })).values(),
});
const gather = (labels: readonly number[]): StepFeed => ({
  kind: 'gather',
  rows: { label: Int32Array.from(labels) },
  indices: Int32Array.from(labels, (_, i) => i),
});
const errorOf = (promise: Promise<unknown>): Promise<HeddleError> =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as HeddleError,
  );

for (const threads of [1, 2]) {
  t.test(`${threads} threads: a step that fails is named, those before it stay`, async (t) => {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(await counting());
    for (const feed of [gather, stream]) {
      executor.set('n', [0]);
      const check = await errorOf(executor.runSteps(loaded, { steps: 5, feed: feed([1, 2, 3, -4, 5]) }));
      t.match(
        check.message,
        /^HDL1004: index -4 is out of range in loss\/gather \(f32\[2\]\) of 'train' at step 3 of 5 \(counted from 0\)\n[\s\S]*steps before it are committed$/,
      );
      t.same(executor.get('n').data, [6]);
      const thrown = await errorOf(
        executor.runSteps(loaded, { steps: 3, feed: feed([1, 1, 7]), before: 40 }),
      );
      t.match(
        thrown.message,
        /^HDL1003: step 'count' of 'train' failed in worker \d of \d: TypeError: boom, at step 42 \(counted from 0\)\n/,
      );
      t.same(executor.get('n').data, [8]);
      const watched = await executor.runSteps(loaded, { steps: 4, feed: feed([1, 9, 1, 1]), watch: 'loss' });
      t.same([watched.done, watched.end], [2, 'notFinite']);
      t.same(watched.outputs['loss']!.data, Float32Array.of(1, Number.NaN));
      t.same(executor.get('n').data, [18], 'the step that was not finite is committed');
    }
    await executor.dispose();
  });

  t.test(`${threads} threads: abort`, async (t) => {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(await counting());
    const constant: StepFeed = { kind: 'constant', inputs: { label: [8] } };
    const controller = new AbortController();
    const seen: number[] = [];
    const running = executor.runSteps(loaded, {
      steps: 1_000_000,
      feed: constant,
      signal: controller.signal,
      onProgress: (done) => {
        seen.push(done);
        if (done >= 5) controller.abort();
      },
    });
    const { done, end, outputs } = await running;
    t.equal(end, 'aborted');
    t.ok(done >= 5 && done < 10_000, `${done} steps`);
    t.same(executor.get('n').data, [8 * done], 'the last complete step is committed');
    t.equal(outputs['loss']!.data.length, done);
    t.ok(
      seen.every((n, i) => i === 0 || n > seen[i - 1]!),
      'progress only goes on',
    );
    const before = await executor.runSteps(loaded, { steps: 3, feed: constant, signal: AbortSignal.abort() });
    t.same([before.done, before.end], [0, 'aborted']);
    // A loader that never gives anything more.
    const silent = new AbortController();
    const batches = {
      count: 0,
      closed: false,
      next() {
        if (this.count++ < 2) return Promise.resolve({ done: false, value: { label: [1] } });
        // Long after both steps are done, on a busy machine too.
        setTimeout(() => silent.abort(), 500);
        return new Promise<never>(() => {});
      },
      return() {
        this.closed = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    const waiting = await executor.runSteps(loaded, {
      steps: 9,
      feed: { kind: 'stream', batches: batches as AsyncIterator<Record<string, number[]>> },
      signal: silent.signal,
    });
    t.same([waiting.done, waiting.end, batches.closed], [2, 'aborted', true]);
    await executor.dispose();
  });

  t.test(`${threads} threads: a feed that ends, a loader that fails, a callback that throws`, async (t) => {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(await counting());
    const short = await executor.runSteps(loaded, { steps: 9, feed: stream([1, 2, 3]) });
    t.same([short.done, short.end, [...short.outputs['loss']!.data]], [3, 'feedEnded', [1, 2, 3]]);
    t.same(executor.get('n').data, [6]);
    async function* failing() {
      yield { label: [1] };
      throw new RangeError('disk');
    }
    const error = await errorOf(
      executor.runSteps(loaded, { steps: 9, feed: { kind: 'stream', batches: failing() } }),
    );
    t.equal(String(error), 'RangeError: disk');
    t.same(executor.get('n').data, [7], 'what the loader gave before has run');
    const thrown = await errorOf(
      executor.runSteps(loaded, {
        steps: 1_000_000,
        feed: { kind: 'constant', inputs: { label: [8] } },
        onProgress: () => {
          throw new RangeError('callback');
        },
      }),
    );
    t.equal(String(thrown), 'RangeError: callback');
    t.equal((await executor.run(loaded, { label: [1] }))['loss']!.data[0], 1, 'and it still runs');
    await executor.dispose();
  });

  t.test(`${threads} threads: a schedule, and a variable read while it changes`, async (t) => {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(await counting());
    await executor.runSteps(loaded, {
      steps: 3,
      feed: gather([1, 1, 1]),
      schedules: { rate: [1, 2, 3] },
    });
    t.same(executor.get('n').data, [603]);
    t.same(executor.get('rate').data, [3], 'the last value stays');
    executor.set('rate', [0]);
    executor.set('n', [0]);
    const running = executor.runSteps(loaded, {
      steps: 30,
      feed: { kind: 'constant', inputs: { label: [8] } },
    });
    const read: number[] = [];
    for (let i = 0; i < 20; i++) {
      read.push(executor.get('n').data[0]!);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await running;
    t.ok(
      read.every((n, i) => n % 8 === 0 && (i === 0 || n >= read[i - 1]!)),
      read.join(),
    );
    t.same(executor.get('n').data, [240]);
    const codes = await Promise.all(
      [
        { schedules: { n: [1] } },
        { schedules: { nobody: [1] } },
        { watch: 'total' },
        { keep: { total: 'each' as const } },
        { steps: 0 },
        { steps: 1.5 },
        { feed: gather([1, 2]) },
        { feed: { kind: 'gather', rows: { label: Int32Array.of(1) }, indices: Int32Array.of(1) } as const },
      ].map((part) => errorOf(executor.runSteps(loaded, { steps: 1, feed: gather([1]), ...part }))),
    );
    t.same(
      codes.map((e) => e.code),
      ['HDL1001', 'HDL1008', ...Array.from({ length: 6 }, () => 'HDL1001')],
    );
    await executor.dispose();
  });
}

t.test('a long run lets other executors run in between', async (t) => {
  const [a, b] = [await Executor.create({ threads: 2 }), await Executor.create({ threads: 2 })];
  const [inA, inB] = [await a.load(await counting()), await b.load(await trainPlan('wasm'), start)];
  const ended: string[] = [];
  const long = a
    .runSteps(inA, { steps: 300, feed: { kind: 'constant', inputs: { label: [8] } } })
    .then((result) => {
      ended.push('long');
      return result;
    });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const x = row(0);
  for (let i = 0; i < 3; i++) await b.run(inB, { x });
  ended.push('short');
  t.equal((await long).done, 300);
  t.same(ended, ['short', 'long']);
  t.same(a.get('n').data, [2400]);
  t.same(b.get('w').data, expected([0, 0, 0]).w);
  await a.dispose();
  t.same(
    (await b.run(inB, { x }))['updated']!.data,
    expected([0, 0, 0, 0]).w,
    'dispose of one leaves the other',
  );
  await b.dispose();
});

t.test('dispose and failures in the middle of many steps', async (t) => {
  for (const threads of [1, 2]) {
    const executor = await Executor.create({ threads });
    const loaded = await executor.load(await counting());
    const running = errorOf(
      executor.runSteps(loaded, { steps: 1_000_000, feed: { kind: 'constant', inputs: { label: [8] } } }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await executor.dispose();
    t.equal((await running).code, 'HDL1002', `${threads} threads`);
  }
  const [a, b] = [await Executor.create({ threads: 2 }), await Executor.create({ threads: 2 })];
  const wild = await a.load(await wildPlan('if (begin === 0) self.close(); for (;;);'));
  const counts = await b.load(await counting());
  const failing = errorOf(a.run(wild, {}));
  const waiting = b.runSteps(counts, { steps: 5, feed: gather([1, 2, 3, 4, 5]) });
  t.equal((await failing).code, 'HDL1003');
  t.equal((await waiting).done, 5, 'what waited for the workers that died runs on new ones');
  t.same(b.get('n').data, [15]);
  await Promise.all([a.dispose(), b.dispose()]);
});
