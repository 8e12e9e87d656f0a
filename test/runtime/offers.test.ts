// Given a range that is shared, when its owner is slow, then the others run the rest of it, each unit once, round after round; and
// an error in a piece names the step. The owner is as slow as can be: its first piece ends when all others are done.

import t from 'tap';
import { Executor } from '../../runtime/executor.ts';
import type { Plan, PlanSchedule, ScheduleItem } from '../../runtime/plan.ts';
import { arena, makePlan, variable } from './plans.ts';

const units = 12;
const rounds = 30;
const outAt = 0;
const ranAt = 4 * units;
const variableBytes = 4;

/** Unit u writes u + 1 and counts itself. Unit 0 waits until the others have: for 20 s, after which it writes 0. */
const waiting = `const out = u32[args / 4] / 4;
const ran = u32[args / 4 + 1] / 4;
for (let u = begin; u < end; u++) {
  i32[out + u] = u + 1;
  if (u === 0) {
    const until = performance.now() + 20000;
    while (Atomics.load(i32, ran) % ${units} !== ${units - 1}) {
      if (performance.now() > until) { i32[out] = 0; break; }
    }
  }
  Atomics.add(i32, ran, 1);
}`;

/** Worker 0 owns all units of the step in the middle, and has none of the others; between the steps all meet. */
async function planOf(js: string, workers: number): Promise<Plan> {
  const read = { access: 'read', bytes: variableBytes } as const;
  const write = (bytes: number) => ({ access: 'write', bytes }) as const;
  const plan = await makePlan('js', {
    arenaBytes: ranAt + 16,
    outputs: [{ name: 'out', dtype: 'i32', shape: [units], order: [0], location: arena(outAt) }],
    variables: [{ name: 'v', dtype: 'i32', shape: [1], order: [0], trainable: false, updated: true }],
    kernels: [
      { name: 'work', params: [write(4 * units), write(4)], js },
      {
        name: 'count',
        params: [read, write(variableBytes)],
        js: 'i32[u32[args / 4 + 1] / 4] = i32[u32[args / 4] / 4] + 1;',
      },
      {
        name: 'clear',
        params: [write(ranAt + 4)],
        js: `i32.fill(0, u32[args / 4] / 4, u32[args / 4] / 4 + ${units + 1});`,
      },
    ],
    steps: [
      { label: 'clear', kernel: 2, units: 1, args: [arena(0)] },
      { label: 'the shared step', kernel: 0, units, args: [arena(outAt), arena(ranAt)] },
      { label: 'count', kernel: 1, units: workers, args: [variable(0, 'current'), variable(0, 'next')] },
    ],
  });
  const one = (step: number, begin: number): ScheduleItem => ({ do: 'run', step, begin, end: begin + 1 });
  const schedule: PlanSchedule = {
    workers,
    lists: Array.from({ length: workers }, (_, worker): ScheduleItem[] => [
      ...(worker === 0 ? [one(0, 0)] : []),
      { do: 'barrier' },
      ...(worker === 0 ? [{ do: 'run', step: 1, begin: 0, end: units, shared: 1 } as const] : []),
      { do: 'barrier' },
      one(2, worker),
    ]),
  };
  return { ...plan, manifest: { ...plan.manifest, schedules: [schedule] } };
}

for (const threads of [2, 3]) {
  t.test(`${threads} threads: what a slow worker leaves, others run`, async (t) => {
    // Its first piece would be a third of the range: cut so that it is the unit that waits.
    const plan = await planOf(waiting, threads);
    const lists = plan.manifest.schedules[0]!.lists.map((list) =>
      list.flatMap((item): ScheduleItem[] =>
        item.do === 'run' && item.shared !== undefined
          ? [
              { ...item, end: 1 },
              { ...item, begin: 1 },
            ]
          : [item],
      ),
    );
    const executor = await Executor.create({ threads });
    const loaded = await executor.load({
      ...plan,
      manifest: { ...plan.manifest, schedules: [{ workers: threads, lists }] },
    });
    const feed = { kind: 'constant', inputs: {} } as const;
    const { outputs } = await executor.runSteps(loaded, { steps: rounds, feed, keep: 'each' });
    const wanted = Array.from({ length: units }, (_, u) => u + 1);
    t.same([...outputs['out']!.data], Array.from({ length: rounds }, () => wanted).flat());
    t.same([...executor.get('v').data], [rounds]);
    await executor.dispose();
  });

  for (const [what, kernel, reason] of [
    ['an error', 'throw new Error("piece")', /Error: piece/],
    ['the death of a worker', 'self.close(); for (;;);', /the worker /],
  ] as const) {
    t.test(`${threads} threads: ${what} in a piece names its step, and ends the run of all`, async (t) => {
      const executor = await Executor.create({ threads });
      const failing = `for (let u = begin; u < end; u++) if (u === ${units - 1}) { ${kernel} }`;
      const loaded = await executor.load(await planOf(failing, threads));
      const error = await executor.run(loaded, {}).catch((e: Error) => e);
      t.match((error as Error).message, /step 'the shared step' of 'train' failed in worker \d of \d: /);
      t.match((error as Error).message, reason);
      t.same([...executor.get('v').data], [0], 'nothing is committed');
      const healthy = await executor.load(await planOf('', threads));
      await executor.run(healthy, {});
      t.same([...executor.get('v').data], [1], 'the next run works');
      await executor.dispose();
    });
  }
}
