// Profiles: what is said of noted times, on times written by hand; and that a profile of a program tells of its plan,
// changes nothing, and reads well. No test looks at how long anything took.

import t, { type Test } from 'tap';
import type { PlanManifest } from '../../runtime/plan.ts';
import { entryCount, tableHead } from '../../runtime/timing.ts';
import { makeWalk } from '../../runtime/walk.ts';
import {
  add,
  entry,
  formatProfile,
  grad,
  initializers,
  matmul,
  mean,
  mul,
  type Profile,
  program,
  relu,
  square,
  sub,
  tensor,
  variable,
} from '../../src/index.ts';
import { summarise } from '../../src/profile/summary.ts';

/** Two workers, a barrier: step 0 is shared, step 1 belongs to worker 1, step 2 to worker 0. */
const manifest: PlanManifest = {
  format: 1,
  entry: 'train',
  target: 'wasm',
  features: [],
  arenaBytes: 1024,
  constantBytes: 0,
  inputs: [],
  outputs: [],
  variables: [{ name: 'w', dtype: 'f32', shape: [3, 4], order: [0, 1], trainable: true, updated: true }],
  kernels: [
    { name: 'conv', params: [], work: { flops: 8e6, bytes: 2e6, schedule: 'tile 4×8' } },
    { name: 'sum', params: [] },
  ],
  steps: [
    { label: 's0/conv', kernel: 0, args: [], units: 4 },
    { label: 's0/sum', kernel: 1, args: [], units: 1 },
    { label: 's1/conv', kernel: 0, args: [], units: 4 },
  ],
  schedules: [
    {
      workers: 2,
      lists: [
        [
          { do: 'run', step: 0, begin: 0, end: 2 },
          { do: 'barrier' },
          { do: 'run', step: 2, begin: 0, end: 4 },
        ],
        [
          { do: 'run', step: 0, begin: 2, end: 4 },
          { do: 'run', step: 1, begin: 0, end: 1 },
          { do: 'barrier' },
        ],
      ],
    },
  ],
  sites: [],
  buffers: [],
};
const walk = makeWalk(manifest, 2);
/** 4 units of 'conv': 4 ms of arithmetic, 1 ms of memory. */
const machine = { flopsPerNs: 2, bytesPerNs: 2, nearBytesPerNs: 2, callNs: 1e6, barrierNs: 5e5, wakeNs: 1 };

/** A run that begins at 1000 ms on the caller's clock; each worker's clock starts at another time. */
const run = (scale: number) => ({
  begin: 1000,
  prepared: 1001,
  returned: 1001 + 12 * scale,
  end: 1002 + 12 * scale,
  origin: 5000,
  workers: [
    // Starts at 2, conv 4 ms, wait 2.5 ms, conv 3 ms.
    tableOf(4000, 2001 + 1, [4, 2.5, 3], scale),
    // Starts 0.25 ms later; conv 5 ms, sum 1 ms, wait 0.25 ms.
    tableOf(6000, 1.25 + 1, [5, 1, 0.25], scale),
  ],
});

/** What a worker notes whose entries take so long; by default they are the items of its list in turn. */
function tableOf(
  origin: number,
  start: number,
  lengths: readonly number[],
  scale = 1,
  entries: readonly number[] = lengths.map((_, item) => item),
): Float64Array {
  let at = start;
  const times = lengths.map((ms) => (at += ms * scale));
  return Float64Array.from([origin, lengths.length, start, ...times, ...entries]);
}

