// The one pool of workers of a process, or of a page: all executors with threads share it, so that there are never more
// threads that compute than the largest of them asked for. It is started by the first executor, replaced when it has
// broken, and ended some time after the last executor is gone. This is the only state of the runtime that belongs to
// nobody: threads are a resource of the host, like its cores.

import { availableCores } from './host.ts';
import { Pool } from './pool.ts';

/** Long enough for steps that end a little apart, short enough that an idle core is given back. */
const spinMs = 0.2;

/** How long workers outlive the last executor: starting them costs some tens of milliseconds. */
const lingerMs = 1000;

class SharedPool {
  #pool: Pool | undefined;
  #users = 0;
  #plans = 0;
  #cores: number | undefined;
  #hasWarned = false;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** The pool as it is now, while it can be used. */
  get current(): Pool | undefined {
    return this.#pool?.isBroken ? undefined : this.#pool;
  }

  /** Counts an executor that may use the pool; to be followed by one `release`. */
  acquire(): void {
    this.#users++;
    clearTimeout(this.#linger);
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#linger = setTimeout(() => {
      const pool = this.#pool;
      this.#pool = undefined;
      void pool?.stop();
    }, lingerMs);
    // Only hosts with handles let a timer keep them alive.
    (this.#linger as { unref?: () => void }).unref?.();
  }

  /** A number for a program, never given twice. */
  nextPlan(): number {
    return this.#plans++;
  }

  /** A pool that works and has at least so many workers. `onStarting`: see `Pool.grow`. Throws what that throws. */
  async ready(workers: number, onStarting?: () => void): Promise<Pool> {
    const pool = this.current ?? new Pool(this.#countCores(), spinMs);
    this.#pool = pool;
    await pool.grow(workers, onStarting);
    return pool;
  }

  /** How long so many participants spin at a barrier: a thread that spins while another waits for its core delays both. */
  spinMs(participants: number): number {
    return participants <= this.#countCores() ? spinMs : 0;
  }

  /** Says why there are no threads: the first time, since it is the same for all executors. */
  warn(text: string): void {
    if (!this.#hasWarned) console.warn(text);
    this.#hasWarned = true;
  }

  #countCores(): number {
    this.#cores ??= availableCores();
    return this.#cores;
  }
}

export const sharedPool: SharedPool = new SharedPool();
