// The words that threads share while they run a program, and the barrier. They lie in a small buffer of the program's own,
// outside of memory, where no kernel can reach them; what is written often has a cache line to itself. The same words
// describe the run: rounds.ts reads them. A round is one pass over the plan, a step of training; a run has one or many.
//
//     done        workers that have finished the run; the last one sends a message
//     arrived     workers at the barrier
//     generation  counts barriers passed; workers that wait at a barrier watch it
//     sleepers    workers that sleep at the barrier, so that nobody is woken when none does
//     calls       counts wake-ups of those who wait for single workers (point-to-point waits)
//     dozers      workers that sleep in such a wait
//     abort       see `Abort`. Set first, then `generation` is bumped, so that nobody stays at a barrier
//     stop        not 0: end the run after the round in flight
//     committed   rounds of this run that are complete: everything that they wrote counts
//     outcome     see `Outcome`
//     more        not 0: there is a next round. Written before the barrier that ends a round
//     position    of each worker: the item that it is at, −1 before the first. For errors
//     offer       of each worker, beside its position: how many pieces of its part are taken. See offers.ts
//     progress    of each worker, there too: the point-to-point barriers that it has come to in this run
//
// A worker sleeps on its mailbox, which counts commands: run a program, read messages, or quit.

/** Positions of the words: multiples of a cache line of 16 words, but for those that are written together. */
export const Word = {
  done: 0,
  arrived: 16,
  generation: 32,
  sleepers: 48,
  abort: 64,
  stop: 65,
  committed: 80,
  outcome: 81,
  more: 82,
  calls: 83,
  dozers: 84,
  /** From here on: written before a run, and only read in it. See rounds.ts. */
  description: 96,
  position: 128,
} as const;
const line = 16;

/** Values of `abort`: a worker has failed and the pool is lost; or the run is not wanted any more. */
export const Abort = { none: 0, failed: 1, cancelled: 2 } as const;

/** Values of `outcome`: why a run ended. `going` when it was stopped or aborted. */
export const Outcome = { going: 0, complete: 1, checkFailed: 2, watchedNotFinite: 3 } as const;

/** Where worker `index` writes its position. */
export function positionWord(index: number): number {
  return Word.position + index * line;
}

/** Counts the pieces that are taken of the part of worker `index`. */
export function offerWord(index: number): number {
  return positionWord(index) + 1;
}

/** Counts the point-to-point barriers that worker `index` has come to. */
export function progressWord(index: number): number {
  return positionWord(index) + 2;
}

/** First word after the positions of so many participants. */
export function endOfPositions(participants: number): number {
  return Word.position + participants * line;
}

/** Words of a mailbox. */
export const Mail = { sequence: 0, command: 1, plan: 2 } as const;
export const Command = { receive: 0, run: 1, quit: 2 } as const;

export function makeMailbox(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(line * 4));
}

/** Gives a command to a worker, which must have finished the one before. */
export function sendCommand(mailbox: Int32Array, command: number, plan = 0): void {
  mailbox[Mail.plan] = plan;
  Atomics.store(mailbox, Mail.command, command);
  Atomics.add(mailbox, Mail.sequence, 1);
  Atomics.notify(mailbox, Mail.sequence);
}

/** Waits for a command that comes after the one numbered `seen`; spins for `spinMs` first. Returns its number. */
export function awaitCommand(mailbox: Int32Array, seen: number, spinMs: number): number {
  if (spinMs > 0) spinWhile(mailbox, Mail.sequence, seen, spinMs);
  while (Atomics.load(mailbox, Mail.sequence) === seen) Atomics.wait(mailbox, Mail.sequence, seen);
  return Atomics.load(mailbox, Mail.sequence);
}

/**
 * Makes every worker leave the run: before its next item, and at once if it waits at a barrier. A failure outweighs a
 * cancellation.
 */
export function abortRun(control: Int32Array, reason: number): void {
  if (reason === Abort.failed) Atomics.store(control, Word.abort, reason);
  else Atomics.compareExchange(control, Word.abort, Abort.none, reason);
  for (const word of [Word.generation, Word.calls]) {
    Atomics.add(control, word, 1);
    Atomics.notify(control, word);
  }
}

/** Polls between two looks at the clock. */
const polls = 256;