t.test('times of workers become times of steps, waits, and what is lost', async (t) => {
  const p = summarise('train', { batch: 8 }, manifest, { walk, machine, runs: [run(1)] });
  t.same(
    [p.entry, p.dims, p.target, p.workers, p.runs, p.barriers, p.memoryBytes],
    ['train', { batch: 8 }, 'wasm', 2, 1, 1, 1024 + 2 * 48],
  );
  t.same(
    p.steps.map((s) => s.msPerWorker),
    [
      [4, 5],
      [0, 1],
      [3, 0],
    ],
  );
  t.same(
    p.steps.map((s) => s.ms),
    [5, 1, 3],
  );
  t.same(
    p.steps.map((s) => s.phase),
    [0, 0, 1],
  );
  t.same(
    p.steps.map((s) => s.waitMs),
    [2.75, 0, 0],
    'told of the longest step before the barrier',
  );
  t.same([p.steps[0]!.gflops, p.steps[0]!.gbps], [8e6 / 5 / 1e6, 2e6 / 5 / 1e6]);
  t.same(
    [p.steps[1]!.flops, p.steps[1]!.gflops, p.steps[1]!.schedule],
    [null, null, null],
    'what the plan does not say',
  );
  t.same(
    p.steps.map((s) => s.share),
    [9 / 13, 1 / 13, 3 / 13],
  );

  const { totals } = p;
  t.equal(totals.kernelMs, 13);
  // Walk from 2 to 11.5 ms: worker 0 ends at 2 + 9.5, worker 1 at 2.25 + 6.25.
  t.equal(totals.walkMs, 9.5);
  t.equal(totals.synchronisationMs, 0.25 + 2 * 0.25, 'the late start, and the barrier when all have come');
  t.equal(totals.imbalanceMs, 2.25 + 3, 'at the barrier and at the end');
  t.equal(totals.lostShare, 6 / 19);
  t.equal(2 * totals.walkMs, totals.kernelMs + totals.imbalanceMs + totals.synchronisationMs);
  t.equal(totals.wallMs, 14);
  t.equal(totals.copyMs, 2);
  t.equal(totals.wakeMs, 12 - 9.5);
});

t.test(
  'pieces that a worker takes from another are times of their step, on the worker that ran them',
  async (t) => {
    const shared: PlanManifest = {
      ...manifest,
      schedules: [
        {
          workers: 2,
          lists: [
            [
              { do: 'run', step: 0, begin: 0, end: 4, shared: 1 },
              { do: 'barrier' },
              { do: 'run', step: 2, begin: 0, end: 4 },
            ],
            [{ do: 'run', step: 1, begin: 0, end: 1 }, { do: 'barrier' }],
          ],
        },
      ],
    };
    const walk = makeWalk(shared, 2);
    const own = {
      ...run(1),
      workers: [
        // Pieces 0 (two units) and 2, the barrier behind the offer, and the conv after it.
        tableOf(4000, 2002, [4, 2, 1, 3], 1, [-1, -3, 1, 2]),
        // The sum, piece 1, the barrier.
        tableOf(6000, 2.25, [3, 3, 0.75], 1, [0, -2, 2]),
      ],
    };
    const { steps, totals, trace } = summarise('train', {}, shared, { walk, machine, runs: [own] });
    t.same(steps.map((s) => s.msPerWorker), [[6, 3], [0, 3], [3, 0]]); // biome-ignore format: lists
    t.same(steps.map((s) => s.predictedMs), [4 + 3, null, 4 + 1], 'by its owner, piece by piece'); // biome-ignore format: lists
    t.equal(totals.kernelMs, 15);
    const units = trace()
      .traceEvents.filter((e) => e.cat === 'kernel')
      .map((e) => e.args['units']);
    t.same(units, ['[0, 2) of 4', '[3, 4) of 4', '[0, 4) of 4', '[0, 1) of 1', '[2, 3) of 4']);
  },
);

t.test('the runs in the middle count; the fastest is kept beside', async (t) => {
  const p = summarise('train', {}, manifest, { walk, machine, runs: [run(1), run(4), run(2)] });
  t.equal(p.steps[0]!.ms, 10);
  t.equal(p.steps[0]!.bestMs, 5);
  t.equal(p.totals.kernelMs, 26);
  const calls = p.trace().traceEvents.filter((e) => e.cat === 'kernel');
  t.equal(calls[0]!.dur, 8000, 'the trace shows the run in the middle');
});

