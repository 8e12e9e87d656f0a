// Entry of a worker thread. It binds the kernels of each plan it is sent, sleeps until there is a run, walks its list,
// and sleeps again. It decides nothing and keeps nothing from one run to the next. Every error of its own becomes a
// message, because an error thrown in a worker reaches nobody in some hosts.

import { abortRun, Command, passBarrier, positionWord, Word } from './control.ts';
import { bindKernels, type KernelCode, type KernelFunction } from './kernels.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { type TimeTable, walkTimed } from './timing.ts';
import { barrierItem, itemSize } from './walk.ts';

interface Program {
  readonly code: KernelCode;
  readonly items: Int32Array;
  readonly participants: number;
  kernels: readonly KernelFunction[];
  /** Where to note times, while there is a profile. */
  times: TimeTable | null;
}

class WorkerThread {
  readonly #start: Extract<ToWorker, { type: 'start' }>;
  readonly #send: (message: FromWorker) => void;
  readonly #programs = new Map<number, Program>();
  #memoryBytes = 0;

  constructor(start: Extract<ToWorker, { type: 'start' }>, send: (message: FromWorker) => void) {
    this.#start = start;
    this.#send = send;
  }

  load(message: Extract<ToWorker, { type: 'load' }>): void {
    const { memory } = this.#start;
    for (const plan of message.unload) this.#programs.delete(plan);
    // Growing by nothing makes this thread's buffer as long as memory has become in another thread.
    if (memory.buffer.byteLength < message.memoryBytes) memory.grow(0);
    try {
      if (message.memoryBytes !== this.#memoryBytes) {
        for (const program of this.#programs.values()) {
          if (program.code.target === 'js') program.kernels = bindKernels(program.code, memory);
        }
        this.#memoryBytes = message.memoryBytes;
      }
      const { code, items, participants } = message;
      const kernels = bindKernels(code, memory);
      this.#programs.set(message.plan, { code, items, participants, kernels, times: null });
      this.#send({ type: 'loaded' });
    } catch (error) {
      this.#send({ type: 'refused', message: messageOf(error) });
    }
  }

  time({ plan, times }: Extract<ToWorker, { type: 'time' }>): void {
    const program = this.#programs.get(plan);
    if (program) program.times = times;
    this.#send({ type: 'loaded' });
  }

  /** Does what commands say until one tells it to go back to the event loop. */
  serve(sequence: number): void {
    const { control, workers } = this.#start;
    let seen = sequence;
    for (;;) {
      while (Atomics.load(control, Word.sequence) === seen) Atomics.wait(control, Word.sequence, seen);
      seen = Atomics.load(control, Word.sequence);
      if (Atomics.load(control, Word.command) === Command.receive) break;
      try {
        if (!this.#run(control[Word.plan]!, control[Word.args]! >>> 0)) break;
      } catch (error) {
        const stack = error instanceof Error ? (error.stack ?? '') : '';
        this.#send({ type: 'failed', message: messageOf(error), stack });
        abortRun(control);
        return;
      }
      if (Atomics.add(control, Word.done, 1) === workers - 1) this.#send({ type: 'done' });
    }
    if (Atomics.load(control, Word.abort) !== 0) this.#send({ type: 'left' });
  }

  /** Walks this worker's list; false when the run was aborted. */
  #run(plan: number, args: number): boolean {
    const { control, index, spinMs } = this.#start;
    const { items, kernels, participants, times } = this.#programs.get(plan)!;
    const position = positionWord(index);
    if (times !== null) {
      const enter = (item: number) => {
        control[position] = item;
      };
      const barrier = () => passBarrier(control, participants, spinMs);
      return walkTimed(items, kernels, args, times, enter, barrier);
    }
    const length = items.length;
    for (let i = 0; i < length; i += itemSize) {
      control[position] = i / itemSize;
      const kernel = items[i]!;
      if (kernel === barrierItem) {
        if (!passBarrier(control, participants, spinMs)) return false;
      } else {
        kernels[kernel]!(items[i + 1]!, items[i + 2]!, args + items[i + 3]!);
      }
    }
    return true;
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
