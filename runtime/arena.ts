// The scratch memory of runs. Runs of an executor come one after another and keep nothing in their arena, so all plans
// share one region, as large as the largest of them needs. It moves when that changes; `version` counts the moves,
// so that plans know when their addresses are stale.

import type { LinearMemory, Region } from './memory.ts';

export class Arena {
  version = 0;
  readonly #memory: LinearMemory;
  readonly #sizes: number[] = [];
  #region: Region | null = null;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** Byte address of the arena. */
  get address(): number {
    return this.#region?.address ?? 0;
  }

  /** Makes room for a plan, named by `entry` in errors. Throws HDL1007, and then nothing has changed. */
  add(bytes: number, entry: string): void {
    const held = Math.max(0, ...this.#sizes);
    if (bytes > held || this.#region === null) this.#resize(bytes, held, entry);
    this.#sizes.push(bytes);
  }

  /** The room of a plan of this size is not needed any more. */
  remove(bytes: number): void {
    this.#sizes.splice(this.#sizes.indexOf(bytes), 1);
    const needed = Math.max(0, ...this.#sizes);
    if (this.#sizes.length === 0) {
      if (this.#region) this.#memory.free(this.#region);
      this.#region = null;
    } else if (needed < bytes) {
      this.#resize(needed, needed, '');
    }
  }

  /** Frees before it allocates, so that old and new never need memory at once; contents are scratch. */
  #resize(bytes: number, fallback: number, entry: string): void {
    const old = this.#region;
    if (old) this.#memory.free(old);
    this.#region = null;
    this.version++;
    try {
      this.#region = this.#memory.allocate(bytes, `the arena of '${entry}'`);
    } catch (error) {
      if (old) this.#region = this.#memory.allocate(fallback, 'the arena');
      throw error;
    }
  }
}
