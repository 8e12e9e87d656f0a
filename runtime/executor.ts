// The executor: one memory, the variables in it, the plans that are loaded, and one thread or several that run them. Loads,
// runs and unloads take turns in the order of their calls. Whatever fails, state is as it was before the call.

import { Arena } from './arena.ts';
import { Outcome, Word } from './control.ts';
import { runtimeError } from './errors.ts';
import { afterDispose, cannotLoad, findObstacle, unknownVariable } from './executor-errors.ts';
import { requireFeatures } from './features.ts';
import { availableCores } from './host.ts';
import { InlineRunner } from './inline.ts';
import { type CodeAhead, compileCode } from './kernel-code.ts';
import type { KernelCode } from './kernels.ts';
import { checkRuns, type Measured, measureRuns, type ProfileRuns } from './measure.ts';
import { LinearMemory } from './memory.ts';
import type { Plan, PlanManifest, PlanTensor } from './plan.ts';
import { oneRound, Program } from './program.ts';
import { Part } from './rounds.ts';
import { ProgramRefused, type Runner } from './runner.ts';
import { sharedPool } from './shared-pool.ts';
import type { ResidentRows, ResidentTensor } from './step-feed.ts';
import { bindSchedule } from './step-schedule.ts';
import { type RunEnd, runSteps, type StepsRequest, type StepsResult } from './steps.ts';
import { type InitialValues, type RunData, type RunInput, type RunTensor, toData } from './tensor.ts';
import { ThreadedRunner } from './threaded.ts';
import { validatePlan } from './validate.ts';
import { VariableStore, writeTensor } from './variables.ts';

export interface ExecutorOptions {
  /** Threads that compute. Default: as many as there are cores. 1: the calling thread, without workers. */
  readonly threads?: number;
  /** Told when threads were asked for and cannot be had. Default: `console.warn`, once in a process or page. */
  readonly onNotice?: (text: string) => void;
  /** Memory never grows beyond this. Default: 4 GiB. */
  readonly maximumBytes?: number;
  /** Called once all threads have been told to start, long before they have: they come up while the caller does other things. */
  readonly onStarting?: () => void;
}

/** A plan that is ready to run, in one executor. */
export interface LoadedPlan {
  readonly manifest: PlanManifest;
}

/**
 * Runs plans.
 *
 *     const executor = await Executor.create({ threads: 2 });
 *     const train = await executor.load(plan, (variable) => initialValues[variable.name]);
 *     const { loss } = await executor.run(train, { images, labels });   // loss: { dtype: 'f32', shape: [], data }
 *     await executor.dispose();
 */
export class Executor {
  /** Threads that compute; 1 means the calling thread. */
  readonly threads: number;

  readonly #memory: LinearMemory;
  readonly #arena: Arena;
  readonly #variables: VariableStore;
  readonly #runner: Runner;
  readonly #programs = new Set<Program>();
  /** The program whose run is in flight: its commits are still to be told to the variables. */
  #running: Program | null = null;
  /** Turns that are taken or waited for. */
  #turns = 0;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #disposed: Promise<void> | undefined;

  private constructor(threads: number, memory: LinearMemory, runner: Runner) {
    this.threads = threads;
    this.#memory = memory;
    this.#arena = new Arena(memory);
    this.#variables = new VariableStore(memory);
    this.#runner = runner;
  }

  /** Makes an executor; starts its workers. Throws HDL1001 (options), HDL1003, HDL1007. */
  static async create(options: ExecutorOptions = {}): Promise<Executor> {
    const cores = availableCores();
    let threads = options.threads ?? cores;
    if (!Number.isInteger(threads) || threads < 1) {
      throw runtimeError('HDL1001', {
        what: `an executor cannot have ${String(threads)} threads`,
        rule: 'threads is an integer of at least 1',
        hint: `leave it out to get one per core: ${cores} here`,
      });
    }
    const obstacle = threads > 1 ? await findObstacle() : null;
    if (obstacle !== null) {
      const notice = options.onNotice ?? ((text: string) => sharedPool.warn(text));
      notice(`Heddle runs in one thread instead of ${threads}: ${obstacle}`);
      threads = 1;
    }
    const limit = options.maximumBytes === undefined ? {} : { maximumBytes: options.maximumBytes };
    const memory = new LinearMemory({ shared: threads > 1, ...limit });
    if (threads === 1) return new Executor(1, memory, new InlineRunner(memory));
    const runner = await ThreadedRunner.start(memory.memory, threads, options.onStarting);
    return new Executor(threads, memory, runner);
  }

