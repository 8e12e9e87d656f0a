// Given schedules of random programs, when every access of every unit is listed, then no two workers touch the same byte
// between two barriers unless both read it; and there are no more barriers than that takes in small cases.

import fc from 'fast-check';
import t from 'tap';
import { defaultMachine } from '../../compiler/schedule/cost.ts';
import { enumerate } from '../../compiler/schedule/enumerate.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import { traceOf } from '../../compiler/schedule/trace.ts';
import type { PlanManifest, RunItem, ScheduleItem } from '../../runtime/plan.ts';
import { elementwiseKernel, ProgramBuilder, testTarget, transposeKernel } from '../support/kernels.ts';
import { programArbitrary } from '../support/programs.ts';

const seed = 20240720;
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

/** Barriers, shared ranges, and the words that two workers exchange without a barrier. */
function races(m: PlanManifest, lowered: Lowered, workers: number) {
  const { lists } = m.schedules.find((s) => s.workers === workers)!;
  const at = lists.map(() => 0);
  let [barriers, count, shared] = [0, 0, 0];
  for (;;) {
    const owner = new Map<string, { who: string; isWrite: boolean; isShared: boolean }>();
    lists.forEach((list, worker) => {
      for (; at[worker]! < list.length && list[at[worker]!]!.do === 'run'; at[worker]!++) {
        const item = list[at[worker]!]! as RunItem;
        if (item.shared !== undefined) shared++;
        for (const [word, isWrite, unit] of wordsOf(item, m, lowered)) {
          // Nobody knows who runs a shared unit, nor when.
          const who = item.shared === undefined ? `${worker}` : `unit ${unit} of ${item.step}`;
          const known = owner.get(word);
          if (!known) owner.set(word, { who, isWrite, isShared: false });
          else {
            known.isShared ||= known.who !== who;
            known.isWrite ||= isWrite;
          }
        }
      }
    });
    for (const { isShared, isWrite } of owner.values()) if (isShared && isWrite) count++;
    if (lists.every((list, w) => at[w]! >= list.length)) return { barriers, shared, races: count };
    barriers++;
    lists.forEach((_, w) => {
      at[w]!++;
    });
  }
}

t.test('between two barriers workers touch words of their own', async (t) => {
  let [barriers, shared] = [0, 0];
  // Where a call costs next to nothing, small ranges are shared too.
  const eager = { ...options.target.machine, callNs: 0.01 };
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const { manifest, lowered } = scheduleProgram(program, { ...options, machine: eager });
      for (const workers of options.workers) {
        const found = races(manifest, lowered, workers);
        if (found.races > 0) throw new Error(`${found.races} races of ${workers} workers`);
        barriers += found.barriers;
        shared += found.shared;
      }
    }),
    { seed, numRuns: 40 },
  );
  t.ok(barriers > 40, `${barriers} barriers (seed ${seed})`);
  t.ok(shared > 40, `${shared} shared ranges (seed ${seed})`);
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
