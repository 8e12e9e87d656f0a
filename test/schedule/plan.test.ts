// Given a lowered program, when it is scheduled, then the plan is proved safe by the checker, the same each time, and
// as small as it can be; and it prints and reads back.

import fc from 'fast-check';
import t from 'tap';
import { checkPlan } from '../../compiler/schedule/check.ts';
import { dependencesOf } from '../../compiler/schedule/dependences.ts';
import { manifestFromJson, manifestToJson } from '../../compiler/schedule/manifest.ts';
import { orderSteps } from '../../compiler/schedule/order.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import { printPlan } from '../../compiler/schedule/print.ts';
import {
  elementwiseKernel,
  kernelCache,
  ProgramBuilder,
  testTarget,
  transposeKernel,
} from '../support/kernels.ts';
import { programArbitrary } from '../support/programs.ts';

const seed = 20240614;
const options = { target: testTarget, targetKind: 'js', workers: [1, 2, 3, 8] } as const;

t.test('random programs: plans are safe, equal each time, and read back equal', async (t) => {
  const ratios: number[] = [];
  let barriers = 0;
  let steps = 0;
  fc.assert(
    fc.property(programArbitrary, (program) => {
      for (const workers of [[1], [1, 2, 3, 8]]) {
        const scheduled = scheduleProgram(program, { ...options, workers });
        checkPlan(scheduled, scheduled.lowered, program);
        if (scheduled.lowerBound > 0) ratios.push(scheduled.manifest.arenaBytes / scheduled.lowerBound);
        const again = scheduleProgram(program, { ...options, workers });
        if (manifestToJson(again.manifest) !== manifestToJson(scheduled.manifest)) throw new Error('differs');
        const back = manifestFromJson(manifestToJson(scheduled.manifest));
        if (JSON.stringify(back) !== JSON.stringify(scheduled.manifest))
          throw new Error('does not read back');
        barriers += scheduled.manifest.schedules.at(-1)!.lists[0]!.filter((x) => x.do === 'barrier').length;
        steps += program.steps.length;
      }
    }),
    { seed, numRuns: 60 },
  );
  ratios.sort((a, b) => a - b);
  t.comment(
    `arena / lower bound: median ${ratios[ratios.length >> 1]}, worst ${ratios.at(-1)} (seed ${seed})`,
  );
  t.comment(`${barriers} barriers for ${steps} steps`);
  t.ok(ratios.at(-1)! < 1.1, 'the arena is hardly larger than what lives at once');
});

t.test('program order or better: never more live memory than in the order that came in', async (t) => {
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const order = orderSteps(program, dependencesOf(program));
      const position = new Map(order.map((s, at) => [s, at]));
      const isPermutation = position.size === program.steps.length;
      const { before } = dependencesOf(program);
      return (
        isPermutation && before.every((list, j) => list.every((i) => position.get(i)! < position.get(j)!))
      );
    }),
    { seed, numRuns: 100 },
  );
  t.pass(`orders are valid permutations (seed ${seed})`);
});

t.test('barriers stand only where large steps exchange something', async (t) => {
  const chain = (flops: number, isTurned: boolean): number => {
    const b = new ProgramBuilder();
    const transpose = transposeKernel(16, 16);
    const turn = { ...transpose, cost: { ...transpose.cost, flops: 256 * flops } };
    const kernel = isTurned ? turn : elementwiseKernel(1, 256, { flops });
    let value = b.input('x', 256);
    for (let i = 0; i < 5; i++) value = b.call(kernel, [value], `v${i}`);
    b.output('y', value);
    const { manifest, lowered } = scheduleProgram(b.finish(), { ...options, workers: [2] });
    checkPlan({ manifest }, lowered);
    return manifest.schedules[0]!.lists[0]!.filter((item) => item.do === 'barrier').length;
  };
  t.equal(chain(1, true), 0, 'one worker does a chain of small steps');
  t.equal(chain(10_000, true), 4);
  t.equal(chain(10_000, false), 0, 'each worker goes on with what it wrote');
});

t.test('independent steps share a phase, and the phase is balanced', async (t) => {
  const b = new ProgramBuilder();
  const heavy = elementwiseKernel(1, 256, { flops: 10_000 }); // 4 units
  const lighter = elementwiseKernel(1, 192, { flops: 10_000 }); // 3 units of the same cost
  const x = b.input('x', 256);
  const y = b.input('y', 192);
  b.output('a', b.call(heavy, [x], 'a'));
  b.output('b', b.call(lighter, [y], 'b'));
  b.output('c', b.call(lighter, [y], 'c'));
  // At once they need more memory than one after another: y then stays until both have read it.
  const { manifest } = scheduleProgram(b.finish(), { ...options, workers: [2, 5], budget: 1e6 });
  const units = manifest.schedules.map(({ lists }) =>
    lists.map((list) => list.reduce((n, item) => n + (item.do === 'run' ? item.end - item.begin : 100), 0)),
  );
  t.same(units, [
    [5, 5],
    [2, 2, 2, 2, 2],
  ]);
});

