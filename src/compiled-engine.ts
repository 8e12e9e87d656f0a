// The compiler and the runtime as an engine, for targets `wasm` and `js`. Plans come from plan-source.ts.

import { type CompileOptions, compileGraph, machineOf, type Schedules } from '../compiler/compile.ts';
import { compilerError } from '../compiler/graph/errors.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import type { Machine } from '../compiler/kernel/ir.ts';
import { Executor } from '../runtime/executor.ts';
import { featureObstacle, relaxedSimd } from '../runtime/features.ts';
import { availableCores, canShareMemory } from '../runtime/host.ts';
import { type CodeAhead, compileAhead } from '../runtime/kernel-code.ts';
import type { Engine } from './engine.ts';
import { type PlanCache, PlanSource } from './plan-source.ts';

export interface EngineOptions {
  readonly target: 'wasm' | 'js';
  readonly threads?: number | undefined;
  readonly checkNumerics?: boolean | undefined;
  readonly relaxed?: boolean | 'auto' | undefined;
  readonly winograd?: boolean | undefined;
  readonly memory?: { readonly budget: number } | undefined;
  readonly schedules?: Schedules | undefined;
  readonly machine?: Machine | undefined;
  readonly cache?: PlanCache | undefined;
}

/**
 * Whether every compilation verifies each pass, each kernel and the plan. Slow: for test suites, which ask for it by the
 * environment variable HEDDLE_VERIFY=1, so that no test can forget it.
 */
const verifyEverything: boolean = typeof process === 'object' && process.env?.['HEDDLE_VERIFY'] === '1';

/** The compiler and the runtime. Threads start when something is about to be loaded. Throws HDL0003, HDL0017 for `relaxed`. */
export function compiledEngine(options: EngineOptions): Engine {
  const threads = options.threads ?? availableCores();
  const isShared = threads > 1 && canShareMemory();
  const compileOptions: CompileOptions = {
    target: options.target,
    // One worker too, for hosts that cannot share memory.
    workers: [1, threads],
    checkNumerics: options.checkNumerics ?? false,
    relaxed: mayRelax(options),
    winograd: options.winograd ?? true,
    verify: verifyEverything,
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    ...(options.schedules === undefined ? {} : { schedules: options.schedules }),
    ...(options.machine === undefined ? {} : { machine: options.machine }),
  };
  const source = new PlanSource(compileOptions, options.cache);
  const unchecked = compileOptions.checkNumerics
    ? new PlanSource({ ...compileOptions, checkNumerics: false }, undefined)
    : source;
  const machine = machineOf(compileOptions);
  let executor: Executor | null = null;
  let starting: Promise<Executor> | null = null;

  /** Code of plans to come that is being compiled, by its bytes. */
  const ahead = new WeakMap<Uint8Array, CodeAhead>();
  const onCode = (code: Uint8Array, features: readonly string[]): void => {
    if (options.target === 'wasm') ahead.set(code, compileAhead(code, features, isShared));
  };

  const begin = (): Promise<void> =>
    new Promise((resolve) => {
      if (starting !== null) return resolve();
      starting = Executor.create({ threads, onStarting: resolve });
      starting.then(
        () => resolve(),
        () => {
          starting = null;
          resolve();
        },
      );
    });
  const start = async (): Promise<Executor> => {
    starting ??= Executor.create({ threads });
    try {
      executor = await starting;
      return executor;
    } catch (error) {
      starting = null;
      throw error;
    }
  };
  const has = (name: string): boolean => executor?.variableNames().includes(name) ?? false;

  return {
    get threads() {
      return executor?.threads ?? threads;
    },
    begin,
    compile: (graph, next) => source.compile(graph, next && onCode),
    compileUnchecked: (graph) => unchecked.compile(graph),
    obtain: (graph) => source.obtain(graph, onCode),
    explore: (graph, schedules) => {
      const all = { ...compileOptions.schedules, ...schedules };
      const compilation = compileGraph(graph, { ...compileOptions, schedules: all });
      return {
        compiled: compilation,
        contractions: compilation.contractions,
        steps: compilation.lowered.steps.map((step) => step.contraction ?? null),
      };
    },
    variants: (compiled) => source.variants(compiled),
    load: async ({ plan }, initial) => {
      const running = await start();
      const loaded = await running.load(plan!, initial, ahead.get(plan!.code));
      ahead.delete(plan!.code);
      return {
        run: (inputs) => running.run(loaded, inputs),
        runSteps: (request) => running.runSteps(loaded, request),
        inputs: () => running.inputs(loaded),
        measure: async (inputs, options) => ({
          ...(await running.profile(loaded, inputs, options)),
          machine,
        }),
        unload: () => running.unload(loaded),
      };
    },
    get: (name) => (has(name) ? executor!.get(name) : null),
    set: (name, values) => {
      if (!has(name)) return false;
      executor!.set(name, values);
      return true;
    },
    keep: async (tensors) => (await start()).keep(tensors),
    drop: async (rows) => executor?.drop(rows),
    dispose: async () => {
      await (await starting)?.dispose();
    },
  };
}

/** Whether plans may use fused multiply-add: what the user says, or whether the engine has it. */
export function mayRelax({ relaxed = 'auto', target }: Pick<EngineOptions, 'relaxed' | 'target'>): boolean {
  if (typeof relaxed !== 'boolean' && relaxed !== 'auto') {
    throw compilerError('HDL0003', {
      what: `option relaxed: ${JSON.stringify(relaxed)}`,
      rule: "relaxed is true, false or 'auto'",
      hint: "leave it out: 'auto' uses fused multiply-add where the engine has it",
      loc: callerLocation(),
    });
  }
  if (relaxed === false || target === 'js') return false;
  const obstacle = featureObstacle(relaxedSimd);
  if (relaxed === 'auto' || obstacle === null) return obstacle === null;
  throw compilerError('HDL0017', {
    what: `option relaxed: true needs ${relaxedSimd}, and ${obstacle}`,
    rule: 'a program is compiled for the engine that it is made in',
    hint: "use relaxed: 'auto'; a file for other engines is made by save({ variants: true })",
    loc: callerLocation(),
  });
}