  /**
   * Loads a plan: checks it, compiles its code, places it in memory. Variables that are new here get their values from
   * `initial`; the others keep theirs. `ahead`: its code, if it is being compiled already: then the compiler in this process
   * has just made the plan, and it is checked while the workers get ready. Throws HDL1006 (not a valid plan, or not of
   * this program), HDL1001 (an initial value does not fit), HDL1007, HDL1003, HDL1002.
   */
  async load(plan: Plan, initial?: InitialValues, ahead?: CodeAhead): Promise<LoadedPlan> {
    this.#checkOpen('load a plan');
    const isFresh = ahead !== undefined && ahead.code === plan.code;
    if (!isFresh) validatePlan(plan);
    requireFeatures(plan.manifest.entry, plan.manifest.features);
    return this.#takeTurn('load a plan', async () => {
      const code = await compileCode(plan, this.#memory.shared, ahead);
      this.#checkOpen('load a plan');
      const program = this.#place(plan, code, initial);
      try {
        const ready = this.#runner.load(program.program);
        if (isFresh) await checkMeanwhile(plan, ready);
        else await ready;
      } catch (error) {
        this.#runner.unload(program.program);
        program.undo();
        throw error instanceof ProgramRefused ? cannotLoad(plan, error.message, error) : error;
      }
      this.#programs.add(program.program);
      return program.program;
    });
  }

  /**
   * Runs a plan once and commits the variables that it updates. Inputs are row-major, by name: exactly those of the
   * plan. They are copied before this returns. Outputs are copies.
   * Throws HDL1001 (inputs), HDL1002, HDL1003 (a kernel or worker failed), HDL1004 and HDL1005 (checks); then
   * no variable has changed.
   */
  async run(
    loaded: LoadedPlan,
    inputs: Readonly<Record<string, RunInput>>,
  ): Promise<Record<string, RunTensor>> {
    this.#checkOpen('run a plan');
    const program = this.#owned(loaded);
    let bound = program.bindInputs(inputs);
    // Who waits for a turn must not see what the caller writes to its arrays in the meantime.
    if (this.#turns > 0) bound = bound.map((data) => data.slice());
    return this.#takeTurn('run a plan', async () => {
      this.#owned(program);
      program.writeInputs(bound);
      program.prepare(oneRound);
      const { outcome, error } = await this.#execute(program);
      if (error !== undefined) throw error;
      if (outcome === Outcome.checkFailed) throw program.flagsError(null);
      return Object.fromEntries(
        program.manifest.outputs.map((output) => [output.name, program.readOutput(output)]),
      );
    });
  }

  /**
   * Runs a plan many times without coming back to the caller in between, and commits after each time. Outputs that are kept
   * of each step come as [steps, …]. Feeds are read while it runs: leave them alone until it has ended. When it is aborted
   * by its signal, it ends with the steps that are done.
   * Throws as `run`; the error names the step, and the steps before it stay committed.
   */
  async runSteps(loaded: LoadedPlan, request: StepsRequest): Promise<StepsResult> {
    this.#checkOpen('run a plan');
    this.#owned(loaded);
    return this.#takeTurn('run a plan', async () => {
      const program = this.#owned(loaded);
      return runSteps(
        {
          memory: this.#memory,
          execute: (p) => this.#execute(p),
          schedule: (p, name, values, steps) =>
            bindSchedule(p, this.#variables, this.#find(name, 'schedule'), values, steps),
        },
        program,
        request,
      );
    });
  }

  /**
   * Views of a plan's inputs in memory. Who writes them and passes them to `run` saves a copy; not while a run is in flight,
   * and they are to be asked for again when another plan was loaded. Throws HDL1001, HDL1007, HDL1002.
   */
  async inputs(loaded: LoadedPlan): Promise<Record<string, RunData>> {
    this.#checkOpen('write inputs');
    this.#owned(loaded);
    return this.#takeTurn('write inputs', async () => this.#owned(loaded).inputViews());
  }

  /** Copies rows into memory, to feed many steps from. To be given back by `drop`. Throws HDL1001, HDL1007, HDL1002. */
  async keep(tensors: readonly (PlanTensor & { readonly values: RunInput })[]): Promise<ResidentRows> {
    this.#checkOpen('keep data');
    return this.#takeTurn('keep data', async () => {
      const rows = new Map<string, ResidentTensor>();
      try {
        for (const { name, dtype, shape, values } of tensors) {
          const data = toData(`resident data '${name}'`, { name, dtype, shape }, values);
          const region = this.#memory.allocate(data.byteLength, `resident data '${name}'`);
          const order = shape.map((_, d) => d);
          rows.set(name, { dtype, shape: shape.slice(1), rows: shape[0] ?? 0, region });
          writeTensor(this.#memory, { name, dtype, shape, order }, region.address, data);
        }
      } catch (error) {
        for (const { region } of rows.values()) this.#memory.free(region);
        throw error;
      }
      return { tensors: rows };
    });
  }

  /** Gives the memory of resident rows back, once the runs before have ended. */
  async drop({ tensors }: ResidentRows): Promise<void> {
    if (this.#disposed) return;
    await this.#takeTurn('drop data', async () => {
      for (const { region } of tensors.values()) this.#memory.free(region);
    });
  }

  /**
   * Runs a plan several times with the same inputs and notes the time of every kernel call and every wait, in the
   * threads that do it. Commits nothing: variables stay as they are. Throws HDL1001 (inputs, counts), and as `run`.
   */
  async profile(
    loaded: LoadedPlan,
    inputs: Readonly<Record<string, RunInput>>,
    options: ProfileRuns,
  ): Promise<Measured> {
    this.#checkOpen('profile a plan');
    const program = this.#owned(loaded);
    checkRuns(options);
    const bound = program.bindInputs(inputs).map((data) => data.slice());
    return this.#takeTurn('profile a plan', async () => {
      this.#owned(program);
      return measureRuns(program, this.#runner, bound, this.threads > 1, options);
    });
  }

  /** Forgets a plan, once the runs before it have ended. Variables stay. Throws HDL1002. */
  async unload(loaded: LoadedPlan): Promise<void> {
    this.#checkOpen('unload a plan');
    this.#owned(loaded);
    await this.#takeTurn('unload a plan', async () => {
      const program = this.#owned(loaded);
      this.#programs.delete(program);
      this.#runner.unload(program);
      program.free();
      this.#arena.remove(program.manifest.arenaBytes);
    });
  }

  /** Names of the variables of all plans loaded so far, in order of declaration. Throws HDL1002. */
  variableNames(): string[] {
    this.#checkOpen('list variables');
    return this.#variables.names();
  }

  /** A copy of the last committed value of a variable. Throws HDL1008 when there is none of this name, HDL1002. */
  get(name: string): RunTensor {
    const index = this.#find(name, 'read');
    const running = this.#running;
    if (running === null || !running.updates(index)) return this.#variables.read(index);
    // Workers commit on their own. A copy is whole if nothing was committed while it was made.
    for (let attempt = 0; attempt < 1000; attempt++) {
      const before = running.committed;
      const value = this.#variables.read(index, before % 2 === 1);
      if (running.isStillAt(before)) return value;
    }
    throw runtimeError('HDL1009', {
      what: `variable '${name}' changes too fast to be read now`,
      rule: 'a value that is read is that of one step',
      hint: 'read it between runs, or run fewer steps at once',
    });
  }

  /**
   * Sets a variable, row-major, between runs. Throws HDL1008 (no such variable), HDL1001 (values do not fit), HDL1009
   * (a run or load has not ended yet), HDL1002.
   */
  set(name: string, values: RunInput): void {
    const index = this.#find(name, 'set');
    const data = toData(`value for variable '${name}'`, this.#variables.declared(index), values);
    if (this.#turns > 0) {
      throw runtimeError('HDL1009', {
        what: `variable '${name}' cannot be set now`,
        rule: 'variables are set between runs',
        hint: 'await the run or load in flight first',
      });
    }
    this.#variables.write(index, data);
  }

  /** Bytes of memory in use by plans and variables, and bytes that memory has grown to. */
  memoryUse(): { readonly usedBytes: number; readonly sizeBytes: number } {
    this.#checkOpen('measure memory');
    return { usedBytes: this.#memory.usedBytes, sizeBytes: this.#memory.sizeBytes };
  }

  /** Ends the threads. Calls in flight are rejected with HDL1002, and so is every later use. May be called again. */
  dispose(): Promise<void> {
    this.#disposed ??= (async () => {
      await this.#runner.stop(afterDispose('finish what was in flight'));
      await this.#lastTurn;
    })();
    return this.#disposed;
  }

  /** Runs a program as it is prepared, and commits the rounds that are complete. */
  async #execute(program: Program): Promise<RunEnd> {
    this.#running = program;
    let error: unknown;
    try {
      await this.#runner.run(program);
    } catch (reason) {
      error = reason;
    }
    // A round in which something failed does not count, even when it failed after its end.
    const most = program.control[Part.rounds]! - (error === undefined ? 0 : 1);
    const committed = Math.min(program.committed, most);
    const outcome = program.control[Word.outcome]!;
    program.commit(committed);
    this.#running = null;
    return { committed, outcome, error };
  }

  /** Runs `job` when all that was called before has ended; at once if there is nothing. */
  async #takeTurn<T>(what: string, job: () => Promise<T>): Promise<T> {
    const before = this.#lastTurn;
    const isFree = this.#turns++ === 0;
    let end = () => {};
    this.#lastTurn = new Promise<void>((resolve) => {
      end = resolve;
    });
    try {
      if (!isFree) await before;
      this.#checkOpen(what);
      return await job();
    } finally {
      this.#turns--;
      end();
    }
  }

  /** Gives a plan its place in memory; `undo` takes it back. Throws without a trace. */
  #place(
    plan: Plan,
    code: KernelCode,
    initial: InitialValues | undefined,
  ): { readonly program: Program; readonly undo: () => void } {
    const { variables, arenaBytes, entry } = plan.manifest;
    const values = new Map<string, RunData>();
    for (const variable of variables) {
      if (this.#variables.find(variable.name) !== undefined) continue;
      const given = initial?.(variable);
      if (given === undefined) continue;
      values.set(variable.name, toData(`initial value of variable '${variable.name}'`, variable, given));
    }
    const undos: (() => void)[] = [];
    const undo = () => {
      for (const step of undos.reverse()) step();
    };
    try {
      const declared = this.#variables.declare(variables, (variable) => values.get(variable.name));
      undos.push(declared.undo);
      const surroundings = { memory: this.#memory, arena: this.#arena, variables: this.#variables };
      const program = new Program(plan, code, this.threads, surroundings, declared.indices);
      undos.push(() => program.free());
      this.#arena.add(arenaBytes, entry);
      undos.push(() => this.#arena.remove(arenaBytes));
      return { program, undo };
    } catch (error) {
      undo();
      throw error;
    }
  }

  #checkOpen(what: string): void {
    if (this.#disposed) throw afterDispose(what);
  }

  /** The program behind a handle, if it is loaded here. */
  #owned(loaded: LoadedPlan): Program {
    if (loaded instanceof Program && this.#programs.has(loaded)) return loaded;
    throw runtimeError('HDL1002', {
      what: `plan '${loaded?.manifest?.entry}' is not loaded in this executor`,
      rule: 'a plan runs where it was loaded, until it is unloaded',
      hint: 'load it again',
    });
  }

  #find(name: string, what: string): number {
    this.#checkOpen(`${what} variable '${name}'`);
    const index = this.#variables.find(name);
    if (index !== undefined) return index;
    const names = this.#variables.names();
    throw unknownVariable(
      name,
      what,
      names.map((n) => this.#variables.declared(this.#variables.find(n)!)),
    );
  }
}

/** Checks a plan while something else happens, and waits for that. Throws HDL1006, when it has happened. */
async function checkMeanwhile(plan: Plan, other: Promise<void>): Promise<void> {
  const check = async (): Promise<void> => validatePlan(plan);
  const [happened, checked] = await Promise.allSettled([other, check()]);
  for (const each of [happened, checked]) if (each.status === 'rejected') throw each.reason;
}
