// A pool of worker threads. It runs the programs of any number of executors, each in a memory of its own, one operation at
// a time and in the order of the calls: grow, load a program, run it. A run of many rounds is asked to pause when others
// have waited for some milliseconds; its executor then queues the rest of it behind them. Between operations the workers
// sleep and do not keep the process alive.
//
// When a worker fails or dies, the others leave the run at their next item or barrier, all threads are ended, and the
// operation is rejected with a PoolFailure; those that wait are rejected with PoolLost, to be tried on another pool.
// The pool is then broken for good.

import { Abort, abortRun, Command, Mail, makeMailbox, positionWord, sendCommand, Word } from './control.ts';
import { sleep, turnEventLoop } from './event-loop.ts';
import type { FromWorker, ToWorker, WorkerProgram } from './protocol.ts';
import { ProgramRefused } from './runner.ts';
import { startThread, type Thread } from './thread.ts';
import type { TimeTable } from './timing.ts';

/** What workers need to run a program: `items` of each of them. */
export interface PoolProgram extends Omit<WorkerProgram, 'items'> {
  readonly lists: readonly Int32Array[];
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

/** The pool broke before the operation began. */
export class PoolLost extends Error {}

interface Operation {
  readonly kind: 'grow' | 'load' | 'run' | 'unload';
  readonly program: PoolProgram | undefined;
  /** Answers that are still to come; a run has one, from the worker that finishes last. */
  answers: number;
  refused: string | undefined;
  readonly begin: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Member {
  readonly thread: Thread;
  readonly mailbox: Int32Array<SharedArrayBuffer>;
  /** It waits at its mailbox, or is on the way there. */
  asleep: boolean;
}

/** How long the others may take to leave a run before they are ended where they are. */
const leaveMs = 2000;
/** The same for a run that is not wanted any more. */
const cancelMs = 500;
const startMs = 30_000;
const readMs = 100;
/** How long a run may go on while others wait. */
const quantumMs = 10;
/** Turns of the event loop after which a caller that waits in a run sleeps between two. */
const quickTurns = 50;
const noItems = new Int32Array(0);

export class Pool {
  readonly #cores: number;
  readonly #spinMs: number;
  readonly #members: Member[] = [];
  readonly #queue: Operation[] = [];
  #current: Operation | undefined;
  /** Workers that have left the run after a failure, or died. */
  readonly #gone = new Set<number>();
  #someoneLeft: (() => void) | undefined;
  #startDeadline: ReturnType<typeof setTimeout> | undefined;
  #quantum: ReturnType<typeof setTimeout> | undefined;
  #broken = false;
  #ending: Promise<void> = Promise.resolve();

  /** `spinMs`: how long workers spin for a command before they sleep, those that leave a core to the caller. */
  constructor(cores: number, spinMs: number) {
    this.#cores = cores;
    this.#spinMs = spinMs;
  }

  /** Once true, nothing can be run any more. */
  get isBroken(): boolean {
    return this.#broken;
  }

  get size(): number {
    return this.#members.length;
  }

  /**
   * Starts workers until there are so many, and waits until they have started; `onStarting` is called when there is nothing
   * left to do but wait. Throws PoolFailure, or what starting a thread throws.
   */
  async grow(workers: number, onStarting?: () => void): Promise<void> {
    if (this.size >= workers && !this.#broken) return onStarting?.();
    try {
      await this.#enqueue('grow', undefined, async (operation) => {
        await this.#start(operation, workers);
        onStarting?.();
      });
    } finally {
      clearTimeout(this.#startDeadline);
    }
  }

  /** Sends a program to its participants. Throws ProgramRefused, PoolFailure, PoolLost. */
  load(program: PoolProgram): Promise<void> {
    return this.#enqueue('load', program, (operation) => {
      const { lists, ...rest } = program;
      operation.answers = program.participants;
      for (let index = 0; index < program.participants; index++) {
        this.#post(index, { type: 'load', ...rest, items: lists[index] ?? noItems });
      }
    });
  }

