// Calibration: how fast this machine is, as the constants of the compiler's cost model. In: threads and target. Out: plain
// JSON, to be kept by whoever wants it. Measured on plans like any other: kernels of our own code generator, called by our
// own workers, so that a constant means what the model means by it.
//
//   flopsPerNs               a product of matrices and a convolution: what their kernels took
//   bytesPerNs, near…        sums of long vectors, and of short ones
//   callNs                   the smallest kernel, called between others
//   barrierNs                a plan with many barriers less one with few
//   wakeNs                   a run of all workers less a run of one

import { type CompileOptions, compileGraph, machineOf } from '../compiler/compile.ts';
import { makeGraph } from '../compiler/graph/graph.ts';
import type { Graph, Node } from '../compiler/graph/ir.ts';
import { elementCount } from '../compiler/graph/types.ts';
import type { Machine } from '../compiler/kernel/ir.ts';
import { add, conv2d, input, matmul } from '../compiler/ops/index.ts';
import { Executor } from '../runtime/executor.ts';
import { availableCores } from '../runtime/host.ts';
import type { Plan, PlanManifest, ScheduleItem } from '../runtime/plan.ts';
import { tableHead } from '../runtime/timing.ts';
import { mayRelax } from './compiled-engine.ts';

export interface CalibrateOptions {
  /** Workers to measure barriers and waking with; default one per core, as for programs. */
  readonly threads?: number | undefined;
  /** What programs are compiled for; default `wasm`. */
  readonly target?: 'wasm' | 'js' | undefined;
  /** As for programs; default `auto`. */
  readonly relaxed?: boolean | 'auto' | undefined;
}

/** Barriers in two plans. */
const many = 320;
const few = 64;

/**
 * Measures this machine, in a second or two: what to pass as `machine` to programs that run here. It decides which worker
 * gets which part of the work, and what is worth computing twice; results do not depend on it, to the last bit. With one
 * thread, barriers and waking keep their usual values. Throws HDL0003, HDL0017 (`relaxed`), HDL1003 (no workers).
 *
 * @example
 * const machine = await calibrate();
 * await writeFile('machine.json', JSON.stringify(machine));
 * const p = program(entries, { machine });
 */
export async function calibrate(options: CalibrateOptions = {}): Promise<Machine> {
  const { target = 'wasm', threads = availableCores() } = options;
  const compileOptions = { target, relaxed: mayRelax({ target, relaxed: options.relaxed }), workers: [1] };
  const usual = machineOf(compileOptions);
  const executor = await Executor.create({ threads });
  try {
    const measure = new Measure(executor, compileOptions);
    const arithmetic = await measure.rates(contractions());
    const far = await measure.rates(sums(4, 1 << 19));
    const near = await measure.rates(sums(4, 1 << 14));
    const { callNs, barrierNs, wakeNs } = await measure.overheads(executor.threads);
    const positive = (x: number | null, otherwise: number): number =>
      x !== null && Number.isFinite(x) && x > 0 ? digits(x) : otherwise;
    return {
      flopsPerNs: positive(arithmetic.flopsPerNs, usual.flopsPerNs),
      bytesPerNs: positive(far.bytesPerNs, usual.bytesPerNs),
      nearBytesPerNs: positive(near.bytesPerNs, usual.nearBytesPerNs),
      callNs: positive(callNs, usual.callNs),
      barrierNs: positive(barrierNs, usual.barrierNs),
      wakeNs: positive(wakeNs, usual.wakeNs),
    };
  } finally {
    await executor.dispose();
  }
}

/** Three digits say more than one measurement knows. */
function digits(x: number): number {
  return Number(x.toPrecision(3));
}

function contractions(): Graph {
  const product = matmul(input('a', [128, 192]), input('b', [192, 160]));
  const image = conv2d(input('x', [4, 16, 18, 18]), input('w', [32, 16, 3, 3]));
  return graphOf({ product, image });
}

/** Sums of pairs of vectors of `n` elements: a run touches `12 count n` bytes, each once. */
function sums(count: number, n: number): Graph {
  const of = (i: number): Node => add(input(`x${i}`, [n]), input(`y${i}`, [n]));
  return graphOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`sum${i}`, of(i)])));
}

/** Kernels of a few elements, no two alike. */
function tinyKernels(): Graph {
  const of = (n: number): Node => add(input(`x${n}`, [n]), n);
  return graphOf(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`y${i}`, of(i + 1)])));
}

