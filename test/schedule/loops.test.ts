// Plans with loops: what they look like, that the checker and the loader find every way in which one may be wrong, and how
// workers walk them.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { add, input, matmul, mul, scan, tanh, zeros } from '../../compiler/ops/index.ts';
import { checkPlan } from '../../compiler/schedule/check.ts';
import { unrollLowered } from '../../compiler/schedule/fold-loops.ts';
import { barrierCount, unrollManifest } from '../../runtime/loops.ts';
import type { PlanManifest, PlanStep, RepeatItem } from '../../runtime/plan.ts';
import { validatePlan } from '../../runtime/validate.ts';
import { argsTable, itemSize, makeWalk } from '../../runtime/walk.ts';
import { eagerMachine } from '../support/agree.ts';
import { errorOf } from '../support/error-of.ts';

const length = 5;

/** h ← tanh(h · w), kept in two slots; rows of 2 x h go out. Two workers share each step. */
const compiled = (() => {
  const [xs, h0, w] = [input('xs', [length, 8, 4]), input('h0', [8, 8]), input('w', [8, 8])];
  const { carry, outputs } = scan(
    ([h], [x]) => {
      const next = tanh(matmul(h as Node<readonly [8, 8], 'f32'>, w)) as Node;
      return {
        carry: [next],
        outputs: [matmul(next as Node<readonly [8, 8], 'f32'>, concatRows(x as Node)) as Node],
      };
    },
    [h0],
    [xs],
    { unroll: false },
  );
  const graph = makeGraph('loop', {
    inputs: [xs, h0, w],
    outputs: [
      { name: 'h', node: carry[0]! },
      { name: 'ys', node: outputs[0] as Node },
    ],
  });
  return compileGraph(graph, { target: 'js', workers: [1, 2], machine: eagerMachine, verify: true });
})();

function concatRows(x: Node): Node<readonly [8, 4], 'f32'> {
  return mul(x as Node<readonly [8, 4], 'f32'>, 2) as Node<readonly [8, 4], 'f32'>;
}

type Draft = { -readonly [K in keyof PlanManifest]: PlanManifest[K] };
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const repeatsOf = (m: PlanManifest, workers: number): Mutable<RepeatItem>[] =>
  m.schedules
    .find((s) => s.workers === workers)!
    .lists.flatMap((list) => list.filter((item): item is RepeatItem => item.do === 'repeat'));

/** A step of the loop that moves an argument, and which. */
const moving = (m: PlanManifest, period: boolean): { step: Mutable<PlanStep>; arg: number } => {
  for (const step of m.steps) {
    const arg = (step.moves ?? []).findIndex((move) => move && (move.period !== undefined) === period);
    if (arg >= 0) return { step, arg };
  }
  throw new Error('no argument moves so');
};