  /** Gives the workers tables for the times of a program's runs, or takes them away. Throws PoolFailure, PoolLost. */
  time(program: PoolProgram, tables: readonly TimeTable[] | null): Promise<void> {
    const { plan, participants } = program;
    return this.#enqueue('load', program, (operation) => {
      operation.answers = participants;
      for (let index = 0; index < participants; index++) {
        this.#post(index, { type: 'time', plan, times: tables?.[index] ?? null });
      }
    });
  }

  /** Runs a loaded program as its control words say. Throws PoolFailure, PoolLost. */
  run(program: PoolProgram): Promise<void> {
    return this.#enqueue('run', program, (operation) => {
      operation.answers = 1;
      for (let index = 0; index < program.participants; index++) {
        sendCommand(this.#members[index]!.mailbox, Command.run, program.plan);
      }
    });
  }

  /**
   * Runs one round of a loaded program, in which this thread does the last list: `walk` yields where it waits, and ends when
   * the others have left the run. Throws PoolFailure, PoolLost.
   */
  runTogether(program: PoolProgram, walk: () => Generator<void, void>): Promise<void> {
    return this.#enqueue('run', program, (operation) => {
      for (let index = 0; index < program.participants - 1; index++) {
        sendCommand(this.#members[index]!.mailbox, Command.run, program.plan);
      }
      void this.#takePart(operation, program, walk);
    });
  }

  async #takePart(
    operation: Operation,
    { control, participants }: PoolProgram,
    walk: () => Generator<void, void>,
  ): Promise<void> {
    const hasEnded = (): boolean => this.#broken || this.#current !== operation;
    try {
      const own = walk();
      for (let turns = 0; !own.next().done; turns++) {
        // A worker that takes long is not waited for at full speed.
        await (turns < quickTurns ? turnEventLoop() : sleep(1));
        if (hasEnded()) return;
      }
    } catch (error) {
      if (hasEnded()) return;
      const stack = error instanceof Error ? error.stack : undefined;
      this.#fail(
        error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        participants - 1,
        stack,
      );
      return;
    }
    // Who has failed says so itself.
    if (Atomics.load(control, Word.abort) !== Abort.failed) this.#settle();
  }

  /**
   * Makes the workers forget programs. What waits for them is rejected with `reason`; a run in flight is cancelled, by
   * force when it does not end by itself.
   */
  async withdraw(plans: readonly number[], reason: Error): Promise<void> {
    if (this.#broken) return this.#ending;
    const isTheirs = ({ program }: Operation): boolean =>
      program !== undefined && plans.includes(program.plan);
    const waiting = this.#queue.filter(isTheirs);
    for (const operation of waiting) {
      this.#queue.splice(this.#queue.indexOf(operation), 1);
      operation.reject(reason);
    }
    const operation = this.#current;
    if (operation !== undefined && isTheirs(operation)) {
      const isRun = operation.kind === 'run';
      if (isRun) abortRun(operation.program!.control, Abort.cancelled);
      const hasEnded = () => this.#current !== operation;
      const deadline = performance.now() + (isRun ? cancelMs : startMs);
      while (!hasEnded() && performance.now() < deadline) await sleep(1);
      if (!hasEnded()) {
        this.#break(reason);
        return this.#ending;
      }
    }
    await this.#enqueue('unload', undefined, () => {
      for (let index = 0; index < this.size; index++) this.#post(index, { type: 'unload', plans });
      this.#settle();
    }).catch(() => {});
  }

  /** Ends one worker wherever it is, as a host may do that runs out of memory. For tests. */
  async kill(index: number): Promise<void> {
    await this.#members[index]?.thread.kill();
  }

  /** Ends all threads. Nothing may be in flight. */
  async stop(): Promise<void> {
    if (this.#broken) return this.#ending;
    this.#broken = true;
    for (let index = 0; index < this.size; index++) this.#wake(index);
    this.#ending = Promise.all(this.#members.map(({ thread }) => thread.stop())).then(() => {});
    await this.#ending;
  }

  #enqueue(
    kind: Operation['kind'],
    program: PoolProgram | undefined,
    begin: (operation: Operation) => unknown,
  ): Promise<void> {
    if (this.#broken) return Promise.reject(new PoolLost());
    return new Promise((resolve, reject) => {
      const operation: Operation = {
        kind,
        program,
        answers: 0,
        refused: undefined,
        begin: () => begin(operation),
        resolve,
        reject,
      };
      this.#queue.push(operation);
      if (this.#current === undefined) this.#next();
      else this.#askToPause();
    });
  }

  #next(): void {
    this.#current = this.#queue.shift();
    if (this.#current === undefined) {
      for (const { thread } of this.#members) thread.release();
      return;
    }
    for (const { thread } of this.#members) thread.hold();
    this.#current.begin();
    if (this.#queue.length > 0) this.#askToPause();
  }

  /** Gives the operation in flight some time, then tells it to end after the round that it is in. */
  #askToPause(): void {
    const operation = this.#current!;
    if (operation.kind !== 'run' || this.#quantum !== undefined) return;
    this.#quantum = setTimeout(() => {
      this.#quantum = undefined;
      if (this.#current === operation) Atomics.store(operation.program!.control, Word.stop, 1);
      else if (this.#current !== undefined && this.#queue.length > 0) this.#askToPause();
    }, quantumMs);
  }

  #settle(error?: Error): void {
    const operation = this.#current;
    if (this.#broken) {
      this.#current = undefined;
      clearTimeout(this.#quantum);
      for (const { thread } of this.#members) thread.release();
      for (const waiting of this.#queue.splice(0)) waiting.reject(new PoolLost());
    } else {
      this.#next();
    }
    if (error) operation?.reject(error);
    else operation?.resolve();
  }

  async #start(operation: Operation, workers: number): Promise<void> {
    operation.answers = workers - this.size;
    if (operation.answers <= 0) return this.#settle();
    this.#startDeadline = setTimeout(() => {
      // This thread may have been busy all the time: what the workers have sent meanwhile is read first.
      this.#startDeadline = setTimeout(() => {
        this.#fail(`a worker did not start within ${startMs / 1000} s`, -1);
      }, readMs);
    }, startMs);
    try {
      while (this.size < workers && !this.#broken) {
        const index = this.size;
        const thread = await startThread({
          onMessage: (message) => this.#receive(index, message as FromWorker),
          onDeath: (reason) => this.#fail(reason, index),
        });
        const mailbox = makeMailbox();
        this.#members.push({ thread, mailbox, asleep: false });
        thread.hold();
        const spinMs = index + 1 < this.#cores ? this.#spinMs : 0;
        thread.post({ type: 'start', index, mailbox, spinMs } satisfies ToWorker);
      }
    } catch (error) {
      this.#break(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #receive(index: number, message: FromWorker): void {
    const operation = this.#current;
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
    if (this.#broken) return;
    const program = this.#current?.kind === 'run' ? this.#current.program : undefined;
    const isInRun = program !== undefined && worker >= 0 && worker < program.participants;
    const position = isInRun ? program.control[positionWord(worker)]! : -1;
    this.#break(new PoolFailure(message, worker, position, stack), program);
  }

  /** Ends all threads, when they have left the run of `program`, if it is in one, and rejects what is in flight. */
  #break(error: Error, program?: PoolProgram): void {
    this.#broken = true;
    this.#ending = (async () => {
      if (program !== undefined) await this.#leave(program);
      await Promise.all(this.#members.map(({ thread }) => thread.terminate()));
      this.#settle(error);
    })();
  }

  /** Makes all participants leave the run, and waits until they have, or for `leaveMs`. */
  async #leave({ control, participants }: PoolProgram): Promise<void> {
    const members = this.#members.slice(0, participants);
    abortRun(control, Abort.failed);
    for (const { mailbox } of members) sendCommand(mailbox, Command.quit);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leaveMs);
      this.#someoneLeft = () => {
        if (!members.every((_, index) => this.#gone.has(index))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#someoneLeft();
    });
  }

  #hasLeft(index: number): void {
    this.#gone.add(index);
    this.#someoneLeft?.();
  }

  /** Sends a message to a worker and lets it sleep again afterwards. */
  #post(index: number, message: ToWorker): void {
    this.#wake(index);
    const member = this.#members[index]!;
    member.thread.post(message);
    member.asleep = true;
    const sequence = Atomics.load(member.mailbox, Mail.sequence);
    member.thread.post({ type: 'sleep', sequence } satisfies ToWorker);
  }

  #wake(index: number): void {
    const member = this.#members[index]!;
    if (!member.asleep) return;
    member.asleep = false;
    sendCommand(member.mailbox, Command.receive);
  }
}
