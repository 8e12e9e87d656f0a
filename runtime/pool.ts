// A pool of worker threads that share one memory. One operation at a time, as its caller sees to it: start, load a
// program, run it, stop. Between runs the workers sleep and do not keep the process alive.
//
// When a worker fails or dies, the others leave the run at their next barrier, all threads are ended, and the operation
// is rejected with a PoolFailure. The pool is then broken for good: its owner makes another one.

import { abortRun, Command, makeControl, positionWord, sendCommand, Word } from './control.ts';
import type { KernelCode } from './kernels.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { ProgramRefused } from './runner.ts';
import { startThread, type Thread } from './thread.ts';
import type { TimeTable } from './timing.ts';

/** What workers need to run a plan: its code, and the items of each of them. */
export interface PoolProgram {
  /** Unique in the pool. */
  readonly plan: number;
  readonly code: KernelCode;
  readonly participants: number;
  readonly lists: readonly Int32Array<ArrayBuffer>[];
}

/** Why an operation of the pool failed. `position` is the item that the worker was at; −1: not in a run. */
export class PoolFailure extends Error {
  readonly worker: number;
  readonly position: number;

  constructor(message: string, worker: number, position: number, stack?: string) {
    super(message);
    this.worker = worker;
    this.position = position;
    if (stack) this.stack = stack;
  }
}

interface Operation {
  readonly kind: 'start' | 'load' | 'run';
  /** Answers that are still to come; a run has one, from the worker that finishes last. */
  answers: number;
  refused: string | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** How long the others may take to reach a barrier after one has failed, before they are ended where they are. */
const leaveMs = 2000;
const startMs = 30_000;
const noItems = new Int32Array(0);

export class Pool {
  readonly #memory: WebAssembly.Memory;
  readonly #control: Int32Array<SharedArrayBuffer>;
  #threads: readonly Thread[] = [];
  /** Workers that are in a run, or may be; those that have left or died after a failure are not. */
  #present = new Set<number>();
  #allLeft: (() => void) | undefined;
  #operation: Operation | undefined;
  #asleep = false;
  #broken = false;
  #stopping = false;
  #ending: Promise<void> = Promise.resolve();
  #unloaded: number[] = [];

  private constructor(memory: WebAssembly.Memory, workers: number) {
    this.#memory = memory;
    this.#control = makeControl(workers);
  }

  /** Starts workers and waits until all are ready. `spinMs`: how long they spin at a barrier before they sleep. */
  static async start(memory: WebAssembly.Memory, workers: number, spinMs: number): Promise<Pool> {
    const pool = new Pool(memory, workers);
    let deadline: ReturnType<typeof setTimeout> | undefined;
    const ready = pool.#begin('start', workers);
    // It may be rejected before it is awaited below.
    ready.catch(() => {});
    try {
      const threads: Thread[] = [];
      pool.#threads = threads;
      for (let index = 0; index < workers; index++) {
        const thread = await startThread({
          onMessage: (message) => pool.#receive(index, message as FromWorker),
          onDeath: (reason) => pool.#fail(reason, index),
        });
        threads.push(thread);
        pool.#present.add(index);
        thread.post({
          type: 'start',
          index,
          memory,
          control: pool.#control,
          workers,
          spinMs,
        } satisfies ToWorker);
      }
      deadline = setTimeout(() => {
        pool.#fail(`a worker did not start within ${startMs / 1000} s`, -1);
      }, startMs);
      await ready;
    } catch (error) {
      await pool.#terminate();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
    return pool;
  }

  /** True once a worker has failed or died: nothing can be run any more. */
  get isBroken(): boolean {
    return this.#broken;
  }

  /** Sends a program to all workers. Throws ProgramRefused, PoolFailure. */
  async load(program: PoolProgram): Promise<void> {
    const unload = this.#unloaded;
    this.#unloaded = [];
    const { plan, code, participants } = program;
    const memoryBytes = this.#memory.buffer.byteLength;
    await this.#tell((index) => {
      const items = program.lists[index] ?? noItems;
      return { type: 'load', plan, code, items, participants, memoryBytes, unload };
    });
  }

