// Given a correct plan, when one thing in it is broken, then the checker finds it and names the steps and buffers.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { addIndex, constIndex, varIndex } from '../../compiler/kernel/affine.ts';
import { constant } from '../../compiler/kernel/expr.ts';
import type { Kernel, Stmt } from '../../compiler/kernel/ir.ts';
import { matmul } from '../../compiler/ops/contract.ts';
import { gatherAt } from '../../compiler/ops/gather.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { padBy } from '../../compiler/ops/slice.ts';
import { checkPlan } from '../../compiler/schedule/check.ts';
import { examineKernel } from '../../compiler/schedule/check-kernel.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import type { PlanManifest, ScheduleItem } from '../../runtime/plan.ts';
import {
  elementwiseKernel,
  ProgramBuilder,
  rowSumKernel,
  testTarget,
  transposeKernel,
} from '../support/kernels.ts';

const heavy = { flops: 1000 };

/** x → a → b → y and w' = w + a, each step on both workers. */
function example(): { manifest: PlanManifest; lowered: Lowered; program: Lowered } {
  const b = new ProgramBuilder();
  const one = elementwiseKernel(1, 256, heavy);
  const two = elementwiseKernel(2, 256, heavy);
  const w = b.variable('w', 256);
  const x = b.input('x', 256);
  const a = b.call(two, [x, w.current], 'a');
  const sum = b.call(two, [a, x], 'b');
  b.call(two, [w.current, a], w.next);
  b.output('y', b.call(one, [sum], 'y'));
  const program = b.finish();
  const { manifest, lowered } = scheduleProgram(program, {
    target: testTarget,
    targetKind: 'js',
    workers: [2],
  });
  return { manifest, lowered, program };
}

/** x → a → turned → y: each worker of two reads what the other one wrote. */
function crossing(): ReturnType<typeof example> {
  const b = new ProgramBuilder();
  const transpose = transposeKernel(16, 16);
  const turn = { ...transpose, cost: { ...transpose.cost, flops: 256_000 } };
  const a = b.call(turn, [b.input('x', 256)], 'a');
  b.output('y', b.call(turn, [b.call(turn, [a], 'turned')], 'y'));
  const program = b.finish();
  const { manifest, lowered } = scheduleProgram(program, {
    target: testTarget,
    targetKind: 'js',
    workers: [2],
  });
  return { manifest, lowered, program };
}

type Json = { -readonly [K in keyof PlanManifest]: PlanManifest[K] };

/** The message of the checker for the example with one change. */
function messageAfter(change: (m: Json, lists: ScheduleItem[][]) => void, of = example): string {
  const { manifest, lowered } = of();
  const copy = JSON.parse(JSON.stringify(manifest)) as Json;
  change(copy, copy.schedules[0]!.lists as ScheduleItem[][]);
  try {
    checkPlan({ manifest: copy }, lowered);
  } catch (error) {
    return (error as Error).message.split('\n')[0]!;
  }
  return 'no error';
}

function moveBuffer(m: Json, name: string, offset: number): void {
  const { lowered } = example();
  const id = lowered.buffers.find((b) => b.name === name)!.id;
  lowered.steps.forEach((step, s) => {
    step.args.forEach((arg, p) => {
      if (arg === id) (m.steps[s]!.args as unknown[])[p] = { space: 'arena', offset };
    });
  });
  for (const list of [m.inputs, m.outputs]) {
    for (const x of list) if (x.name === name) Object.assign(x, { location: { space: 'arena', offset } });
  }
}

t.test('the plan itself is safe', async (t) => {
  const { manifest, lowered, program } = example();
  t.doesNotThrow(() => checkPlan({ manifest }, lowered, program));
  t.same(
    lowered.steps.map((s) => s.label),
    ['make a', 'make b', 'make w (next)', 'make y'],
  );
  const barriers = (m: PlanManifest): number =>
    m.schedules[0]!.lists[0]!.filter((x) => x.do === 'barrier').length;
  t.equal(barriers(manifest), 0, 'each worker reads only what it wrote itself');
  t.equal(barriers(crossing().manifest), 2);
  const other = crossing();
  t.doesNotThrow(() => checkPlan(other, other.lowered, other.program));
});