t.test('the trace: a row per worker, spans without gaps, on one clock', async (t) => {
  const { traceEvents } = summarise('train', {}, manifest, { walk, machine, runs: [run(1)] }).trace();
  t.same(
    traceEvents.filter((e) => e.ph === 'M').map((e) => [e.tid, e.args['name']]),
    [
      [0, 'caller'],
      [1, 'worker 0'],
      [2, 'worker 1'],
    ],
  );
  t.same(
    traceEvents.filter((e) => e.ph === 'X').map((e) => [e.tid, e.name, e.ts, e.dur]),
    [
      [0, 'copy inputs in', 0, 1000],
      [0, 'run train', 1000, 12000],
      [0, 'copy outputs out', 13000, 1000],
      [1, 's0/conv', 2000, 4000],
      [1, 'barrier 0', 6000, 2500],
      [1, 's1/conv', 8500, 3000],
      [2, 's0/conv', 2250, 5000],
      [2, 's0/sum', 7250, 1000],
      [2, 'barrier 0', 8250, 250],
    ],
  );
  t.equal(traceEvents.find((e) => e.tid === 2 && e.ph === 'X')!.args['units'], '[2, 4) of 4');
});

t.test('a clock that contradicts the order of events is moved until it does not', async (t) => {
  const wrong = run(1);
  // Worker 1 would leave the barrier 3 ms before worker 0 arrived.
  wrong.workers[1]![0]! -= 5.5;
  const { steps, totals } = summarise('train', {}, manifest, { walk, machine, runs: [wrong] });
  t.same(
    steps.map((s) => s.msPerWorker),
    [[4, 5], [0, 1], [3, 0]],
    'durations are what they were',
  ); // biome-ignore format: a table
  t.equal(2 * totals.walkMs, totals.kernelMs + totals.imbalanceMs + totals.synchronisationMs);
  const events = summarise('train', {}, manifest, { walk, machine, runs: [wrong] }).trace().traceEvents;
  const waits = events.filter((e) => e.cat === 'wait');
  t.ok(waits[1]!.ts + waits[1]!.dur >= waits[0]!.ts, 'nobody leaves before all have come');
  t.ok(events.every((e) => e.ph === 'M' || e.tid === 0 || (e.ts >= 1000 && e.ts + e.dur <= 13000)));
});

t.test('as a table: longest steps first, the rest in one line, where the time goes', async (t) => {
  const p = summarise('train', { batch: 8 }, manifest, { walk, machine, runs: [run(1)] });
  t.equal(
    `\n${formatProfile(p, { top: 2, schedules: true, kernels: true })}\n`,
    `
train(batch=8): 3 steps, 1 barrier on 2 workers; means of the middle 1 of 1 run
       ms predicted   share  GFLOP/s     GB/s    wait ms  units step
    5.000     3.000  69.2 %      1.6      0.4      2.750      4 s0/conv
            tile 4×8
    3.000     5.000  23.1 %      2.7      0.7      0.000      4 s1/conv
            tile 4×8
    1.000     0.000   7.7 %                        0.000        1 more
wall 14.0 ms = walk 9.500 + waking 2.500 + copying 2.000
workers 19.0 ms = kernels 13.0 + imbalance 5.250 + synchronisation 0.750 (lost 31.6 %)
predicted walk 9.500 ms; median error of a step 53.3 %, weighted by time 40.0 %
       ms predicted     steps kernel
    8.000     8.000         2 conv
    1.000         –         1 sum
`,
  );
});

t.test('what was predicted stands beside what was measured', async (t) => {
  const p = summarise('train', {}, manifest, { walk, machine, runs: [run(1)] });
  t.same(
    p.steps.map((s) => s.predictedMs),
    [3, null, 5],
    'half of the units and a call; nothing is known of the sum; all units and a call',
  );
  t.same(
    p.prediction,
    { walkMs: 4 + 0.5 + 5, medianError: (2 / 5 + 2 / 3) / 2, medianErrorByTime: 2 / 5 },
    'a call of the sum counts; the step of 5 ms weighs more than that of 3',
  );
});