function graphOf(outputs: Readonly<Record<string, Node>>): Graph {
  return makeGraph('calibrate', {
    outputs: Object.entries(outputs).map(([name, node]) => ({ name, node })),
  });
}

type KernelWork = NonNullable<PlanManifest['kernels'][number]['work']>;

class Measure {
  readonly #executor: Executor;
  readonly #options: CompileOptions;

  constructor(executor: Executor, options: CompileOptions) {
    this.#executor = executor;
    this.#options = options;
  }

  /** Operations and bytes of all kernels over the time they take on one worker, quick runs of many. */
  async rates(graph: Graph): Promise<{ flopsPerNs: number; bytesPerNs: number }> {
    let [flops, bytes, ns] = [0, 0, 0];
    for (const { work, took } of await this.#calls(graph)) {
      flops += work.flops;
      bytes += work.bytes;
      ns += took;
    }
    return { flopsPerNs: flops / ns, bytesPerNs: bytes / ns };
  }

  /** `barrierNs` and `wakeNs` are null for one thread. */
  async overheads(
    threads: number,
  ): Promise<{ callNs: number; barrierNs: number | null; wakeNs: number | null }> {
    const calls = await this.#calls(tinyKernels());
    const callNs = typical(calls.map(({ took }) => took));
    if (threads === 1) return { callNs, barrierNs: null, wakeNs: null };
    const { plan } = compileGraph(graphOf({ y: add(input('x', [1]), 1) }), this.#options);
    const meeting = (count: number): Plan =>
      withLists(
        plan,
        Array.from({ length: threads }, (_, w) => [
          ...Array.from({ length: count }, (): ScheduleItem => ({ do: 'barrier' })),
          run(w),
        ]),
      );
    const oneAlone = withLists(plan, [Array.from({ length: threads }, (_, step) => run(step))]);
    const [less, more, together, alone] = await this.#walls([
      meeting(few),
      meeting(many),
      meeting(0),
      oneAlone,
    ]);
    return {
      callNs,
      barrierNs: (more! - less!) / (many - few),
      wakeNs: (together! - alone!) / (threads - 1),
    };
  }

  /** What each call of the graph's kernels does, and the nanoseconds that it takes on one worker. */
  async #calls(graph: Graph): Promise<{ readonly work: KernelWork; readonly took: number }[]> {
    const { plan } = compileGraph(graph, this.#options);
    const loaded = await this.#executor.load(plan);
    const inputs = Object.fromEntries(
      graph.inputs.map((n) => [n.name!, new Float32Array(elementCount(n.type.shape)).fill(0.5)]),
    );
    const { walk, runs } = await this.#executor.profile(loaded, inputs, { runs: 40, warmUp: 40 });
    await this.#executor.unload(loaded);
    const { kernels, steps } = plan.manifest;
    return Array.from(walk.steps[0]!, (step, item) => ({
      work: kernels[steps[step]!.kernel]!.work!,
      took:
        1e6 *
        typical(
          runs.map(({ workers: [times] }) => times![tableHead + item]! - times![tableHead + item - 1]!),
        ),
    }));
  }

  /** Nanoseconds of a run of each plan, in turns, so that what else the machine does meets all alike. */
  async #walls(plans: readonly Plan[]): Promise<number[]> {
    const loaded = [];
    for (const plan of plans) loaded.push(await this.#executor.load(plan));
    const took = plans.map((): number[] => []);
    for (let round = -10; round < 40; round++) {
      for (const [k, plan] of loaded.entries()) {
        const start = performance.now();
        await this.#executor.run(plan, { x: [1] });
        if (round >= 0) took[k]!.push(1e6 * (performance.now() - start));
      }
    }
    for (const plan of loaded) await this.#executor.unload(plan);
    return took.map(typical);
  }
}

function run(step: number): ScheduleItem {
  return { do: 'run', step, begin: 0, end: 1 };
}

/** The plan's only step, as often as the lists call it. */
function withLists(plan: Plan, lists: readonly (readonly ScheduleItem[])[]): Plan {
  const [step] = plan.manifest.steps;
  const calls = lists.flat().filter((item) => item.do === 'run').length;
  const manifest: PlanManifest = {
    ...plan.manifest,
    steps: new Array<typeof step & {}>(calls).fill(step!),
    schedules: [{ workers: lists.length, lists }],
    buffers: [],
  };
  return { ...plan, manifest };
}

/** Neither the luckiest nor what others on this machine have delayed: the first quartile. */
function typical(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 2]!;
}