t.test('memory', async (t) => {
  const at = (name: string): number => example().manifest.buffers.find((b) => b.name === name)!.offset;
  t.match(
    messageAfter((m) => moveBuffer(m, 'a', at('x'))),
    /buffers 'x' .* and 'a' .* overlap and are both alive at step 0 'make a'/,
  );
  t.match(
    messageAfter((m) => moveBuffer(m, 'a', at('x') + 512)),
    /buffers 'x' .* and 'a' .* overlap/,
  );
  t.match(
    messageAfter((m) => moveBuffer(m, 'b', at('a'))),
    /'a' .* and 'b' .* overlap .* step 1 'make b'/,
  );
  t.match(
    messageAfter((m) => moveBuffer(m, 'a', m.arenaBytes)),
    /buffer 'a' of 1024 bytes lies at arena 2048, the arena has 2048 bytes/,
  );
  t.match(
    messageAfter((m) => {
      (m.steps[0]!.args as unknown[])[2] = { space: 'arena', offset: 64 };
    }),
    /has buffer 'a' at arena 1024, others have it at arena 64/,
  );
  t.match(
    messageAfter((m) => {
      (m.steps[2]!.args as unknown[])[2] = { space: 'variable', variable: 0, bank: 'current' };
    }),
    /step 2 'make w \(next\)' has buffer 'w \(next\)' at variable 0 \(current\)/,
  );
});

t.test('in place where a later unit reads', async (t) => {
  // b[i] = a[i] + x[i] may replace x; a transposed copy may not.
  const b = new ProgramBuilder();
  const x = b.input('x', 64);
  const turned = b.call(transposeKernel(8, 8), [x], 'turned');
  b.output('y', b.call(elementwiseKernel(1, 64), [turned], 'y'));
  const { manifest, lowered } = scheduleProgram(b.finish(), {
    target: testTarget,
    targetKind: 'js',
    workers: [1],
  });
  t.equal(manifest.arenaBytes, 512);
  const copy = JSON.parse(JSON.stringify(manifest)) as Json;
  for (const list of [copy.steps[0]!.args, copy.steps[1]!.args]) {
    for (const location of list) Object.assign(location, { offset: 0 });
  }
  Object.assign(copy.inputs[0]!, { location: { space: 'arena', offset: 0 } });
  Object.assign(copy.outputs[0]!, { location: { space: 'arena', offset: 0 } });
  t.throws(
    () => checkPlan({ manifest: copy }, lowered),
    /'x' .* and 'turned' .* overlap .* step 0 'make turned'/,
  );
});

t.test('barriers and workers', async (t) => {
  const dropBarrier = (list: ScheduleItem[], which: number): void => {
    let count = 0;
    const at = list.findIndex((item) => item.do === 'barrier' && count++ === which);
    list.splice(at, 1);
  };
  for (const which of [0, 1]) {
    t.match(
      messageAfter((_, lists) => {
        for (const list of lists) dropBarrier(list, which);
      }, crossing),
      /with 2 workers nothing orders step \d '.*' .* before step \d '/,
    );
  }
  t.match(
    messageAfter((_, lists) => dropBarrier(lists[1]!, 0), crossing),
    /worker 1 of 2 passes 1 barriers, worker 0 passes 2/,
  );
  t.match(
    messageAfter((_, lists) => {
      // Worker 1 does the first half of what it and its colleague exchange.
      const [a, b] = lists.map((list) => list.find((x) => x.do === 'run' && x.step === 0)!) as [
        ScheduleItem,
        ScheduleItem,
      ];
      lists[0]!.splice(lists[0]!.indexOf(a), 1, b);
      lists[1]!.splice(lists[1]!.indexOf(b), 1, a);
    }),
    /nothing orders step 0 'make a', which .* on worker \d in phase 0\), before step \d 'make /,
  );
  t.match(
    messageAfter((_, lists) => {
      for (const list of lists) list.unshift(list.pop()!);
    }, crossing),
    /nothing orders step \d '.*', which .* before step 2 'make y'/,
    'a step that runs before its predecessors',
  );
});

