// Random plans under random delays. Every unit of every step takes a number from a common counter before it reads and after
// it has written; afterwards a checker that knows only which words each unit touches demands that whatever conflicts came in
// the order of the plan, and that no unit of a round began before the round before had ended. Values are compared with
// a plain loop. `npm run test:long` runs ten thousand steps.

import fc from 'fast-check';
import t from 'tap';
import { Executor } from '../../runtime/executor.ts';
import type { Location, PlanSchedule, PlanStep, ScheduleItem } from '../../runtime/plan.ts';
import { arena, constant, makePlan, variable } from './plans.ts';

const isLong = process.env['HEDDLE_LONG'] === '1';
const units = 6;
const slots = 6;
const rounds = 40;

/** A step writes word u of slot `out` from word u + shift of `a` and word u of `b`. A source of −1 is the variable. */
interface Mix {
  readonly a: number;
  readonly b: number;
  readonly out: number;
  readonly shift: 0 | 1;
}

interface RandomPlan {
  readonly steps: readonly Mix[];
  readonly workers: number;
  readonly lists: readonly (readonly ScheduleItem[])[];
  readonly seed: number;
}

/**
 * Steps in phases. In a phase a slot is written once, and read only before all of its writes, or unit by unit after one.
 * In a third of the phases all ranges are shared, and their units run on whoever takes them.
 */
const randomPlan: fc.Arbitrary<RandomPlan> = fc
  .record({
    workers: fc.integer({ min: 2, max: 3 }),
    phases: fc.array(
      fc.array(fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 }), { minLength: 1, maxLength: 4 }),
      {
        minLength: 2,
        maxLength: 5,
      },
    ),
    seed: fc.nat(1_000_000),
  })
  .map(({ workers, phases, seed }) => {
    const steps: Mix[] = [];
    const lists: ScheduleItem[][] = Array.from({ length: workers }, () => []);
    const written = new Set<number>();
    for (const phase of phases) {
      const cuts = cutsOf(phase[0]!, workers);
      const readable = [-1, ...written];
      const touched = new Set<number>();
      const fresh: number[] = [];
      // What other workers may take depends on nothing in its phase.
      const isShared = phase[0]![8]! % 3 === 0;
      for (const choices of phase) {
        const free = Array.from({ length: slots }, (_, i) => i).filter((slot) => !touched.has(slot));
        if (free.length === 0) break;
        const out = free[choices[0]! % free.length]!;
        // Units of one phase lie on the workers in the same way, so what the same unit wrote may be read at once.
        const chained = !isShared && fresh.length > 0 && choices[1]! % 3 === 0;
        const sources = readable.filter((slot) => slot !== out && !fresh.includes(slot));
        const a = chained ? fresh[choices[2]! % fresh.length]! : sources[choices[2]! % sources.length]!;
        const b = sources[choices[3]! % sources.length]!;
        steps.push({ a, b, out, shift: chained ? 0 : 1 });
        for (const slot of [a, b, out]) touched.add(slot);
        fresh.push(out);
        cuts.forEach(([begin, end], worker) => {
          const shared = isShared ? { shared: 1 + (choices[5]! % 2) } : {};
          lists[worker]!.push({ do: 'run', step: steps.length - 1, begin, end, ...shared });
        });
      }
      for (const slot of fresh) written.add(slot);
      for (const list of lists) list.push({ do: 'barrier' });
    }
    const singly = waitSingly({ steps, workers, lists, seed });
    return seed % 4 === 0 ? { steps, workers, lists, seed } : { steps, workers, lists: singly, seed };
  });

/**
 * The same lists where most barriers are point-to-point, with as few waits as it takes and now and then one more: what each
 * worker must have heard of is found word by word. Beside shared ranges all meet.
 */
