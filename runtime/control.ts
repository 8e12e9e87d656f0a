// The words that threads share while they run, and the barrier. They lie in a small buffer of their own, outside of
// memory, where no kernel can reach them; each has a cache line to itself.
//
//     sequence    counts commands; idle workers sleep on it
//     command     what the latest command is: run a plan, or return to the event loop and read messages
//     plan, args  operands of a run: the plan's number, the address of its argument table
//     done        workers that have finished the run; the last one sends a message
//     arrived     workers at the barrier
//     generation  counts barriers passed; workers that wait at a barrier watch it
//     sleepers    workers that sleep at the barrier, so that nobody is woken when none does
//     abort       not 0: leave the run. Set first, then `generation` is bumped, so that nobody stays at a barrier
//     position    of each worker: the item that it is at, −1 before the first. For errors

/** Positions of the words: multiples of a cache line of 16 words, but for those that are written together. */
export const Word = {
  sequence: 0,
  command: 16,
  plan: 17,
  args: 18,
  done: 32,
  arrived: 48,
  generation: 64,
  sleepers: 80,
  abort: 96,
  position: 112,
} as const;
const line = 16;

/** Values of `command`. */
export const Command = { receive: 0, run: 1 } as const;

/** Where worker `index` writes its position. */
export function positionWord(index: number): number {
  return Word.position + index * line;
}

/** Control words for a pool of so many workers. */
export function makeControl(workers: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer((Word.position + workers * line) * 4));
}

/** Gives a command to all workers. They must have acknowledged the one before. */
export function sendCommand(control: Int32Array, command: number): void {
  Atomics.store(control, Word.command, command);
  Atomics.add(control, Word.sequence, 1);
  Atomics.notify(control, Word.sequence);
}

/** Makes every worker leave the run: at once if it waits at a barrier, else at the next one. */
export function abortRun(control: Int32Array): void {
  Atomics.store(control, Word.abort, 1);
  Atomics.add(control, Word.generation, 1);
  Atomics.notify(control, Word.generation);
}

/** Polls between two looks at the clock. */
const polls = 256;

/**
 * Waits until all participants have arrived. Spins for `spinMs` before it sleeps: a sleep and a wake-up cost about
 * 15 us, a step of a plan often less. False when the run was aborted.
 */
export function passBarrier(control: Int32Array, participants: number, spinMs: number): boolean {
  // In this order: an abort that comes after the second line changes the generation that the first has read.
  const generation = Atomics.load(control, Word.generation);
  if (Atomics.load(control, Word.abort) !== 0) return false;
  if (Atomics.add(control, Word.arrived, 1) === participants - 1) {
    Atomics.store(control, Word.arrived, 0);
    Atomics.add(control, Word.generation, 1);
    if (Atomics.load(control, Word.sleepers) !== 0) Atomics.notify(control, Word.generation);
    return true;
  }
  if (spinMs === 0 || !spin(control, generation, spinMs)) {
    Atomics.add(control, Word.sleepers, 1);
    while (Atomics.load(control, Word.generation) === generation) {
      Atomics.wait(control, Word.generation, generation);
    }
    Atomics.sub(control, Word.sleepers, 1);
  }
  return Atomics.load(control, Word.abort) === 0;
}

function spin(control: Int32Array, generation: number, spinMs: number): boolean {
  let deadline = 0;
  do {
    for (let i = 0; i < polls; i++) {
      if (Atomics.load(control, Word.generation) !== generation) return true;
    }
    if (deadline === 0) deadline = performance.now() + spinMs;
  } while (performance.now() < deadline);
  return false;
}