t.test('ranges that any worker may take from', async (t) => {
  const share = (lists: ScheduleItem[][], step: number): void => {
    for (const list of lists)
      list.forEach((item, i) => {
        if (item.do === 'run' && item.step === step) list[i] = { ...item, shared: 1 };
      });
  };
  t.equal(
    messageAfter((_, lists) => share(lists, 1), crossing),
    'no error',
    'between two barriers, with nothing else',
  );
  t.match(
    messageAfter((_, lists) => share(lists, 0)),
    /nothing orders step 0 'make a', which reads 'x' .* on any worker in phase 0\), before step 1 'make b', which writes 'b'/,
    'a worker goes on with what it thought to be its own',
  );
});

t.test('point-to-point waits', async (t) => {
  const waitAt = (lists: ScheduleItem[][], which: number, after: readonly (readonly number[])[]): void => {
    lists.forEach((list, w) => {
      let count = 0;
      const at = list.findIndex((item) => item.do === 'barrier' && count++ === which);
      list[at] = { do: 'barrier', after: after[w]! };
    });
  };
  for (const which of [0, 1]) {
    t.equal(
      messageAfter((_, lists) => waitAt(lists, which, [[1], [0]]), crossing),
      'no error',
      'each waits for the other',
    );
    for (const after of [[[1], []], [[], [0]], [[], []]]) // biome-ignore format: lists
      t.match(
        messageAfter((_, lists) => waitAt(lists, which, after), crossing),
        /with 2 workers nothing orders step \d '.*' .* before step \d '/,
        'one goes on too early',
      );
  }
  t.match(
    messageAfter((_, lists) => {
      lists[0]![1] = { do: 'barrier', after: [1] };
    }, crossing),
    /of barrier 0, workers 0 and 1 of 2 disagree whether all wait for all/,
  );
  t.match(
    messageAfter((_, lists) => {
      waitAt(lists, 0, [[1], [0]]);
      for (const list of lists)
        list.forEach((item, i) => {
          if (item.do === 'run' && item.step === 1) list[i] = { ...item, shared: 1 };
        });
    }, crossing),
    /worker 0 of 2 shares units of step 1 '.*' beside a barrier at which not all wait/,
  );
});

t.test('units', async (t) => {
  const firstRun = (lists: ScheduleItem[][]): { begin: number; end: number } =>
    lists[0]![0] as Extract<ScheduleItem, { do: 'run' }>;
  t.match(
    messageAfter((_, lists) => firstRun(lists).end--),
    /unit 1 of step 0 'make a' runs never/,
  );
  t.match(
    messageAfter((_, lists) => firstRun(lists).end++),
    /unit 2 of step 0 'make a' runs twice/,
  );
  t.match(
    messageAfter((m) => Object.assign(m.steps[3]!, { units: 5 })),
    /step 3 'make y' has 5 units, its kernel 4/,
  );
});

t.test('order', async (t) => {
  const { manifest, lowered, program } = example();
  const [a, b, ...rest] = lowered.steps;
  const swapped = { ...lowered, steps: [b!, a!, ...rest] };
  t.throws(
    () => checkPlan({ manifest }, swapped, program),
    /step 0 'make b' and step 1 'make a' have changed places, both touch buffer 'a'/,
  );
  t.throws(
    () => checkPlan({ manifest }, { ...lowered, steps: lowered.steps.slice(1) }, program),
    /not a permutation/,
  );
  t.throws(() => checkPlan({ manifest }, swapped), /step 0 is 'make a' .* the program has 'make b'/);
});

t.test('what is written', async (t) => {
  const { manifest, lowered } = example();
  const y = lowered.outputs[0]!.buffer;
  const unread = {
    ...lowered,
    steps: lowered.steps.map((s, i) => (i === 3 ? { ...s, args: [y, s.args[0]!] } : s)),
  };
  t.throws(() => checkPlan({ manifest }, unread), { code: 'HDL0012' });

  // A kernel that leaves out the last units.
  const half = (kernel: Kernel): Kernel => ({ ...kernel, unit: { ...kernel.unit, extent: 2 } });
  const b = new ProgramBuilder();
  b.output('y', b.call(half(elementwiseKernel(1, 256, heavy)), [b.input('x', 256)], 'y'));
  const scheduled = scheduleProgram(b.finish(), { target: testTarget, targetKind: 'js', workers: [1] });
  t.throws(
    () => checkPlan(scheduled, scheduled.lowered),
    /step 0 'make y' writes 128 of the 256 elements of buffer 'y'/,
  );
});