t.test('constants: equal contents once, aligned, in the order of their buffer', async (t) => {
  const b = new ProgramBuilder();
  const kernel = elementwiseKernel(3, 4);
  const reads = [
    b.constant('a', [1, 2, 3, 4]),
    b.constant('b', [5, 6, 7, 8]),
    b.constant('a again', [1, 2, 3, 4]),
  ];
  b.output('y', b.call(kernel, reads, 'y'));
  const { manifest, constants } = scheduleProgram(b.finish(), options);
  t.same(manifest.steps[0]!.args.slice(0, 3), [
    { space: 'constant', offset: 0 },
    { space: 'constant', offset: 64 },
    { space: 'constant', offset: 0 },
  ]);
  t.equal(manifest.constantBytes, 128);
  t.same([...new Float32Array(constants.buffer, 64, 4)], [5, 6, 7, 8]);

  const program = b.finish();
  const turned = {
    ...program,
    buffers: program.buffers.map((x) =>
      x.home.kind === 'constant'
        ? { ...x, type: { dtype: 'f32', shape: [2, 2] } as const, order: [1, 0] }
        : x,
    ),
  };
  const { constants: bytes } = scheduleProgram(turned, options);
  t.same([...new Float32Array(bytes.buffer, 0, 4)], [1, 3, 2, 4], 'columns first');
});

t.test('twenty thousand steps', async (t) => {
  const b = new ProgramBuilder();
  const kernel = kernelCache();
  const variable = b.variable('w', 64);
  let value = b.input('x', 64);
  const kept = [value];
  for (let i = 0; i < 10_000; i++) {
    value = b.call(
      kernel(2, 64, { flops: i % 3 === 0 ? 1000 : 1 }),
      [value, variable.current],
      `forward${i}`,
    );
    kept.push(value);
  }
  for (let i = 0; i < 10_000; i++) {
    const saved = kept[kept.length - 1 - i]!;
    value = b.call(
      kernel(2, 64),
      saved === value ? [value, variable.current] : [value, saved],
      `backward${i}`,
    );
  }
  b.call(kernel(2, 64), [value, variable.current], variable.next);
  const program = b.finish();
  const start = performance.now();
  const { manifest, lowerBound } = scheduleProgram(program, { ...options, workers: [1, 4] });
  const ms = performance.now() - start;
  t.comment(`${ms.toFixed(0)} ms, arena / lower bound ${manifest.arenaBytes / lowerBound}`);
  t.ok(manifest.arenaBytes <= 1.05 * lowerBound);
});

t.test('the dump', async (t) => {
  const b = new ProgramBuilder();
  const kernel = elementwiseKernel(1, 256, { flops: 1000 });
  const h = b.call(kernel, [b.input('x', 256)], 'h');
  b.output('y', b.call(kernel, [h], 'y'));
  const { manifest, lowered } = scheduleProgram(b.finish(), { ...options, workers: [2] });
  t.equal(
    printPlan({ manifest }, lowered),
    `plan test for js (simd128)
  arena 1024 B (lower bound 1024 B), constants 0 B, 2 steps, 1 kernels
inputs
  x: f32[256] arena 0
outputs
  y: f32[256] arena 0
steps
  0: make h
      kernel add1_256_1000, elementwise over 256
      ← x: f32[256] @ arena 0
      → h: f32[256] @ arena 0
  1: make y
      kernel add1_256_1000, elementwise over 256
      ← h: f32[256] @ arena 0
      → y: f32[256] @ arena 0
schedule for 2 workers, 0 barriers
  phase 0  worker 0: 0 [0, 2), 1 [0, 2)  |  worker 1: 0 [2, 4), 1 [2, 4)  (8.7, 8.7 µs)
  predicted 8.7 µs beside barriers; workers wait 0.0, 0.0 µs
memory
  offset  bytes   from      to  buffer
       0   1024  input       0  x
       0   1024      0       1  h
       0   1024      1  output  y
`,
  );
});

t.test('what is no manifest, and workers that are no counts', async (t) => {
  t.throws(() => manifestFromJson('{'), { code: 'HDL0006' });
  t.throws(() => manifestFromJson('{"format": 99}'), { code: 'HDL0006' });
  const b = new ProgramBuilder();
  b.output('y', b.call(elementwiseKernel(1, 4), [b.input('x', 4)], 'y'));
  t.throws(() => scheduleProgram(b.finish(), { ...options, workers: [0] }), { code: 'HDL0003' });
});