const net = (options: { target: 'wasm' | 'js' | 'reference'; threads: number }) => {
  const w = variable('w', [16, 8], initializers.heNormal());
  const train = entry({ x: tensor(['n', 16]), y: tensor(['n', 8]) }, ({ x, y }, ctx) => {
    const loss = mean(square(sub(relu(matmul(x, w)), y)));
    ctx.assign(w, sub(w, mul(0.1, grad(loss, [w])[0])));
    return { loss, sum: add(loss, 1) };
  });
  return program({ train }, options);
};
const feeds = (n: number) => ({
  x: Float32Array.from({ length: n * 16 }, (_, i) => Math.sin(i)),
  y: Float32Array.from({ length: n * 8 }, (_, i) => Math.cos(i)),
});

for (const target of ['wasm', 'js'] as const) {
  for (const threads of [1, 2]) {
    t.test(`${target}, ${threads} threads: a profile tells of its plan and changes nothing`, async (t) => {
      const p = net({ target, threads });
      const before = (await p.run('train', feeds(32))).loss.data[0]!;
      const w = p.get('w').data;
      const profile = await p.profile('train', feeds(32), { runs: 3, warmUp: 1 });
      t.same(p.get('w').data, w, 'variables are as before');
      checkProfile(t, profile, threads);
      t.equal(profile.target, target);
      const next = await p.run('train', feeds(32));
      t.ok(next.loss.data[0]! < before, 'the next run goes on, without taking times');
      await p.dispose();

      const other = net({ target, threads });
      await other.run('train', feeds(32));
      t.same(
        (await other.run('train', feeds(32))).loss,
        next.loss,
        'with the same bits as without a profile',
      );
      await other.dispose();
    });
  }
}

function checkProfile(t: Test, profile: Profile, threads: number): void {
  const { steps, totals } = profile;
  t.same([profile.entry, profile.dims, profile.runs], ['train', { n: 32 }, 3]);
  t.ok(profile.workers >= 1 && profile.workers <= threads);
  t.ok(
    steps.every((s) => s.msPerWorker.length === profile.workers && s.ms >= 0 && s.bestMs <= s.ms),
    'times of each worker',
  );
  const flops = steps.reduce((n, s) => n + s.flops!, 0);
  t.ok(flops >= 2 * 2 * 32 * 16 * 8, `${flops} operations: two products at least`);
  t.ok(
    steps.every((s) => s.bytes! > 0 && s.schedule !== null && s.schedule !== ''),
    'work and schedule of each step',
  );
  t.ok(totals.wallMs >= totals.walkMs && totals.lostShare >= 0 && totals.lostShare <= 1);
  const spans = profile.trace().traceEvents.filter((e) => e.cat === 'kernel');
  t.same([...new Set(spans.map((e) => e.args['step']))].length, steps.length, 'every step is in the trace');
  t.match(formatProfile(profile), /^train\(n=32\): \d+ steps/);
  t.same(JSON.parse(JSON.stringify(profile)).totals, totals, 'plain data');
}

t.test('what cannot be profiled says so', async (t) => {
  const interpreted = net({ target: 'reference', threads: 1 });
  await t.rejects(interpreted.profile('train', feeds(2)), {
    code: 'HDL0017',
    parts: {
      what: "profile of 'train'",
      rule: "target 'reference' interprets the graph: there are no kernels to time",
      hint: "profile it with target 'wasm' or 'js'",
    },
  });
  const p = net({ target: 'js', threads: 1 });
  await t.rejects(p.profile('train', feeds(2), { runs: 0 }), {
    code: 'HDL1001',
    parts: {
      what: 'a profile cannot have 0 runs after 5 to warm up',
      rule: 'runs is an integer of at least 1, warmUp one of at least 0',
      hint: 'leave them out for 20 runs after 5',
    },
  });
  await p.dispose();
  await t.rejects(p.profile('train', feeds(2)), { code: 'HDL1002' });
});