/**
 * Waits until all participants have arrived; the last to arrive calls `last` before it lets the others go. Spins for
 * `spinMs` before it sleeps: a sleep and a wake-up cost about 15 us, a kernel often less. False when the run was aborted;
 * that `last` was called still counts.
 */
export function passBarrier(
  control: Int32Array,
  participants: number,
  spinMs: number,
  last: (() => void) | null,
): boolean {
  // In this order: an abort that comes after the second line changes the generation that the first has read.
  const generation = Atomics.load(control, Word.generation);
  if (Atomics.load(control, Word.abort) !== Abort.none) return false;
  if (arrive(control, participants, last)) return true;
  if (spinMs === 0 || !spinWhile(control, Word.generation, generation, spinMs)) {
    Atomics.add(control, Word.sleepers, 1);
    while (Atomics.load(control, Word.generation) === generation) {
      Atomics.wait(control, Word.generation, generation);
    }
    Atomics.sub(control, Word.sleepers, 1);
  }
  return Atomics.load(control, Word.abort) === Abort.none;
}

/** Counts who arrives at a barrier; the last lets the others go. */
function arrive(control: Int32Array, participants: number, last: (() => void) | null): boolean {
  if (Atomics.add(control, Word.arrived, 1) < participants - 1) return false;
  last?.();
  Atomics.store(control, Word.arrived, 0);
  Atomics.add(control, Word.generation, 1);
  if (Atomics.load(control, Word.sleepers) !== 0) Atomics.notify(control, Word.generation);
  return true;
}

/** `passBarrier` for a thread that may not sleep: it yields where it would. */
export function* passBarrierInTurns(
  control: Int32Array,
  participants: number,
  spinMs: number,
  last: (() => void) | null,
): Generator<void, boolean> {
  const generation = Atomics.load(control, Word.generation);
  if (Atomics.load(control, Word.abort) !== Abort.none) return false;
  if (arrive(control, participants, last)) return true;
  while (!spinWhile(control, Word.generation, generation, spinMs)) yield;
  return Atomics.load(control, Word.abort) === Abort.none;
}

/** Says that worker `index` has come to its point-to-point barrier number `count`. */
export function tellProgress(control: Int32Array, index: number, count: number): void {
  Atomics.store(control, progressWord(index), count);
  if (Atomics.load(control, Word.dozers) === 0) return;
  Atomics.add(control, Word.calls, 1);
  Atomics.notify(control, Word.calls);
}

/** Waits until worker `other` has come to point-to-point barrier number `count`; spins first. False when the run was aborted. */
export function awaitProgress(control: Int32Array, other: number, count: number, spinMs: number): boolean {
  const word = progressWord(other);
  // It may be several behind, and may be ahead.
  for (let at = Atomics.load(control, word); at < count; at = Atomics.load(control, word)) {
    if (spinMs > 0 && spinWhile(control, word, at, spinMs)) continue;
    Atomics.add(control, Word.dozers, 1);
    // In this order: who tells its progress after the second look finds a sleeper; who did before it is seen by it.
    const calls = Atomics.load(control, Word.calls);
    if (Atomics.load(control, word) === at && Atomics.load(control, Word.abort) === Abort.none)
      Atomics.wait(control, Word.calls, calls);
    Atomics.sub(control, Word.dozers, 1);
    if (Atomics.load(control, Word.abort) !== Abort.none) return false;
  }
  return Atomics.load(control, Word.abort) === Abort.none;
}

/** Waits until a word that only grows is at least `count`; for a thread that may not sleep. False when the run was aborted. */
export function* awaitCountInTurns(
  control: Int32Array,
  word: number,
  count: number,
  spinMs: number,
): Generator<void, boolean> {
  for (let at = Atomics.load(control, word); at < count; at = Atomics.load(control, word)) {
    if (Atomics.load(control, Word.abort) === Abort.failed) return false;
    if (!spinWhile(control, word, at, spinMs)) yield;
  }
  return Atomics.load(control, Word.abort) === Abort.none;
}

/** Polls a word for so long as it has a value, at most `spinMs`; true when it has changed. */
function spinWhile(words: Int32Array, word: number, value: number, spinMs: number): boolean {
  let deadline = 0;
  do {
    for (let i = 0; i < polls; i++) {
      if (Atomics.load(words, word) !== value) return true;
    }
    if (deadline === 0) deadline = performance.now() + spinMs;
  } while (performance.now() < deadline);
  return false;
}
