// Given a program, when its steps are ordered and some are copied, then it means the same, bit for bit, needs no more memory
// than before, and is the same each time; and what is asked of memory is met, or it is said by how much it is not.

import fc from 'fast-check';
import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { conv2d, input, relu, square, sum } from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { arrange } from '../../compiler/schedule/arrange.ts';
import { checkPlan } from '../../compiler/schedule/check.ts';
import { checkOrder } from '../../compiler/schedule/check-order.ts';
import { defaultMachine } from '../../compiler/schedule/cost.ts';
import { dependencesOf } from '../../compiler/schedule/dependences.ts';
import { improveOrder, OrderState } from '../../compiler/schedule/improve-order.ts';
import {
  highest,
  LiveFacts,
  type LiveModel,
  liveModel,
  liveProfile,
  spansOf,
  usersOf,
} from '../../compiler/schedule/live.ts';
import type { BufferId, Lowered, LoweredStep } from '../../compiler/schedule/lowered.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import { withCopiesLive } from '../../compiler/schedule/preview.ts';
import { printMemory } from '../../compiler/schedule/print-memory.ts';
import { findCopies, findWriters, withCopies } from '../../compiler/schedule/recompute.ts';
import { rematerialize } from '../../compiler/schedule/rematerialize.ts';
import { elementwiseKernel, kernelCache, ProgramBuilder, testTarget } from '../support/kernels.ts';
import { graphOf, lower } from '../support/lower-graph.ts';
import { programArbitrary } from '../support/programs.ts';
import { runLowered } from '../support/run-lowered.ts';

const seed = 20240711;
const options = { target: testTarget, targetKind: 'js', workers: [1, 2, 3] } as const;
const noLimits = {
  machine: defaultMachine,
  goal: 0,
  allowance: Number.POSITIVE_INFINITY,
  mostPerByte: Number.POSITIVE_INFINITY,
};

const own = (program: Lowered): number[] => program.steps.map((_, s) => s);
const peakOf = (program: Lowered): number => highest(liveProfile(liveModel(program), own(program)));

/** Bytes alive at a position, by definition; places that are handed over are the only thing taken from the model. */
function liveAt(
  { touched, bytes, isInput, isOutput, pairs }: LiveModel,
  order: readonly number[],
  k: number,
): number {
  const users = Array.from(bytes, (_, id) =>
    order.flatMap((s, at) => (touched[s]!.includes(id) ? [at] : [])),
  );
  const from = users.map((list, id) => (isInput[id] ? -1 : (list[0] ?? order.length)));
  const to = users.map((list, id) => (isOutput[id] ? order.length : (list.at(-1) ?? -1)));
  let live = 0;
  bytes.forEach((size, id) => {
    if (from[id]! <= k && to[id]! >= k && (users[id]!.length > 0 || isInput[id] || isOutput[id]))
      live += size;
  });
  const taken = new Set<number>();
  for (const [input, output] of pairs[order[k]!]!) {
    if (to[input] !== k || from[output] !== k || taken.has(input) || taken.has(output)) continue;
    live -= bytes[input]!;
    taken.add(input).add(output);
  }
  return live;
}

/** Values of inputs and variables that no rounding hides. */
function leavesOf(program: Lowered): Parameters<typeof runLowered>[1] {
  const values = (n: number, k: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => ((i * 7 + k * 3) % 11) - 5);
  return Object.fromEntries(
    [
      ...program.inputs.map((i) => [i.name, program.buffers[i.buffer]!.type] as const),
      ...program.variables.map((v) => [v.name, v.type] as const),
    ].map(([name, type], k) => [name, { type, data: values(type.shape[0]!, k) }]),
  );
}

t.test('live bytes are those of the definition', async (t) => {
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const model = liveModel(program);
      const order = own(program);
      const live = liveProfile(model, order);
      // One entry may follow in place of one that is taken already; the profile then counts no more than this.
      return order.every(
        (k) =>
          live[k]! <= liveAt({ ...model, pairs: model.pairs.map(() => []) }, order, k) &&
          live[k]! >= liveAt(model, order, k),
      );
    }),
    { seed, numRuns: 40 },
  );
  t.pass(`seed ${seed}`);
});