t.test('parts add up to the whole, also where runs differ', async (t) => {
  const runs = [1, 4, 2, 1.5, 9, 1.25, 3, 2.5].map(run);
  // One worker is slower in some runs, so that medians of parts would not add up.
  runs.forEach(({ workers }, i) => {
    const [first] = workers;
    if (i % 2) for (let entry = 0; entry < entryCount(first!); entry++) first![tableHead + entry]! += i / 8;
  });
  const p = summarise('train', {}, manifest, { walk, machine, runs });
  const { wallMs, walkMs, wakeMs, copyMs, kernelMs, imbalanceMs, synchronisationMs } = p.totals;
  const isNear = (a: number, b: number) => Math.abs(a - b) < 1e-9;
  t.equal(p.averaged, 4);
  t.ok(isNear(wallMs, walkMs + wakeMs + copyMs));
  t.ok(isNear(2 * walkMs, kernelMs + imbalanceMs + synchronisationMs));
  t.ok(
    isNear(
      kernelMs,
      p.steps.flatMap((s) => s.msPerWorker).reduce((a, b) => a + b),
    ),
    'the table is all kernels',
  );
});

t.test('rates stand beside the ceilings of the cores that took part', async (t) => {
  // 8 MFLOP at 2 · 1 GFLOP/s are 4 ms of the 5 that it took; on one core 8 ms of 3: it came from a nearer cache.
  const ceilings = { gflops: 1, gbps: 100 };
  const p = summarise('train', { batch: 8 }, manifest, { walk, machine, runs: [run(1)] }, ceilings);
  t.same(
    p.steps.map((s) => [s.ofCeiling, s.boundBy]),
    [
      [4 / 5, 'arithmetic'],
      [null, null],
      [8 / 3, 'arithmetic'],
    ],
  );
  t.same(formatProfile(p, { top: 1 }).split('\n').slice(1, 4), [
    '       ms predicted   share  GFLOP/s     GB/s ÷ ceiling    wait ms  units step',
    '    5.000     3.000  69.2 %      1.6      0.4    0.80 a      2.750      4 s0/conv',
    '    4.000     5.000  30.8 %                                  0.000        2 more',
  ]);
  t.match(
    formatProfile(p),
    /ceilings of a core 1\.0 GFLOP\/s, 100\.0 GB\/s; on 2 workers the walk reaches 126\.3 % of them$/,
  );
});

t.test('ceilings are measured when they are asked for', async (t) => {
  const p = net({ target: 'wasm', threads: 1 });
  const { ceilings, steps } = await p.profile('train', feeds(32), { runs: 1, warmUp: 0, ceilings: true });
  t.ok(ceilings!.gflops > 0 && ceilings!.gbps > 0);
  t.ok(steps.every((s) => s.ofCeiling !== null && s.ofCeiling > 0));
  const again = await p.profile('train', feeds(32), { runs: 1, warmUp: 0, ceilings: ceilings! });
  t.equal(again.ceilings, ceilings, 'what was measured before is taken as it is');
  await p.dispose();
});

t.test('the trace is what Perfetto and chrome://tracing read', async (t) => {
  const p = net({ target: 'wasm', threads: 2 });
  const trace = JSON.parse(JSON.stringify((await p.profile('train', feeds(32), { runs: 3 })).trace()));
  t.same(Object.keys(trace).sort(), ['displayTimeUnit', 'traceEvents']);
  for (const e of trace.traceEvents) {
    const isWhole =
      typeof e.name === 'string' &&
      ['X', 'M'].includes(e.ph) &&
      [e.ts, e.dur, e.pid, e.tid].every(
        (v: unknown) => typeof v === 'number' && Number.isFinite(v) && v >= 0,
      );
    if (!isWhole) t.fail(`an event is odd: ${JSON.stringify(e)}`);
  }
  const rows = new Map<number, { ts: number; dur: number }[]>();
  for (const e of trace.traceEvents.filter((e: { ph: string }) => e.ph === 'X')) {
    rows.set(e.tid, [...(rows.get(e.tid) ?? []), e]);
  }
  t.ok(rows.size >= 2);
  for (const [tid, events] of rows) {
    const sorted = [...events].sort((a, b) => a.ts - b.ts);
    const overlaps = sorted.slice(1).filter((e, i) => e.ts < sorted[i]!.ts + sorted[i]!.dur - 1e-3);
    t.same(overlaps, [], `row ${tid}: one thing at a time`);
  }
  await p.dispose();
});
