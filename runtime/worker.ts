// Entry of a worker thread. It binds the kernels of each program it is sent, sleeps until there is a run, walks its list
// once per round, and sleeps again. It decides nothing and keeps nothing from one run to the next. Every error of its own
// becomes a message, because an error thrown in a worker reaches nobody in some hosts.

import {
  Abort,
  abortRun,
  awaitCommand,
  awaitProgress,
  Command,
  Mail,
  passBarrier,
  positionWord,
  tellProgress,
  Word,
} from './control.ts';
import { bindKernels, type KernelFunction } from './kernels.ts';
import { Offers } from './offers.ts';
import type { FromWorker, ToWorker, WorkerProgram } from './protocol.ts';
import { Part, Rounds } from './rounds.ts';
import { type TimeTable, walkTimed } from './timing.ts';
import { barrierItem, everyAwaited, itemSize, waitItem } from './walk.ts';

interface Loaded extends Omit<WorkerProgram, 'offers'> {
  readonly rounds: Rounds;
  readonly offers: Offers;
  /** For the last to arrive at the end of a round. */
  readonly end: () => void;
  kernels: readonly KernelFunction[];
  /** Pages of memory that the kernels were bound to. */
  pages: number;
  /** Where to note times, while there is a profile. */
  times: TimeTable | null;
}

class WorkerThread {
  readonly #start: Extract<ToWorker, { type: 'start' }>;
  readonly #send: (message: FromWorker) => void;
  readonly #programs = new Map<number, Loaded>();

  constructor(start: Extract<ToWorker, { type: 'start' }>, send: (message: FromWorker) => void) {
    this.#start = start;
    this.#send = send;
  }

  load(program: WorkerProgram): void {
    try {
      const { plan, code, memory, control, participants, items } = program;
      const kernels = bindKernels(code, memory);
      const rounds = new Rounds(control, participants, memory);
      const pages = memory.buffer.byteLength / 65536;
      const { index } = this.#start;
      const offers = new Offers(control, program.offers, index, participants, items.length / itemSize);
      this.#programs.set(plan, {
        ...program,
        rounds,
        offers,
        end: offers.renewThen(rounds.end),
        kernels,
        pages,
        times: null,
      });
      this.#send({ type: 'loaded' });
    } catch (error) {
      this.#send({ type: 'refused', message: messageOf(error) });
    }
  }

  unload(plans: readonly number[]): void {
    for (const plan of plans) this.#programs.delete(plan);
  }

  time({ plan, times }: Extract<ToWorker, { type: 'time' }>): void {
    const program = this.#programs.get(plan);
    if (program) program.times = times;
    this.#send({ type: 'loaded' });
  }

  /** Does what commands say until one tells it to go back to the event loop. */
  serve(sequence: number): void {
    const { mailbox, spinMs } = this.#start;
    let seen = sequence;
    for (;;) {
      seen = awaitCommand(mailbox, seen, spinMs);
      const command = Atomics.load(mailbox, Mail.command);
      if (command === Command.receive) return;
      if (command === Command.quit) {
        this.#send({ type: 'left' });
        return;
      }
      if (!this.#take(this.#programs.get(mailbox[Mail.plan]!)!)) return;
    }
  }

  /** Takes part in a run; false when it has failed, here or elsewhere. */
  #take(program: Loaded): boolean {
    const { control, participants } = program;
    try {
      this.#run(program);
    } catch (error) {
      const stack = error instanceof Error ? (error.stack ?? '') : '';
      this.#send({ type: 'failed', message: messageOf(error), stack });
      abortRun(control, Abort.failed);
      return false;
    }
    if (Atomics.load(control, Word.abort) === Abort.failed) {
      this.#send({ type: 'left' });
      return false;
    }
    if (Atomics.add(control, Word.done, 1) === participants - 1) this.#send({ type: 'done' });
    return true;
  }

  /** Walks this worker's list, round after round, until there are no more or the run is aborted. */
  #run(program: Loaded): void {
    const { control, items, participants, spinMs, rounds, offers, end } = program;
    const { index } = this.#start;
    const position = positionWord(index);
    const { length } = items;
    rounds.begin();
    if (program.code.target === 'js' && control[Part.pages] !== program.pages) {
      // It may hold views of memory, which is larger now.
      program.kernels = bindKernels(program.code, program.memory);
      program.pages = control[Part.pages]!;
    }
    const { kernels, times } = program;
    if (times !== null) {
      this.#runTimed(program, times);
      return;
    }
    const isShared = control[Part.shared] !== 0;
    let waits = 0;
    const hasCome = (other: number): boolean => awaitProgress(control, other, waits, spinMs);
    for (let round = 0; ; round++) {
      if (isShared) {
        rounds.fetch(round, index, participants);
        if (!passBarrier(control, participants, spinMs, null)) return;
      }
      const args = control[Part.args + (round & 1)]! >>> 0;
      for (let i = 0; i < length; i += itemSize) {
        control[position] = i / itemSize;
        if (control[Word.abort] !== Abort.none) return;
        const kernel = items[i]!;
        if (kernel >= 0) {
          kernels[kernel]!(items[i + 1]!, items[i + 2]!, args + items[i + 3]!);
        } else if (kernel === barrierItem) {
          if (!passBarrier(control, participants, spinMs, offers.renew)) return;
        } else if (kernel === waitItem) {
          tellProgress(control, index, ++waits);
          if (!everyAwaited(items[i + 1]!, items[i + 2]!, hasCome)) return;
        } else if (!offers.take(items[i + 1]!, kernels, args, null)) return;
      }
      if (!passBarrier(control, participants, spinMs, end)) return;
      if (control[Word.more] === 0) return;
    }
  }

  /** One round, with its times. */
  #runTimed(program: Loaded, times: TimeTable): void {
    const { control, items, kernels, participants, spinMs, offers, end } = program;
    const { index } = this.#start;
    const position = positionWord(index);
    const args = control[Part.args]! >>> 0;
    let waits = 0;
    const hasCome = (other: number): boolean => awaitProgress(control, other, waits, spinMs);
    const isDone = walkTimed(items, kernels, args, times, {
      enter: (item) => {
        control[position] = item;
      },
      barrier: () => passBarrier(control, participants, spinMs, offers.renew),
      wait: (low, high) => {
        tellProgress(control, index, ++waits);
        return everyAwaited(low, high, hasCome);
      },
      take: (offer, note) => offers.take(offer, kernels, args, note),
    });
    if (isDone) passBarrier(control, participants, spinMs, end);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function listen(scope: WorkerScope): void {
  const send = (message: FromWorker) => scope.postMessage(message);
  let thread: WorkerThread | undefined;
  scope.onmessage = (event) => {
    const message = event.data as ToWorker;
    switch (message.type) {
      case 'start':
        thread = new WorkerThread(message, send);
        send({ type: 'ready' });
        break;
      case 'load':
        thread?.load(message);
        break;
      case 'time':
        thread?.time(message);
        break;
      case 'unload':
        thread?.unload(message.plans);
        break;
      case 'sleep':
        thread?.serve(message.sequence);
        break;
      case 'stop':
        scope.close();
        break;
      default:
        message satisfies never;
    }
  };
}

if (typeof self !== 'undefined') listen(self);