t.test('each step stands once; arguments move, carries to and fro', async (t) => {
  const { plan } = compiled;
  const [loop] = plan.manifest.loops!;
  t.equal(plan.manifest.loops!.length, 1);
  t.equal(loop!.length, length);
  t.match(moving(plan.manifest, true).step.moves![moving(plan.manifest, true).arg], {
    stride: Number,
    period: 2,
  });
  t.match(compiled.dump('plan', { full: true }), /loop 0 [^\n]* times 5/);
  t.match(compiled.dump('plan', { full: true }), /arena \d+ by -?256 of 2/);
  t.match(compiled.dump('plan', { full: true }), /repeat 0 \(/);
});

t.test('written out, it is the plan of a program without loops', async (t) => {
  const { manifest } = compiled.plan;
  const { begin, end } = manifest.loops![0]!;
  const flat = unrollManifest(manifest);
  t.equal(flat.loops, undefined);
  t.equal(flat.steps.length, manifest.steps.length + (length - 1) * (end - begin));
  t.equal(unrollLowered(compiled.lowered).steps.length, flat.steps.length);
  for (const [i, { lists }] of flat.schedules.entries())
    t.equal(barrierCount(lists[0]!), barrierCount(manifest.schedules[i]!.lists[0]!, manifest.loops));
});

t.test('a walk has a call for each iteration, with arguments of its own', async (t) => {
  const { manifest } = compiled.plan;
  for (const threads of [1, 2]) {
    const walk = makeWalk(manifest, threads);
    const called = new Set<number>();
    walk.lists.forEach((list, w) => {
      for (let i = 0; i < list.length; i += itemSize) if (list[i]! >= 0) called.add(list[i + 3]!);
      t.ok([...walk.steps[w]!].every((s) => s < manifest.steps.length));
    });
    t.equal(called.size, unrollManifest(manifest).steps.length);
  }
  const words = unrollManifest(manifest).steps.reduce((n, s) => n + s.args.length, 0);
  t.equal(argsTable(manifest).bytes, 4 * words);
});

const changed = (change: (m: Draft) => void): Draft => {
  const copy = JSON.parse(JSON.stringify(compiled.plan.manifest)) as Draft;
  change(copy);
  return copy;
};

t.test('the checker finds what makes a loop unsafe', async (t) => {
  const check = (change: (m: Draft) => void) => () =>
    checkPlan({ manifest: changed(change) }, compiled.lowered);
  t.doesNotThrow(check(() => {}));
  t.throws(
    check((m) => {
      m.loops = [{ ...m.loops![0]!, length: length - 1 }];
    }),
    /it has steps \d+ to \d+ 4 times, the program steps \d+ to \d+ 5 times/,
  );
  t.throws(
    check((m) => {
      const { step, arg } = moving(m, true);
      step.moves = step.moves!.map((move, a) => (a === arg ? { stride: move!.stride } : move));
    }),
    /others have it at arena/,
  );
  t.throws(
    check((m) => {
      const { step, arg } = moving(m, false);
      step.moves = step.moves!.map((move, a) => (a === arg ? { stride: move!.stride + 4 } : move));
    }),
    /others have it at arena/,
  );
  t.throws(
    check((m) => {
      for (const repeat of repeatsOf(m, 2)) repeat.items = repeat.items.filter((x) => x.do !== 'barrier');
    }),
    /with 2 workers nothing orders step/,
    'all meet within an iteration, and between two',
  );
  t.throws(
    check((m) => {
      for (const repeat of repeatsOf(m, 2)) repeat.items = repeat.items.slice(0, -1);
    }),
    /with 2 workers nothing orders step/,
    'the meeting at the end of an iteration is needed',
  );
  t.throws(
    check((m) => {
      const [repeat] = repeatsOf(m, 1);
      repeat!.items = repeat!.items.slice(1);
    }),
    /runs never/,
  );
});

t.test('the loader finds what is malformed', async (t) => {
  const load = (change: (m: Draft) => void) => () =>
    validatePlan({ ...compiled.plan, manifest: changed(change) });
  const withLoop =
    (more: object): ((m: Draft) => void) =>
    (m) => {
      m.loops = [{ ...m.loops![0]!, ...more }];
    };
  t.doesNotThrow(load(() => {}));
  const wrong: readonly (readonly [change: (m: Draft) => void, reason: RegExp])[] = [
    [(m) => Object.assign(m, { loops: 3 }), /loops is not a list/],
    [withLoop({ label: 3 }), /loops\[0\] has no label/],
    [withLoop({ length: 0 }), /loops\[0\] is steps .* 0 times/],
    [withLoop({ length: 2 ** 30 }), /calls, more than 4194304/],
    [
      withLoop({ length: length + 1 }),
      /leads behind the end of the arena|is not the place of a buffer|there are/,
    ],
    [withLoop({ end: 99 }), /loops\[0\] is steps \[\d+, 99\)/],
    [withLoop({ begin: -1 }), /loops\[0\].begin is -1/],
    [(m) => delete m.loops, /moves is not a list|names loop 0 of 0/],
    [
      (m) => m.loops!.length && Object.assign(m, { loops: [...m.loops!, m.loops![0]!] }),
      /loops\[1\] is steps/,
    ],
    [
      (m) => Object.assign(moving(m, true).step, { moves: [] }),
      /moves is not a list with an item for each argument/,
    ],
    [
      (m) => {
        const { step, arg } = moving(m, false);
        step.moves = step.moves!.map((x, a) => (a === arg ? { stride: 2 ** 40 } : x));
      },
      /leads behind the end of the arena/,
    ],
    [
      (m) => {
        const { step, arg } = moving(m, false);
        step.moves = step.moves!.map((x, a) => (a === arg ? { stride: -(2 ** 20) } : x));
      },
      /bytes before the begin of the arena/,
    ],
    [
      (m) => {
        const { step, arg } = moving(m, true);
        step.moves = step.moves!.map((x, a) => (a === arg ? { stride: x!.stride, period: 0 } : x));
      },
      /period is 0/,
    ],
    [
      (m) => {
        const { step, arg } = moving(m, true);
        step.moves = step.moves!.map((x, a) => (a === arg ? ({ stride: 0.5 } as never) : x));
      },
      /has no stride/,
    ],
    [
      (m) => {
        repeatsOf(m, 1)[0]!.loop = 1;
      },
      /names loop 1 of 1/,
    ],
    [
      (m) => {
        const [repeat] = repeatsOf(m, 1);
        repeat!.items = [{ ...repeat! } as never];
      },
      /holds a loop in a loop/,
    ],
    [
      (m) => {
        const [repeat] = repeatsOf(m, 1);
        repeat!.items = [...repeat!.items, { do: 'run', step: 0, begin: 0, end: 0 }];
      },
      /runs step 0, which is not in this loop/,
    ],
    [
      (m) => {
        const list = m.schedules[0]!.lists[0]! as unknown[];
        list.push(list.find((x) => (x as { do: string }).do === 'repeat'));
      },
      /runs loop 0 twice/,
    ],
    [
      (m) => {
        const list = m.schedules[0]!.lists[0]! as unknown[];
        list.push({ do: 'run', step: m.loops![0]!.begin, begin: 0, end: 0 });
      },
      /which is in a loop/,
    ],
    [
      (m) => {
        const [repeat] = repeatsOf(m, 2);
        repeat!.items = repeat!.items.filter((x) => x.do !== 'barrier');
      },
      /workers pass different numbers of barriers/,
    ],
  ];
  for (const [change, reason] of wrong)
    t.throws(load(change), { code: 'HDL1006', message: reason }, String(reason));
});

t.test('a loop of too many steps is refused, with what to do', async (t) => {
  const x = input('x', [4]);
  const { carry } = scan(
    ([h]) => ({ carry: [tanh(h as Node<readonly [4], 'f32'>) as Node], outputs: [] }),
    [x as Node],
    [],
    {
      length: 10_000_000,
    },
  );
  const graph = makeGraph('long', { outputs: [{ name: 'y', node: carry[0]! }] });
  t.equal(
    errorOf(() => compileGraph(graph)),
    "HDL0017: entry 'long' makes 10000002 calls of kernels in a run: 'scan: scan' has 10000000 steps of 1 calls: " +
      'a plan makes at most 4194304 calls, since workers have their lists of calls before they start ' +
      '(cut the loop into pieces, and let a program run one after the other)',
  );
});

t.test('a sum over the steps has one place, which each step writes over', async (t) => {
  const [xs, w] = [input('xs', [9, 4, 8]), input('w', [8, 8])];
  const { carry } = scan(
    ([total], [x]) => {
      const row = x as Node<readonly [4, 8], 'f32'>;
      return {
        carry: [add(total as Node<readonly [4, 8], 'f32'>, tanh(matmul(row, w))) as Node],
        outputs: [],
      };
    },
    [zeros([4, 8]) as Node],
    [xs],
  );
  const graph = makeGraph('sum', { outputs: [{ name: 'y', node: carry[0]! }] });
  for (const workers of [1, 2]) {
    const { plan, lowered } = compileGraph(graph, {
      workers: [workers],
      machine: eagerMachine,
      verify: true,
    });
    t.same(
      lowered.buffers.filter((b) => / carry 0$/.test(b.name)).map((b) => b.type.shape),
      [[1, 4, 8]],
    );
    t.ok(plan.manifest.steps.every(({ moves = [] }) => moves.every((m) => m?.period === undefined)));
  }
});