t.test('a better order is valid, never larger, and the same each time', async (t) => {
  let gained = 0;
  fc.assert(
    fc.property(programArbitrary, fc.constantFrom(300, 4_000_000), (program, effort) => {
      const model = liveModel(program);
      const dependences = dependencesOf(program);
      const order = improveOrder(model, dependences, own(program), effort);
      const position = new Map(order.map((s, at) => [s, at]));
      const isValid =
        position.size === program.steps.length &&
        dependences.before.every((list, j) => list.every((i) => position.get(i)! < position.get(j)!));
      const [before, after] = [highest(liveProfile(model, own(program))), highest(liveProfile(model, order))];
      if (after < before) gained++;
      return (
        isValid &&
        after <= before &&
        improveOrder(model, dependences, own(program), effort).join() === order.join()
      );
    }),
    { seed, numRuns: 100 },
  );
  t.ok(gained > 20, `${gained} of 100 orders are better (seed ${seed})`);
});

t.test('a move that was refused is looked at again when its stretch has changed', async (t) => {
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const model = liveModel(program);
      const dependences = dependencesOf(program);
      const order = improveOrder(model, dependences, own(program));
      // A search that remembers nothing yet finds nothing more.
      return improveOrder(model, dependences, order).join() === order.join();
    }),
    { seed, numRuns: 100 },
  );
  t.pass(`seed ${seed}`);
});

t.test('what is alive if a step were moved is what is alive then, before and after moves', async (t) => {
  let moves = 0;
  const agrees = (program: Lowered): boolean => {
    const model = liveModel(program);
    const state = new OrderState(model, dependencesOf(program), own(program));
    const all = own(program);
    const isSame = (from: number, to: number): boolean => {
      if (from === to) return true;
      const order = [...state.order];
      const then = liveProfile(model, order.toSpliced(from, 1).toSpliced(to, 0, order[from]!));
      const stretch = then.slice(Math.min(from, to), Math.max(from, to) + 1);
      if (state.liveIf(from, to).slice(0, stretch.length).join() !== stretch.join()) return false;
      // It is given up where one is too full, and only there.
      const fullest = highest(stretch);
      const isAllowed = state.liveIf(from, to, fullest)?.slice(0, stretch.length).join() === stretch.join();
      const tooFull = state.liveIf(from, to, fullest - 1);
      return isAllowed && (tooFull === null || highest(tooFull.slice(0, stretch.length)) === fullest);
    };
    const agreesNow = (): boolean => all.every((from) => all.every((to) => isSame(from, to)));
    if (!agreesNow()) return false;
    for (const k of all.toReversed()) if (state.sink(k)) moves++;
    for (const k of all) if (state.rise(k)) moves++;
    return agreesNow();
  };
  fc.assert(fc.property(programArbitrary, agrees), { numRuns: 60, seed });
  t.ok(moves > 50, `${moves} moves (seed ${seed})`);
  const x = input('x', [2, 3, 8, 8]);
  const [v, w] = [input('v', [4, 3, 3, 3]), input('w', [4, 4, 3, 3])];
  const loss = sum(square(relu(conv2d(relu(conv2d(x, v, { padding: 1 })), w, { padding: 1 }))));
  const [dv, dw] = grad(loss, [v, w]);
  t.ok(agrees(lower(graphOf({ loss, dv: dv!, dw: dw! }))), 'a net of convolutions');
});

t.test('amounts that need 64 bits are arranged as those that do not', async (t) => {
  const factor = 2 ** 27;
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const buffers = program.buffers.map((b) => ({ ...b, bytes: b.bytes * factor }));
      const [small, large] = [liveModel(program), liveModel({ ...program, buffers })];
      if (small.bytes.some((bytes) => bytes > 0)) t.type(large.bytes, Float64Array);
      t.type(small.bytes, Int32Array);
      const dependences = dependencesOf(program);
      const order = improveOrder(small, dependences, own(program));
      t.same(improveOrder(large, dependences, own(program)), order);
      const profile = Array.from(liveProfile(small, order), (bytes) => bytes * factor);
      return Array.from(liveProfile(large, order)).join() === profile.join();
    }),
    { seed, numRuns: 60 },
  );
});

t.test('what copies would need is what they need when they are made', async (t) => {
  let compared = 0;
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const model = liveModel(program);
      const spans = spansOf(model, own(program));
      const found = { writers: findWriters(program), spans, users: usersOf(model) };
      for (const { id } of program.buffers) {
        for (const depth of ['shallow', 'deep'] as const) {
          const at = Math.floor((spans.first[id]! + spans.last[id]!) / 2);
          const copies = findCopies(program, found, id, at, { depth, mayCopy: () => true });
          if (copies === null) continue;
          compared++;
          const made = liveModel(withCopies(program, copies));
          const seen = withCopiesLive(program, model, found.users, copies);
          if (JSON.stringify(seen, typed) !== JSON.stringify(made, typed)) return false;
        }
      }
      return true;
    }),
    { seed, numRuns: 60 },
  );
  t.ok(compared > 100, `${compared} copies (seed ${seed})`);
});

