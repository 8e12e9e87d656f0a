// Runs programs on the pool of workers that all executors share. After a failure the pool is replaced at the next use; each
// executor then sends its programs again.

import { HeddleError, runtimeError } from './errors.ts';
import { OwnPart } from './own-part.ts';
import { type Pool, PoolFailure, PoolLost, type PoolProgram } from './pool.ts';
import type { Program } from './program.ts';
import { Part } from './rounds.ts';
import { ProgramRefused, type Runner, stepFailure } from './runner.ts';
import { sharedPool } from './shared-pool.ts';
import type { TimeTable } from './timing.ts';

/** A run that took no longer may be done with the calling thread's help next time: its event loop stands still so long. */
const shortMs = 2;

export class ThreadedRunner implements Runner {
  readonly #memory: WebAssembly.Memory;
  readonly #workers: number;
  readonly #programs = new Map<Program, PoolProgram>();
  /** Of programs that note their times. */
  readonly #tables = new Map<Program, readonly TimeTable[]>();
  /** How long the last run of each program took, and the caller's part in it once it has had one. */
  readonly #lasted = new Map<Program, number>();
  readonly #ownParts = new Map<Program, OwnPart>();
  #pool: Pool | undefined;
  #stopped: Error | undefined;

  private constructor(memory: WebAssembly.Memory, workers: number) {
    this.#memory = memory;
    this.#workers = workers;
  }

  /** Starts the workers, if there are not enough yet; `onStarting`: see `Pool.grow`. Throws HDL1003. */
  static async start(
    memory: WebAssembly.Memory,
    workers: number,
    onStarting?: () => void,
  ): Promise<ThreadedRunner> {
    const runner = new ThreadedRunner(memory, workers);
    sharedPool.acquire();
    try {
      await runner.#ready(onStarting);
    } catch (error) {
      sharedPool.release();
      throw error;
    }
    return runner;
  }

  async load(program: Program): Promise<void> {
    const { code, control, walk } = program;
    const sent: PoolProgram = {
      plan: sharedPool.nextPlan(),
      code,
      memory: this.#memory,
      control,
      participants: walk.participants,
      spinMs: sharedPool.spinMs(walk.participants),
      lists: walk.lists,
      offers: walk.offers,
    };
    await this.#onPool((pool) => this.#loadInto(pool, program, sent));
    this.#programs.set(program, sent);
  }

  unload(program: Program): void {
    const sent = this.#programs.get(program);
    if (sent === undefined) return;
    this.#programs.delete(program);
    this.#lasted.delete(program);
    this.#ownParts.delete(program);
    void this.#pool?.withdraw([sent.plan], new PoolLost());
  }

  async run(program: Program): Promise<void> {
    const begin = performance.now();
    try {
      if (this.#isShort(program)) {
        const own = this.#ownPart(program);
        await this.#onPool((pool) => pool.runTogether(this.#programs.get(program)!, () => own.walk()));
      } else await this.#onPool((pool) => pool.run(this.#programs.get(program)!));
    } catch (error) {
      if (!(error instanceof PoolFailure)) throw error;
      throw stepFailure(program, error.worker, error.position, error.message, error);
    }
    this.#lasted.set(program, performance.now() - begin);
  }

  /** Whether a run is of one round and will be over soon, as the last one was. */
  #isShort(program: Program): boolean {
    const { control } = program;
    const isOneRound = control[Part.rounds] === 1 && control[Part.shared] === 0;
    return isOneRound && !this.#tables.has(program) && (this.#lasted.get(program) ?? Infinity) <= shortMs;
  }

  #ownPart(program: Program): OwnPart {
    let own = this.#ownParts.get(program);
    if (own === undefined) {
      own = new OwnPart(program, this.#memory, sharedPool.spinMs(program.walk.participants));
      this.#ownParts.set(program, own);
    }
    return own;
  }

  async time(program: Program, tables: readonly TimeTable[] | null): Promise<void> {
    if (tables === null) this.#tables.delete(program);
    else this.#tables.set(program, tables);
    // A new pool is told when it gets the program.
    if (this.#pool === undefined || this.#pool !== sharedPool.current) return;
    try {
      await this.#pool.time(this.#programs.get(program)!, tables);
    } catch (error) {
      if (error instanceof PoolLost) return;
      if (!(error instanceof PoolFailure)) throw error;
      throw stepFailure(program, error.worker, error.position, error.message, error);
    }
  }

  async stop(reason: Error): Promise<void> {
    this.#stopped = reason;
    const plans = [...this.#programs.values()].map(({ plan }) => plan);
    await this.#pool?.withdraw(plans, reason);
    this.#programs.clear();
    this.#lasted.clear();
    this.#ownParts.clear();
    sharedPool.release();
  }

  /** Does something on a pool that works and knows all programs of this executor; again if the pool breaks before. */
  async #onPool(operate: (pool: Pool) => Promise<void>): Promise<void> {
    for (;;) {
      const pool =
        this.#pool !== undefined && this.#pool === sharedPool.current ? this.#pool : await this.#ready();
      if (this.#stopped) throw this.#stopped;
      try {
        await operate(pool);
        break;
      } catch (error) {
        if (!(error instanceof PoolLost)) throw error;
      }
    }
    if (this.#stopped) throw this.#stopped;
  }

  async #ready(onStarting?: () => void): Promise<Pool> {
    for (;;) {
      try {
        const pool = await sharedPool.ready(this.#workers, onStarting);
        for (const [program, sent] of this.#programs) {
          if (this.#stopped) break;
          await this.#loadInto(pool, program, sent);
        }
        this.#pool = pool;
        return pool;
      } catch (error) {
        if (error instanceof PoolLost) continue;
        if (error instanceof HeddleError || error instanceof ProgramRefused) throw error;
        throw cannotStart(this.#workers, error);
      }
    }
  }

  async #loadInto(pool: Pool, program: Program, sent: PoolProgram): Promise<void> {
    try {
      await pool.load(sent);
      const tables = this.#tables.get(program);
      if (tables !== undefined) await pool.time(sent, tables);
    } catch (error) {
      if (!(error instanceof PoolFailure)) throw error;
      throw runtimeError(
        'HDL1003',
        {
          what: `worker ${error.worker} failed while '${program.manifest.entry}' was loaded: ${error.message}`,
          hint: 'load it again: workers are started anew',
        },
        { cause: error },
      );
    }
  }
}

function cannotStart(workers: number, cause: unknown): HeddleError {
  return runtimeError(
    'HDL1003',
    {
      what: `${workers} workers cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'create the executor with { threads: 1 }; in a bundle, check that worker.js is emitted beside it',
    },
    { cause },
  );
}
