// Runs programs in the calling thread: no workers, no shared memory. A long run lets the event loop turn every few
// milliseconds, so that a page stays alive and a timer fires.

import { Abort, Word } from './control.ts';
import { turnEventLoop } from './event-loop.ts';
import { bindKernels, type KernelFunction } from './kernels.ts';
import type { LinearMemory } from './memory.ts';
import type { Program } from './program.ts';
import { Part } from './rounds.ts';
import { ProgramRefused, type Runner, stepFailure } from './runner.ts';
import { type TimeTable, walkTimed } from './timing.ts';
import { itemSize } from './walk.ts';

/** Time between turns of the event loop. */
const sliceMs = 8;
/** At most so many items between two looks at the clock, which costs as much as a small kernel. */
const longestStride = 64;

interface Binding {
  readonly kernels: readonly KernelFunction[];
  readonly generation: number;
}

export class InlineRunner implements Runner {
  readonly #memory: LinearMemory;
  readonly #bindings = new Map<Program, Binding>();
  readonly #times = new Map<Program, TimeTable>();
  #stopped: Error | undefined;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  async load(program: Program): Promise<void> {
    try {
      this.#bind(program);
    } catch (cause) {
      throw new ProgramRefused(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  unload(program: Program): void {
    this.#bindings.delete(program);
    this.#times.delete(program);
  }

  async time(program: Program, tables: readonly TimeTable[] | null): Promise<void> {
    if (tables === null) this.#times.delete(program);
    else this.#times.set(program, tables[0]!);
  }

  async run(program: Program): Promise<void> {
    let kernels = this.#kernelsOf(program);
    const { control, rounds } = program;
    const items = program.walk.lists[0]!;
    const times = this.#times.get(program);
    if (times) {
      runTimed(program, kernels, times);
      await turnEventLoop();
      if (this.#stopped) throw this.#stopped;
      return;
    }
    let sliceEnd = performance.now() + sliceMs;
    let looked = sliceEnd - sliceMs;
    let stride = 1;
    let untilLook = 1;
    let i = 0;
    try {
      for (let round = 0; ; round++) {
        const args = control[Part.args + (round & 1)]! >>> 0;
        for (i = 0; i < items.length; i += itemSize) {
          kernels[items[i]!]!(items[i + 1]!, items[i + 2]!, args + items[i + 3]!);
          if (--untilLook > 0) continue;
          const now = performance.now();
          stride = now - looked < sliceMs / 16 ? Math.min(2 * stride, longestStride) : 1;
          untilLook = stride;
          looked = now;
          if (now < sliceEnd) continue;
          await turnEventLoop();
          if (this.#stopped) throw this.#stopped;
          if (control[Word.abort] !== Abort.none) return;
          kernels = this.#kernelsOf(program);
          looked = performance.now();
          sliceEnd = looked + sliceMs;
        }
        rounds.end();
        if (control[Word.more] === 0) break;
      }
    } catch (cause) {
      if (cause === this.#stopped) throw cause;
      throw failure(program, i / itemSize, cause);
    }
    if (this.#stopped) throw this.#stopped;
  }

  async stop(reason: Error): Promise<void> {
    this.#stopped = reason;
    this.#bindings.clear();
  }

  #bind(program: Program): Binding {
    const kernels = bindKernels(program.code, this.#memory.memory);
    const binding = { kernels, generation: this.#memory.generation };
    this.#bindings.set(program, binding);
    return binding;
  }

  /** Generated JavaScript may hold views of memory, which are stale once it has grown. */
  #kernelsOf(program: Program): readonly KernelFunction[] {
    const binding = this.#bindings.get(program)!;
    const isStale = program.code.target === 'js' && binding.generation !== this.#memory.generation;
    return (isStale ? this.#bind(program) : binding).kernels;
  }
}

/** One round, without a turn of the event loop, which would count as the time of a kernel. */
function runTimed(program: Program, kernels: readonly KernelFunction[], times: TimeTable): void {
  let at = -1;
  const enter = (item: number) => {
    at = item;
  };
  try {
    const args = program.control[Part.args]! >>> 0;
    // One thread meets nobody and is offered nothing.
    const never = () => true;
    walkTimed(program.walk.lists[0]!, kernels, args, times, {
      enter,
      barrier: never,
      wait: never,
      take: never,
    });
    program.rounds.end();
  } catch (cause) {
    throw failure(program, at, cause);
  }
}

function failure(program: Program, item: number, cause: unknown): Error {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return stepFailure(program, 0, item, reason, cause);
}
