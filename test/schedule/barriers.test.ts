// Given schedules of random programs, when every access of every unit is listed, then no two workers touch the same byte
// between two barriers unless both read it; and there are no more barriers than that takes in small cases.

import fc from 'fast-check';
import t from 'tap';
import { checkPlan } from '../../compiler/schedule/check.ts';
import { defaultMachine } from '../../compiler/schedule/cost.ts';
import { enumerate } from '../../compiler/schedule/enumerate.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { mergeBarriers } from '../../compiler/schedule/merge-barriers.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import { planText } from '../../compiler/schedule/plan-text.ts';
import { traceOf } from '../../compiler/schedule/trace.ts';
import type { BarrierItem, PlanManifest, RunItem, ScheduleItem } from '../../runtime/plan.ts';
import { elementwiseKernel, ProgramBuilder, testTarget, transposeKernel } from '../support/kernels.ts';
import { programArbitrary } from '../support/programs.ts';

const seed = 20240720;
const bytes = new Uint8Array();
const options = {
  target: { ...testTarget, machine: { ...defaultMachine, wakeNs: 1 } },
  targetKind: 'js',
  workers: [1, 2, 3],
} as const;

/** Words that an item touches, with whether it writes them, and the unit. All buffers hold words. */
function wordsOf(item: ScheduleItem, m: PlanManifest, lowered: Lowered): [string, boolean, number][] {
  if (item.do !== 'run') return [];
  const { kernel } = lowered.steps[item.step]!;
  const found: [string, boolean, number][] = [];
  enumerate(traceOf(kernel), kernel.unit, 1e7, (access, element, unit) => {
    if (unit < item.begin || unit >= item.end) return;
    const place = m.steps[item.step]!.args[access.param]!;
    if (place.space === 'constant' || place.space === 'flags') return;
    const word = place.space === 'arena' ? place.offset / 4 + element : element;
    found.push([
      `${place.space === 'arena' ? '' : `${place.variable} ${place.bank} `}${word}`,
      access.kind === 'store',
      unit,
    ]);
  });
  return found;
}

/** Who touched a word: a worker at a time of its own, or a shared unit, which anyone may run, somewhen in its phase. */
interface Touch {
  readonly worker: number;
  readonly time: number;
  readonly unit: string | null;
  readonly isWrite: boolean;
}

/**
 * Barriers, point-to-point ones among them, shared ranges, and the words over which two race: each is followed from touch to
 * touch, and every worker knows up to when it has heard of each other one.
 */
function races(m: PlanManifest, lowered: Lowered, workers: number) {
  const { lists } = m.schedules.find((s) => s.workers === workers)!;
  const at = lists.map(() => 0);
  let heard = lists.map(() => lists.map(() => 0));
  let [time, barriers, single, shared] = [0, 0, 0, 0];
  const touches = new Map<string, Touch[]>();
  const racing = new Set<string>();
  for (;;) {
    time++;
    lists.forEach((list, worker) => {
      for (; at[worker]! < list.length && list[at[worker]!]!.do === 'run'; at[worker]!++) {
        const item = list[at[worker]!]! as RunItem;
        if (item.shared !== undefined) shared++;
        for (const [word, isWrite, u] of wordsOf(item, m, lowered)) {
          const unit = item.shared === undefined ? null : `${item.step} ${u}`;
          const before = touches.get(word) ?? [];
          const isOrdered = (x: Touch): boolean =>
            heard[worker]![x.worker]! >= x.time ||
            (x.unit === null && unit === null ? x.worker === worker : x.unit === unit && x.time === time);
          if (before.some((x) => (x.isWrite || isWrite) && !isOrdered(x))) racing.add(word);
          touches.set(word, [...before, { worker, time, unit, isWrite }]);
        }
      }
    });
    if (lists.every((list, w) => at[w]! >= list.length))
      return { barriers, single, shared, races: racing.size };
    barriers++;
    const before = heard;
    const waits = lists.map((list, w) => list[at[w]!++]! as BarrierItem);
    heard = waits.map(({ after }, w) =>
      lists.map((_, v) => {
        if (after === undefined || after.includes(v)) return time;
        return Math.max(before[w]![v]!, ...after.map((u) => before[u]![v]!));
      }),
    );
    if (waits[0]!.after !== undefined) single++;
  }
}

t.test('between two barriers workers touch words of their own', async (t) => {
  let [barriers, single, shared] = [0, 0, 0];
  // Where a call costs next to nothing, small ranges are shared too.
  const eager = { ...options.target.machine, callNs: 0.01 };
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const { manifest, lowered } = scheduleProgram(program, { ...options, machine: eager });
      for (const workers of options.workers) {
        const found = races(manifest, lowered, workers);
        if (found.races > 0) throw new Error(`${found.races} races of ${workers} workers`);
        barriers += found.barriers;
        single += found.single;
        shared += found.shared;
      }
    }),
    { seed, numRuns: 40 },
  );
  t.ok(barriers > 40, `${barriers} barriers (seed ${seed})`);
  t.ok(single > 20, `${single} barriers at which not all wait (seed ${seed})`);
  t.ok(shared > 40, `${shared} shared ranges (seed ${seed})`);
});