  /** Gives the workers tables for the times of a program's runs, or takes them away. Throws PoolFailure. */
  async time(plan: number, tables: readonly TimeTable[] | null): Promise<void> {
    await this.#tell((index) => ({ type: 'time', plan, times: tables?.[index] ?? null }));
  }

  /** Forgets a program. The workers are told with the next load. */
  unload(plan: number): void {
    this.#unloaded.push(plan);
  }

  /** Runs a loaded program once. `args` is the address of its argument table. Throws PoolFailure. */
  run(plan: number, args: number): Promise<void> {
    const done = this.#begin('run', 1);
    const control = this.#control;
    this.#threads.forEach((_, index) => {
      control[positionWord(index)] = -1;
    });
    control[Word.plan] = plan;
    control[Word.args] = args;
    Atomics.store(control, Word.done, 0);
    sendCommand(control, Command.run);
    return done;
  }

  /** Ends all threads. An operation in flight is rejected with `reason`. */
  async stop(reason: Error): Promise<void> {
    this.#stopping = true;
    if (this.#broken) return this.#ending;
    this.#broken = true;
    if (this.#operation) {
      await Promise.all(this.#threads.map((thread) => thread.terminate()));
      this.#settle(reason);
      return;
    }
    this.#wakeForMessages();
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }

  #begin(kind: Operation['kind'], answers: number): Promise<void> {
    for (const thread of this.#threads) thread.hold();
    return new Promise((resolve, reject) => {
      this.#operation = { kind, answers, refused: undefined, resolve, reject };
    });
  }

  /** Sends each worker a message between runs, and waits until all have answered. */
  async #tell(message: (index: number) => ToWorker): Promise<void> {
    const answered = this.#begin('load', this.#threads.length);
    this.#wakeForMessages();
    this.#threads.forEach((thread, index) => {
      thread.post(message(index));
    });
    try {
      await answered;
    } finally {
      if (!this.#broken) this.#sleep();
    }
  }

  #settle(error?: Error): void {
    const operation = this.#operation;
    this.#operation = undefined;
    for (const thread of this.#threads) thread.release();
    if (error) operation?.reject(error);
    else operation?.resolve();
  }

  #receive(index: number, message: FromWorker): void {
    const operation = this.#operation;
    switch (message.type) {
      case 'ready':
      case 'loaded':
      case 'refused':
      case 'done':
        if (!operation || this.#broken) return;
        if (message.type === 'refused') operation.refused = message.message;
        if (--operation.answers > 0) return;
        this.#settle(operation.refused === undefined ? undefined : new ProgramRefused(operation.refused));
        return;
      case 'failed':
        this.#fail(message.message, index, message.stack);
        return;
      case 'left':
        this.#hasLeft(index);
        return;
      default:
        message satisfies never;
    }
  }

  /** The first failure counts; of what follows from it only the end is noted. */
  #fail(message: string, worker: number, stack?: string): void {
    this.#hasLeft(worker);
    if (this.#broken || this.#stopping) return;
    this.#broken = true;
    const isRun = this.#operation?.kind === 'run';
    const position = isRun && worker >= 0 ? this.#control[positionWord(worker)]! : -1;
    const failure = new PoolFailure(message, worker, position, stack);
    this.#ending = (async () => {
      if (isRun) await this.#leave();
      await this.#terminate();
      this.#settle(failure);
    })();
  }

  /** Makes all workers leave the run, and waits until they have, or for `leaveMs`. */
  async #leave(): Promise<void> {
    abortRun(this.#control);
    this.#wakeForMessages();
    if (this.#present.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leaveMs);
      this.#allLeft = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hasLeft(index: number): void {
    this.#present.delete(index);
    if (this.#present.size === 0) this.#allLeft?.();
  }

  async #terminate(): Promise<void> {
    this.#broken = true;
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #wakeForMessages(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    sendCommand(this.#control, Command.receive);
  }

  #sleep(): void {
    this.#asleep = true;
    const sequence = Atomics.load(this.#control, Word.sequence);
    for (const thread of this.#threads) thread.post({ type: 'sleep', sequence } satisfies ToWorker);
  }
}