function waitSingly({ steps, workers, lists, seed }: RandomPlan): ScheduleItem[][] {
  const parts = lists.map((list) => {
    const found: ScheduleItem[][] = [[]];
    for (const item of list) item.do === 'barrier' ? found.push([]) : found.at(-1)!.push(item);
    return found;
  });
  const mixes = (w: number, p: number): { reads: number[]; writes: number[] }[] =>
    parts[w]![p]!.flatMap((item) => {
      if (item.do !== 'run') return [];
      return Array.from({ length: item.end - item.begin }, (_, u) =>
        touchedBy(steps[item.step]!, item.begin + u),
      );
    });
  // The last part is the step behind all others, which reads and writes more: all meet before it.
  const count = parts[0]!.length - 1;
  const hasShared = (p: number): boolean =>
    parts.some((of) => of[p]!.some((item) => item.do === 'run' && item.shared !== undefined));
  let heard = lists.map(() => lists.map(() => 0));
  const found: ScheduleItem[][] = parts.map((of) => [...of[0]!]);
  for (let p = 1; p <= count; p++) {
    if (p === count || hasShared(p - 1) || hasShared(p) || (seed >> p) % 5 === 0) {
      heard = lists.map(() => lists.map(() => p));
      for (const list of found) list.push({ do: 'barrier' });
    } else {
      const before = heard;
      const waits = lists.map((_, w) => {
        const own = mixes(w, p);
        return Array.from({ length: workers }, (_, v) => v).filter((v) => {
          if (v === w) return false;
          for (let q = before[w]![v]!; q < p; q++)
            for (const x of mixes(v, q))
              for (const y of own)
                if (
                  x.writes.some((word) => y.reads.includes(word) || y.writes.includes(word)) ||
                  x.reads.some((word) => y.writes.includes(word))
                )
                  return true;
          return (seed >> (p + v)) % 7 === 0;
        });
      });
      heard = before.map((own, w) =>
        own.map((over, v) =>
          waits[w]!.includes(v) ? p : Math.max(over, ...waits[w]!.map((u) => before[u]![v]!)),
        ),
      );
      found.forEach((list, w) => {
        list.push({ do: 'barrier', after: waits[w]! });
      });
    }
    found.forEach((list, w) => {
      list.push(...parts[w]![p]!);
    });
  }
  return found;
}

function cutsOf(choices: readonly number[], workers: number): [number, number][] {
  const marks = Array.from({ length: workers - 1 }, (_, i) => choices[i + 4]! % (units + 1)).sort(
    (a, b) => a - b,
  );
  return Array.from({ length: workers }, (_, w) => [marks[w - 1] ?? 0, marks[w] ?? units]);
}

const words = 4 * units;
const slotAt = (slot: number, bank: 'current' | 'next' = 'current'): Location =>
  slot < 0 ? variable(0, bank) : arena(slot * words);
/** Input, counter and log lie behind the slots. */
const inputAt = slots * words;
const counterAt = inputAt + 32;
const logAt = counterAt + 16;
const constants = new Uint8Array(Int32Array.of(0, 1).buffer);

/** The last step writes the variable from slot or variable `from`, and the input. */
async function makeRandomPlan({ steps, workers, lists, seed }: RandomPlan) {
  const count = steps.length + 1;
  const from = steps.at(-1)!.out;
  const logOf = (step: number): Location => arena(logAt + step * units * 8);
  const read = (bytes: number) => ({ access: 'read', bytes }) as const;
  const write = (bytes: number) => ({ access: 'write', bytes }) as const;
  const last: PlanStep = {
    label: 'last',
    kernel: 0,
    units,
    args: [
      slotAt(from),
      arena(inputAt),
      slotAt(-1, 'next'),
      constant(0),
      arena(counterAt),
      logOf(steps.length),
    ],
  };
  const schedule: PlanSchedule = {
    workers,
    lists: lists.map((list, worker) => [
      ...list,
      {
        do: 'run',
        step: steps.length,
        begin: Math.floor((units * worker) / workers),
        end: Math.floor((units * (worker + 1)) / workers),
      },
    ]),
  };
  const plan = await makePlan('js', {
    arenaBytes: logAt + count * units * 8,
    constants,
    inputs: [{ name: 'x', dtype: 'i32', shape: [units], order: [0], location: arena(inputAt) }],
    outputs: [
      { name: 'log', dtype: 'i32', shape: [count, units, 2], order: [0, 1, 2], location: arena(logAt) },
    ],
    variables: [{ name: 'v', dtype: 'i32', shape: [units], order: [0], trainable: false, updated: true }],
    kernels: [
      {
        name: 'mix',
        params: [read(words), read(words), write(words), read(4), write(4), write(units * 8)],
        js: `const [a, b, out, shift, counter, log] = [0, 1, 2, 3, 4, 5].map((i) => u32[args / 4 + i] / 4);
for (let u = begin; u < end; u++) {
  i32[log + 2 * u] = Atomics.add(i32, counter, 1);
  globalThis.delays = Math.imul((globalThis.delays ?? ${seed}) + u + 1, 1664525) + 1013904223 | 0;
  if ((globalThis.delays >>> 8) % 16 === 0) {
    const until = performance.now() + ((globalThis.delays >>> 16) % 100) / 1000;
    while (performance.now() < until);
  }
  i32[out + u] = Math.imul(i32[a + (u + i32[shift]) % ${units}], 31) + i32[b + u] | 0;
  i32[log + 2 * u + 1] = Atomics.add(i32, counter, 1);
}`,
      },
    ],
    steps: [
      ...steps.map(
        (mix, s): PlanStep => ({
          label: `step ${s}`,
          kernel: 0,
          units,
          args: [
            slotAt(mix.a),
            slotAt(mix.b),
            slotAt(mix.out),
            constant(4 * mix.shift),
            arena(counterAt),
            logOf(s),
          ],
        }),
      ),
      last,
    ],
  });
  return { ...plan, manifest: { ...plan.manifest, schedules: [schedule] } };
}

