// compileGraph: from a graph to a plan. Reads as the list of stages; each is timed and can be printed.
//
//   verify → passes (simplify, legalize, …) → lower (layouts, fusion, kernels) → schedule (order, memory, workers) → emit

import { HeddleError } from '../runtime/errors.ts';
import type { Plan } from '../runtime/plan.ts';
import { checkSize } from './check-size.ts';
import { inspect } from './dump/inspect.ts';
import type { Inspection } from './dump/inspection.ts';
import { type Dumpable, type DumpOptions, type DumpStage, dumpStage } from './dump.ts';
import { isTyped } from './graph/build.ts';
import { compilerError } from './graph/errors.ts';
import type { Graph } from './graph/ir.ts';
import { verifyGraph } from './graph/verify.ts';
import type { Machine } from './kernel/ir.ts';
import { checkSchedules, type Schedules } from './kernel/tiles.ts';
import { verifyKernel } from './kernel/verify.ts';
import { type ContractionInfo, tilesApplied, tilesLeftAside } from './lower/contractions.ts';
import type { FusionDecisions } from './lower/decisions.ts';
import { lowerGraph } from './lower/lower.ts';
import { printFusion } from './lower/print-fusion.ts';
import { type PassRecord, runPasses } from './passes/manager.ts';
import { standardPasses } from './passes/pipeline.ts';
import { checkPlan } from './schedule/check.ts';
import { checkMachine, defaultMachine } from './schedule/cost.ts';
import type { Lowered } from './schedule/lowered.ts';
import { schedulePlan } from './schedule/plan.ts';
import { checkPlanText } from './schedule/plan-roundtrip.ts';
import { type Backend, backends } from './target/backends.ts';

export type { Inspection } from './dump/inspection.ts';
export { checkStage, type DumpOptions, type DumpStage, dumpStages, isStage } from './dump.ts';
export type { Schedules, Tile } from './kernel/tiles.ts';
export type { ContractionInfo, TileCandidate } from './lower/contractions.ts';
export type { EdgeDecision, Fate, FusedKernel, FusionDecisions, ValueDecision } from './lower/decisions.ts';
export type { PassRecord } from './passes/manager.ts';

export type TargetKind = Backend['kind'];

export interface CompileOptions {
  /** `wasm` (default) or `js` (readable source, for debugging and for places without WebAssembly). */
  readonly target?: TargetKind;
  /** The plan holds one schedule for each of these worker counts; default [1]. */
  readonly workers?: readonly number[];
  /** Record the first op that produces NaN or an infinity. Slower. */
  readonly checkNumerics?: boolean;
  /** Use fused multiply-add (`relaxed-simd`) where the target has it: faster, other last bits. Who runs it must have it. */
  readonly relaxed?: boolean;
  /**
   * Compute convolutions by fewer products (passes/winograd.ts) where that is faster: about twice the rounding error, other last
   * bits. Default true; with a memory budget only where it takes little memory.
   */
  readonly winograd?: boolean;
  /**
   * Bytes that the arena of a run may have: values are computed again, convolutions too, until the plan fits. Default: only
   * what costs next to no time is computed again.
   */
  readonly memory?: { readonly budget: number };
  /** How fast the machine is that will run the plan (`calibrate`); default: the target's. Changes no result. */
  readonly machine?: Machine;
  /**
   * Register tiles of contractions by their keys, in place of those that the compiler would choose (`program.tune` finds
   * them; `dump('kernels')` shows keys). Changes no result. Keys that no contraction has are left aside, and told of in
   * `dump('plan')`: one record serves all entries, sizes and targets.
   */
  readonly schedules?: Schedules;
  /** Verify after each pass and prove the plan safe: for tests. */
  readonly verify?: boolean;
  /** Called after each pass. */
  readonly onPass?: (record: PassRecord) => void;
  /** Called with the plan's code as soon as it is there, before the rest of the plan is: an engine may compile it meanwhile. */
  readonly onCode?: (code: Uint8Array, features: readonly string[]) => void;
}

export interface Timing {
  readonly name: string;
  readonly ms: number;
}

export interface Compilation {
  readonly plan: Plan;
  readonly source: Graph;
  readonly graph: Graph;
  readonly lowered: Lowered;
  /** Contractions in order of first appearance; steps of `lowered` name theirs by key. */
  readonly contractions: readonly ContractionInfo[];
  readonly timings: readonly Timing[];
  /** Where each value of `graph` lies, which share a kernel, and why: plain data. Made when it is asked for. */
  readonly decisions: FusionDecisions;
  /** Text of a stage; see `dumpStages`. */
  dump(stage: DumpStage, options?: DumpOptions): string;
  /** Everything, as data: what the viewer shows. */
  inspect(): Inspection;
}

/** The options that a plan depends on, with their defaults. */
export interface PlanOptions extends Omit<CompileOptions, 'verify' | 'onPass' | 'onCode'> {
  readonly target: TargetKind;
  readonly workers: readonly number[];
  readonly checkNumerics: boolean;
  readonly relaxed: boolean;
  readonly winograd: boolean;
}