t.test('who needs nothing of the others goes on', async (t) => {
  // One worker does a small step alone, then all need it: only the others wait.
  const b = new ProgramBuilder();
  const wide = elementwiseKernel(1, 1024, { flops: 200_000 });
  const a = b.call(wide, [b.input('x', 1024)], 'a');
  const turn = transposeKernel(32, 32);
  const small = b.call({ ...turn, cost: { ...turn.cost, flops: 10 } }, [a], 'small');
  const turned = b.call({ ...turn, cost: { ...turn.cost, flops: 400_000 } }, [small], 'turned');
  b.output('y', turned);
  const machine = { ...defaultMachine, wakeNs: 1, barrierNs: 1, callNs: 1e6 };
  const program = b.finish();
  const { manifest, lowered } = scheduleProgram(program, { ...options, workers: [2, 3], machine });
  checkPlan({ manifest }, lowered, program);
  const meetings = (list: readonly ScheduleItem[]) =>
    list.flatMap((item) => (item.do === 'barrier' ? [item.after ?? 'all'] : []));
  t.same(manifest.schedules[0]!.lists.map(meetings), [[[1], []], [[], [0]]]); // biome-ignore format: lists
  t.same(manifest.schedules[1]!.lists.map(meetings), [[[1, 2], []], [[], [0]], [[], [0]]]); // biome-ignore format: lists
});

t.test('who is waited for has waited for others: nobody waits for those as well', async (t) => {
  // A chain of small steps over three workers: 0 writes, 1 turns what 0 wrote, 2 reads both.
  const b = new ProgramBuilder();
  const kernel = elementwiseKernel(2, 64);
  const whole = (step: number): RunItem => ({ do: 'run', step, begin: 0, end: kernel.unit.extent });
  const lists: ScheduleItem[][] = [
    [whole(0), { do: 'barrier' }, { do: 'barrier' }],
    [{ do: 'barrier' }, whole(1), { do: 'barrier' }],
    [{ do: 'barrier' }, { do: 'barrier' }, whole(2)],
  ];
  const x = b.input('x', 64);
  const a = b.call(kernel, [x, x], 'a');
  const c = b.call(kernel, [a, x], 'c');
  b.output('y', b.call(kernel, [a, c], 'y'));
  const { manifest, lowered } = scheduleProgram(b.finish(), { ...options, workers: [1] });
  const steps = lowered.steps.map((s, i) => ({ kernel: s.kernel, args: manifest.steps[i]!.args }));
  const phases = {
    of: Int32Array.of(0, 1, 2),
    group: Int32Array.of(0, 1, 2),
    phases: [0, 1, 2].map((begin) => ({ begin, end: begin + 1, isSequential: false })),
  };
  const [merged] = mergeBarriers([{ workers: 3, lists }], {
    steps,
    phases,
    // Where calls are dear, no range is long enough for all to meet around it.
    machine: { ...defaultMachine, callNs: 1e6 },
  });
  const waits = merged!.lists.map((list) => list.flatMap((x) => (x.do === 'barrier' ? [x.after] : [])));
  t.same(waits, [[[], []], [[0], []], [[], [1]]]); // biome-ignore format: lists
  const text = planText({ manifest: { ...manifest, schedules: [merged!] }, code: bytes, constants: bytes });
  t.match(
    text,
    /worker 0: 0, signal, signal\n\s*worker 1: wait 0, 1, signal\n\s*worker 2: signal, wait 1, 2/,
  );
  t.doesNotThrow(() => checkPlan({ manifest: { ...manifest, schedules: [merged!] } }, lowered));
});

t.test('small steps that do not depend on each other run on different workers, whole', async (t) => {
  const b = new ProgramBuilder();
  const kernel = elementwiseKernel(1, 256, { flops: 200 });
  for (const name of ['a', 'b']) b.output(name, b.call(kernel, [b.input(`x of ${name}`, 256)], name));
  const { manifest } = scheduleProgram(b.finish(), { ...options, workers: [2], budget: 1e6 });
  t.same(manifest.schedules[0]!.lists, [
    [{ do: 'run', step: 0, begin: 0, end: 4 }],
    [{ do: 'run', step: 1, begin: 0, end: 4 }],
  ]);
});

t.test('what is over sooner than the workers could meet is done by one of them', async (t) => {
  const b = new ProgramBuilder();
  const transpose = transposeKernel(16, 16);
  const turn = { ...transpose, cost: { ...transpose.cost, flops: 20_000 } };
  let value = b.input('x', 256);
  for (let i = 0; i < 6; i++) value = b.call(turn, [value], `v${i}`);
  b.output('y', value);
  const program = b.finish();
  const barriersAt = (barrierNs: number): number => {
    const machine = {
      flopsPerNs: 30,
      bytesPerNs: 16,
      nearBytesPerNs: 16,
      callNs: 10,
      barrierNs,
      wakeNs: 100,
    };
    const { manifest } = scheduleProgram(program, { ...options, workers: [2], machine });
    return manifest.schedules[0]!.lists[0]!.filter((item) => item.do === 'barrier').length;
  };
  t.equal(barriersAt(100), 5);
  t.equal(barriersAt(500), 0);
});