t.test('kernels, enumerated and proved by their indices alike', async (t) => {
  for (const n of [256, 1_000_000, 999_999]) {
    t.equal(examineKernel(elementwiseKernel(2, n)).problem, null, `${n} elements`);
    t.equal(examineKernel(elementwiseKernel(2, n)).stored[2], n, `${n} elements, all stored`);
    t.equal(examineKernel(elementwiseKernel(1, n)).mayOverwrite(0, 1), true);
    t.equal(examineKernel(elementwiseKernel(2, n, { shift: -1 })).mayOverwrite(0, 2), false, 'shifted');
    t.match(examineKernel(elementwiseKernel(1, n, { shift: 1 })).problem, /a load of 'in0' reaches element/);
    t.match(
      examineKernel(elementwiseKernel(1, n, { overlap: 4 })).problem,
      /units \d+ and \d+ both store element \d+ of 'out'|reaches/,
    );
  }
  for (const side of [16, 512]) {
    const transpose = examineKernel(transposeKernel(side, side, side / 4));
    t.equal(transpose.problem, null, 'units that write interleaved addresses');
    t.equal(transpose.stored[1], side * side);
    t.equal(transpose.mayOverwrite(0, 1), false);
    const sums = examineKernel(rowSumKernel(side, side));
    t.equal(sums.problem, null);
    t.equal(sums.stored[1], side);
  }
});

t.test('a guarded load is in bounds where its guard holds', async (t) => {
  // out[i] = 1 ≤ i < n ? in[i − 1] : 0
  const n = 300_000;
  const base = elementwiseKernel(1, n);
  const i = { kind: 'var', name: 'i', extent: n, id: 7 } as const;
  const body = (lo: number): Stmt[] => [
    {
      kind: 'for',
      v: i,
      step: 1,
      limit: constIndex(n),
      body: [
        {
          kind: 'store',
          param: 1,
          index: varIndex(i),
          value: {
            kind: 'guard',
            type: 'f32',
            conditions: [{ kind: 'inRange', index: varIndex(i), lo, hi: n }],
            value: {
              kind: 'load',
              type: 'f32',
              param: 0,
              index: addIndex(varIndex(i), constIndex(-1)),
              laneStride: 0,
            },
            otherwise: constant('f32', 0),
          },
          lanes: 1,
          laneStride: 0,
        },
      ],
    },
  ];
  const unit = { ...base.unit, extent: 1 };
  t.equal(examineKernel({ ...base, unit, body: body(1) }).problem, null);
  t.match(
    examineKernel({ ...base, unit, body: body(0) }).problem,
    /a load of 'in0' reaches element -1 in unit 0/,
  );
});

t.test('positions known at run time are bounded by what guards their quotients', async (t) => {
  const x = input('x', [3]);
  const at = input('at', [4], 'i32');
  // x[(at − 1) / 2] where at − 1 is in range and even.
  const y = gatherAt(padBy(x as Node, { lo: [1], interior: [1] }), at, { axis: 0, batch: 0 });
  const graph = makeGraph('guarded', { inputs: [x, at], outputs: [{ name: 'y', node: y }] });
  t.doesNotThrow(() => compileGraph(graph, { verify: true }));
});

t.test('stores that indices cannot count are counted one by one', async (t) => {
  // 33 rows in tiles of 4 leave a row over, in its own branch of every fifth unit: its addresses overlap those of the tiles.
  const [x, y] = [input('x', [33, 200]), input('y', [3, 2, 200, 37])];
  const graph = makeGraph('rows', { outputs: [{ name: 'z', node: matmul(x, y) }] });
  t.doesNotThrow(() => compileGraph(graph, { verify: true }));
});