/** Takes from the options what a plan depends on. Throws HDL0003 for those that are not valid. */
export function planOptions(options: CompileOptions): PlanOptions {
  const { verify: _verify, onPass: _onPass, onCode: _onCode, schedules = {}, machine, ...rest } = options;
  const tiles = checkSchedules(schedules);
  return {
    ...rest,
    ...(Object.keys(tiles).length > 0 && { schedules: tiles }),
    ...(machine === undefined ? {} : { machine: checkMachine(machine) }),
    target: backendOf(options.target ?? 'wasm').kind,
    workers: workerCounts(options.workers ?? [1]),
    checkNumerics: options.checkNumerics ?? false,
    relaxed: options.relaxed ?? false,
    winograd: options.winograd ?? true,
  };
}

/**
 * Compiles a graph: one specialisation of one entry point, all shapes known. Pure: the same graph and options give the
 * same plan, byte for byte. Throws HDL0003 for options that are not valid, HDL0011 for a graph
 * that does not verify, HDL0017 for what the target cannot express or address, HDL0018 for a memory budget that cannot be met.
 *
 * @example
 * const { plan, dump } = compileGraph(graph, { workers: [1, 2] });
 * console.log(dump('plan'));
 */
export function compileGraph(source: Graph, options: CompileOptions = {}): Compilation {
  const chosen = planOptions(options);
  try {
    return compileWith(source, options, chosen);
  } catch (error) {
    const isOverBudget = error instanceof HeddleError && error.code === 'HDL0018';
    if (!isOverBudget || !chosen.winograd) throw error;
    return compileWith(source, options, { ...chosen, winograd: false });
  }
}

/** Of a memory budget, what one convolution may take for the sums of which it needs fewer products. */
const winogradShare = 1 / 8;

function compileWith(source: Graph, options: CompileOptions, chosen: PlanOptions): Compilation {
  const { target: kind, workers, checkNumerics, relaxed, winograd, memory, machine, schedules = {} } = chosen;
  const backend = backends[kind];
  const timings: Timing[] = [];
  const passes: PassRecord[] = [];
  const timed = <T>(name: string, run: () => T): T => {
    const start = performance.now();
    const result = run();
    timings.push({ name, ms: performance.now() - start });
    return result;
  };

  timed('verify', () => verifyGraph(source, options.verify ? undefined : isTyped));
  const mostBytes = memory === undefined ? Infinity : winogradShare * memory.budget;
  const pipeline = standardPasses({ checkNumerics, winograd: winograd ? { mostBytes } : null });
  const graph = runPasses(source, pipeline, {
    verify: options.verify ?? false,
    now: () => performance.now(),
    onPass: (record) => {
      timings.push({ name: record.name, ms: record.ms });
      passes.push(record);
      options.onPass?.(record);
    },
  });
  const target = backend.describe({ relaxed });
  const lowered = timed('lower', () => lowerGraph(graph, target, schedules));
  const kernels = [...new Set(lowered.steps.map((s) => s.kernel))];
  if (options.verify) timed('verify kernels', () => kernels.forEach(verifyKernel));
  const emission = { shared: workers.some((w) => w > 1), relaxed };
  const code = timed('emit', () => backend.emit(kernels, emission));
  if (options.onCode) timed('begin code', () => options.onCode!(code, target.features));
  const { plan, lowered: ordered } = timed('schedule', () =>
    schedulePlan(lowered, {
      target,
      targetKind: backend.kind,
      workers,
      code,
      budget: memory?.budget,
      machine,
      tiles: tilesApplied(lowered.contractions),
    }),
  );
  checkSize(plan.manifest, ordered);
  if (options.verify) {
    timed('check plan', () => checkPlan(plan, ordered, lowered));
    checkPlanText(plan);
  }

  let decisions: FusionDecisions | null = null;
  const fusion = (): FusionDecisions => {
    decisions ??= lowered.fusion();
    return decisions;
  };
  const shown: Dumpable = {
    plan,
    source,
    graph,
    passes,
    lowered: ordered,
    machine: machine ?? target.machine ?? defaultMachine,
    target: backend,
    language: backend.language,
    passDocs: new Map(pipeline.map((p) => [p.name, p.doc])),
    planNotes: tilesLeftAside(schedules, lowered.contractions),
    printCode: (list) => backend.print(list, emission),
    printFusion: () => printFusion(fusion()),
  };
  return {
    plan,
    source,
    graph,
    lowered: ordered,
    contractions: lowered.contractions,
    timings,
    dump: (stage, of) => dumpStage(shown, stage, of),
    inspect: () => inspect(shown),
    get decisions() {
      return fusion();
    },
  };
}

/** How fast the machine is thought to be that will run what is compiled with these options. Throws HDL0003. */
export function machineOf(options: CompileOptions): Machine {
  const { machine, target, relaxed } = planOptions(options);
  return machine ?? backends[target].describe({ relaxed }).machine ?? defaultMachine;
}

function backendOf(target: TargetKind): Backend {
  if (Object.hasOwn(backends, target)) return backends[target];
  throw compilerError('HDL0003', {
    what: `compileGraph(…, { target: '${target}' })`,
    rule: `the target is one of ${Object.keys(backends).join(', ')}`,
  });
}

/** Each count once, in order. */
function workerCounts(workers: readonly number[]): number[] {
  if (workers.length > 0 && workers.every((w) => Number.isInteger(w) && w > 0))
    return [...new Set(workers)].sort((a, b) => a - b);
  throw compilerError('HDL0003', {
    what: `compileGraph(…, { workers: [${workers.join(', ')}] })`,
    rule: 'worker counts are positive integers, one at least',
    hint: 'workers: [1, 4] makes a plan for one worker and for four',
  });
}