t.test('copies of steps change no bit', async (t) => {
  let copies = 0;
  fc.assert(
    fc.property(programArbitrary, (program) => {
      const smaller = rematerialize(program, noLimits, new LiveFacts());
      copies += smaller.steps.length - program.steps.length;
      if (peakOf(smaller) > peakOf(program)) throw new Error('larger');
      const leaves = leavesOf(program);
      const [want, got] = [runLowered(program, leaves), runLowered(smaller, leaves)];
      return JSON.stringify(got, typed) === JSON.stringify(want, typed);
    }),
    { seed, numRuns: 60 },
  );
  t.ok(copies > 20, `${copies} copies (seed ${seed})`);
});

t.test(
  'copies change no bit in lowered graphs, padded values that several steps write among them',
  async (t) => {
    const net = (): Lowered => {
      const x = input('x', [2, 3, 8, 8]);
      const w = [input('w0', [4, 3, 3, 3]), input('w1', [4, 4, 3, 3]), input('w2', [4, 4, 3, 3])];
      let y: Node<Shape, 'f32'> = x;
      for (const kernel of w) y = relu(conv2d(y, kernel, { padding: 1 }));
      const loss = sum(square(y));
      const outputs = grad(loss, w).map((node, i) => [`d${i}`, node] as const);
      return lower(graphOf({ loss, ...Object.fromEntries(outputs) }));
    };
    let copies = 0;
    const same = (program: Lowered): boolean => {
      const smaller = rematerialize(program, noLimits, new LiveFacts());
      const scheduled = scheduleProgram(smaller, options);
      checkPlan(scheduled, scheduled.lowered);
      copies += smaller.steps.length - program.steps.length;
      const leaves = leavesFor(program);
      return (
        JSON.stringify(runLowered(smaller, leaves), typed) ===
        JSON.stringify(runLowered(program, leaves), typed)
      );
    };
    t.ok(same(net()), 'a net of convolutions');
    t.ok(copies > 0, `${copies} copies`);
  },
);

function leavesFor(program: Lowered): Parameters<typeof runLowered>[1] {
  return Object.fromEntries(
    program.inputs.map(({ name, buffer }) => {
      const { type } = program.buffers[buffer]!;
      const n = type.shape.reduce((a, b) => a * b, 1);
      return [name, { type, data: Float64Array.from({ length: n }, (_, i) => (((i * 7) % 13) - 6) / 8) }];
    }),
  );
}

function typed(_: string, value: unknown): unknown {
  return value instanceof Float64Array ? [...value].map((x) => (Number.isNaN(x) ? 'NaN' : x)) : value;
}

t.test('arranged programs are no larger than they came, and their plans are proved', async (t) => {
  fc.assert(
    fc.property(programArbitrary, (program) => {
      for (const isParallel of [false, true]) {
        const { peak } = arrange(program, { isParallel, machine: defaultMachine, budget: null });
        if (peak > peakOf(program)) throw new Error(`${peak} bytes, ${peakOf(program)} in its own order`);
      }
      const tight = 0.9 * scheduleProgram(program, options).lowerBound;
      for (const budget of [undefined, tight]) {
        try {
          const { manifest, lowered } = scheduleProgram(program, { ...options, budget });
          checkPlan({ manifest }, lowered, program);
          if (budget !== undefined && manifest.arenaBytes > budget) throw new Error('over budget');
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('HDL0018')) throw error;
          // What a refusal names, can be had.
          const named = Number(/arena of (\d+) bytes/.exec(error.message)![1]);
          const { manifest } = scheduleProgram(program, { ...options, budget: named });
          if (manifest.arenaBytes > named)
            throw new Error(`${manifest.arenaBytes} bytes, ${named} were named`);
        }
      }
    }),
    { seed, numRuns: 60 },
  );
  t.pass(`seed ${seed}`);
});

/**
 * What backward passes do: `layers` values from one input, each read again in opposite order. Every other layer is cheap
 * to compute again.
 */
function thereAndBack(layers: number, n: number): Lowered {
  const b = new ProgramBuilder();
  const kernel = kernelCache();
  let value = b.input('x', n);
  const kept: BufferId[] = [];
  for (let i = 0; i < layers; i++) {
    value = b.call(kernel(1, n, { flops: i % 2 === 0 ? 500 : 2 }), [value], `forward${i}`);
    kept.push(value);
  }
  for (const k of kept.reverse())
    value =
      k === value
        ? value
        : b.call(kernel(2, n, { flops: 300 }), [value, k], `backward${b.finish().steps.length}`);
  b.output('y', value);
  return b.finish();
}

