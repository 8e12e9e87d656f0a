// Runs programs on a pool of workers. After a failure the pool is replaced at the next use, and gets all programs again.

import { runtimeError } from './errors.ts';
import { Pool, PoolFailure } from './pool.ts';
import type { Program } from './program.ts';
import { type Runner, stepFailure } from './runner.ts';
import type { TimeTable } from './timing.ts';

export interface ThreadedOptions {
  readonly memory: WebAssembly.Memory;
  readonly workers: number;
  /** How long workers spin at a barrier before they sleep. */
  readonly spinMs: number;
}

export class ThreadedRunner implements Runner {
  readonly #options: ThreadedOptions;
  readonly #programs = new Map<number, Program>();
  /** Where programs that are being profiled note their times. */
  readonly #tables = new Map<number, readonly TimeTable[]>();
  #pool: Pool;
  #stopped: Error | undefined;

  private constructor(options: ThreadedOptions, pool: Pool) {
    this.#options = options;
    this.#pool = pool;
  }

  /** Starts the workers. Throws HDL1003. */
  static async start(options: ThreadedOptions): Promise<ThreadedRunner> {
    return new ThreadedRunner(options, await startPool(options));
  }

  async load(program: Program): Promise<void> {
    await this.#ensurePool();
    await this.#loadInto(this.#pool, program);
    this.#programs.set(program.id, program);
  }

  unload(program: Program): void {
    if (this.#programs.delete(program.id)) this.#pool.unload(program.id);
  }

  async run(program: Program, args: number): Promise<void> {
    if (this.#pool.isBroken) await this.#ensurePool();
    try {
      await this.#pool.run(program.id, args);
    } catch (error) {
      if (!(error instanceof PoolFailure)) throw error;
      throw stepFailure(program, error.worker, error.position, error.message, error);
    }
  }

  async time(program: Program, tables: readonly TimeTable[] | null): Promise<void> {
    if (tables === null) this.#tables.delete(program.id);
    else this.#tables.set(program.id, tables);
    // A new pool is told when it gets the program.
    if (this.#pool.isBroken) return;
    try {
      await this.#pool.time(program.id, tables);
    } catch (error) {
      if (!(error instanceof PoolFailure)) throw error;
      throw stepFailure(program, error.worker, error.position, error.message, error);
    }
  }

  async stop(reason: Error): Promise<void> {
    this.#stopped = reason;
    await this.#pool.stop(reason);
  }

  async #ensurePool(): Promise<void> {
    if (this.#pool.isBroken) {
      const pool = await startPool(this.#options);
      this.#pool = pool;
      for (const program of this.#programs.values()) {
        if (this.#stopped) break;
        await this.#loadInto(pool, program);
      }
    }
    if (!this.#stopped) return;
    await this.#pool.stop(this.#stopped);
    throw this.#stopped;
  }

  async #loadInto(pool: Pool, program: Program): Promise<void> {
    const { id, code, walk } = program;
    try {
      await pool.load({ plan: id, code, participants: walk.participants, lists: walk.lists });
      const tables = this.#tables.get(id);
      if (tables !== undefined) await pool.time(id, tables);
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

async function startPool(options: ThreadedOptions): Promise<Pool> {
  try {
    return await Pool.start(options.memory, options.workers, options.spinMs);
  } catch (cause) {
    throw runtimeError(
      'HDL1003',
      {
        what: `${options.workers} workers cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`,
        hint: 'create the executor with { threads: 1 }; in a bundle, check that worker.js is emitted beside it',
      },
      { cause },
    );
  }
}