/** The variable after some rounds, by a plain loop. */
function simulate({ steps }: RandomPlan, inputs: readonly Int32Array[]): Int32Array {
  let v = new Int32Array(units);
  for (const x of inputs) {
    const memory = Array.from({ length: slots }, () => new Int32Array(units));
    const of = (slot: number) => (slot < 0 ? v : memory[slot]!);
    const mix = (a: Int32Array, b: Int32Array, shift: number) =>
      Int32Array.from({ length: units }, (_, u) => (Math.imul(a[(u + shift) % units]!, 31) + b[u]!) | 0);
    for (const { a, b, out, shift } of steps) memory[out] = mix(of(a), of(b), shift);
    v = mix(of(steps.at(-1)!.out), x, 0);
  }
  return v;
}

/** What is wrong with the order of a round's units; null when nothing is. `log`: begin and end of each unit of each step. */
function findViolation({ steps }: RandomPlan, log: Int32Array): string | null {
  const all = [...steps, { a: steps.at(-1)!.out, b: -2, out: -3, shift: 0 as const }];
  const begin = (s: number, u: number) => log[(s * units + u) * 2]!;
  const end = (s: number, u: number) => log[(s * units + u) * 2 + 1]!;
  for (let s = 0; s < all.length; s++) {
    for (let earlier = 0; earlier < s; earlier++) {
      for (let u = 0; u < units; u++) {
        for (let v = 0; v < units; v++) {
          const [first, second] = [touchedBy(all[earlier]!, v), touchedBy(all[s]!, u)];
          const conflict =
            first.writes.some((w) => second.writes.includes(w) || second.reads.includes(w)) ||
            first.reads.some((w) => second.writes.includes(w));
          if (conflict && end(earlier, v) >= begin(s, u)) {
            return `unit ${u} of step ${s} began before unit ${v} of step ${earlier} had ended`;
          }
        }
      }
    }
  }
  return null;
}

/** Words of slots that a unit touches. */
function touchedBy({ a, b, out, shift }: Mix, unit: number): { reads: number[]; writes: number[] } {
  return {
    reads: [a * units + ((unit + shift) % units), b * units + unit],
    writes: [out * units + unit],
  };
}

t.test('under random delays, everything happens in the order that the plan demands', async (t) => {
  let checked = 0;
  let single = 0;
  await fc.assert(
    fc.asyncProperty(randomPlan, async (random) => {
      for (const item of random.lists[0]!) if (item.do === 'barrier' && item.after !== undefined) single++;
      const executor = await Executor.create({ threads: random.workers });
      const loaded = await executor.load(await makeRandomPlan(random));
      const inputs = Array.from({ length: rounds }, (_, r) =>
        Int32Array.from({ length: units }, (_, u) => r * 7 + u),
      );
      const { outputs } = await executor.runSteps(loaded, {
        steps: rounds,
        feed: { kind: 'stream', batches: inputs.map((x) => ({ x })).values() },
        keep: 'each',
      });
      const value = executor.get('v').data;
      await executor.dispose();
      const logs = outputs['log']!.data as Int32Array;
      const size = logs.length / rounds;
      let ended = -1;
      for (let r = 0; r < rounds; r++) {
        const log = logs.subarray(r * size, (r + 1) * size);
        const violation = findViolation(random, log);
        if (violation !== null) throw new Error(`round ${r}: ${violation}`);
        if (Math.min(...log) <= ended) throw new Error(`round ${r} began before round ${r - 1} had ended`);
        ended = Math.max(...log);
        checked++;
      }
      const wanted = simulate(random, inputs);
      return value.every((n, i) => n === wanted[i]);
    }),
    { seed: 7, numRuns: isLong ? 250 : 10 },
  );
  t.equal(checked, rounds * (isLong ? 250 : 10));
  t.ok(single >= 5, `${single} point-to-point barriers`);
});

t.test('the checker finds a missing barrier', async (t) => {
  const random: RandomPlan = {
    steps: [
      { a: -1, b: -1, out: 0, shift: 0 },
      { a: 0, b: -1, out: 1, shift: 1 },
    ],
    workers: 2,
    lists: [[], []],
    seed: 0,
  };
  const ordered = Int32Array.from({ length: 3 * units * 2 }, (_, i) => i);
  t.equal(findViolation(random, ordered), null);
  const early = ordered.slice();
  early[(1 * units + 0) * 2] = (0 * units + 1) * 2;
  t.equal(findViolation(random, early), 'unit 0 of step 1 began before unit 1 of step 0 had ended');
});