t.test('by default, only what is nearly free is computed again', async (t) => {
  const program = thereAndBack(8, 1024);
  const { lowered } = scheduleProgram(program, options);
  const again = lowered.steps.filter((s) => s.isCopy).map((s) => s.label);
  t.ok(again.length > 0);
  t.ok(
    again.every((label) => /forward[1357] \(again\)/.test(label)),
    again.join(', '),
  );
  t.ok(peakOf(lowered) < peakOf(program));
});

t.test('a budget is met, or it is said by how much it is not', async (t) => {
  const program = thereAndBack(8, 1024);
  const { manifest, lowered } = scheduleProgram(program, { ...options, budget: 4 * 4096 });
  checkPlan({ manifest }, lowered, program);
  t.ok(manifest.arenaBytes <= 4 * 4096);
  t.ok(
    lowered.steps.some((s) => s.isCopy && /forward[0246]/.test(s.label)),
    'expensive steps too',
  );
  t.match(printMemory({ manifest }, lowered), /computed again: \d+ steps/);
  const message = (budget: number): string => {
    try {
      scheduleProgram(program, { ...options, budget });
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };
  t.match(
    message(5000),
    /^HDL0018: entry 'test' fits in an arena of \d+ bytes, the budget is 5000 bytes: \d+ bytes too much\n {2}rule: the arena holds what is alive at once, after everything has been computed again that helps\n {2}try: {2}use a smaller batch, or a larger memory: \{ budget \}$/,
  );
  t.equal(
    message(-1),
    'HDL0003: memory budget is -1\n  rule: a memory budget is a positive number of bytes\n  try:  pass for example memory: { budget: 24e6 }',
  );
});

t.test('the checker finds a copy that is none', async (t) => {
  const program = thereAndBack(8, 1024);
  const { manifest, lowered } = scheduleProgram(program, options);
  const at = lowered.steps.findIndex((s) => s.isCopy);
  const copy = lowered.steps[at]!;
  const message = (change: Partial<typeof copy>): string => {
    const steps = lowered.steps.map((s, k) => (k === at ? { ...s, ...change } : s));
    try {
      checkPlan({ manifest }, { ...lowered, steps }, program);
    } catch (error) {
      return (error as Error).message.split('\n')[0]!;
    }
    return 'no error';
  };
  t.match(message({ args: [lowered.inputs[0]!.buffer, copy.args[1]!] }), /is no step of the program/);
  t.match(message({ kernel: elementwiseKernel(1, 1024) }), /is no step of the program/);
  const { isCopy: _, ...step } = copy;
  const steps = lowered.steps.map((s, k) => (k === at ? step : s));
  t.throws(() => checkPlan({ manifest }, { ...lowered, steps }, program), /not a permutation/);
});

t.test('a copy may come before what it copies, but not after those who read it', async (t) => {
  const b = new ProgramBuilder();
  const kernel = elementwiseKernel(1, 64);
  const a = b.call(kernel, [b.input('x', 64)], 'a');
  b.output('y', b.call(kernel, [a], 'y'));
  b.output('z', b.call(kernel, [a], 'z'));
  const program = b.finish();
  const [make, y, z] = program.steps as [LoweredStep, LoweredStep, LoweredStep];
  const id = program.buffers.length as BufferId;
  const again = { ...program.buffers[a]!, id, name: 'a (again)', copyOf: a };
  const inPlace = (step: LoweredStep): LoweredStep => ({
    ...step,
    args: step.args.map((x) => (x === a ? id : x)),
  });
  const copy: LoweredStep = { ...inPlace(make), label: 'make a (again)', isCopy: true };
  const message = (...steps: LoweredStep[]): string => {
    try {
      checkOrder({ ...program, buffers: [...program.buffers, again], steps }, program, (what) => {
        throw new Error(what);
      });
    } catch (error) {
      return (error as Error).message;
    }
    return 'no error';
  };
  t.equal(message(make, y, copy, inPlace(z)), 'no error');
  t.equal(message(copy, inPlace(y), make, z), 'no error');
  t.match(
    message(inPlace(y), copy, make, z),
    /is a copy, and buffer 'a \(again\)' is written after it was read/,
  );
  t.match(
    message(copy, inPlace(y), z, make),
    /'a \(again\)' is not written by the steps that write what it copies/,
  );
});
