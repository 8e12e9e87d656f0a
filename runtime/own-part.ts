// The calling thread as one of those that compute. To wake a worker for each of a hundred short runs, and to hear by a message
// that it is done, takes longer than the runs: 20 to 60 us each time. So in a short run the caller does the last list itself;
// the other workers, who still spin after the run before, need one word to begin, and nobody sends a message.
//
//     caller    writes inputs ─ command ─ its list ─ barrier ─ its list ─ barrier ─ reads outputs
//     worker 0  spins ───────────────── its list ─── barrier ─ its list ─ barrier ─ spins
//
// The caller never sleeps in a run: it has an event loop, and in a page it may not. Where a worker would sleep, it lets
// the loop turn and looks again. So a worker that dies is heard of, and a timer fires.

import {
  Abort,
  awaitCountInTurns,
  passBarrierInTurns,
  positionWord,
  progressWord,
  tellProgress,
  Word,
} from './control.ts';
import { bindKernels, type KernelFunction } from './kernels.ts';
import { Offers } from './offers.ts';
import type { Program } from './program.ts';
import { Part } from './rounds.ts';
import { awaitedThreads, barrierItem, itemSize, waitItem } from './walk.ts';

/** The caller spins so many times longer than a worker: it has nothing better to do before its short run has ended. */
const patience = 4;

/** The last list of a program, for the calling thread. */
export class OwnPart {
  readonly #program: Program;
  readonly #memory: WebAssembly.Memory;
  readonly #spinMs: number;
  readonly #offers: Offers;
  readonly #end: () => void;
  #kernels: readonly KernelFunction[];
  /** The buffer that the kernels were bound to. */
  #buffer: ArrayBufferLike;

  /** Throws what binding the code throws. */
  constructor(program: Program, memory: WebAssembly.Memory, spinMs: number) {
    const { control, rounds, walk } = program;
    const { participants, offers } = walk;
    const index = participants - 1;
    this.#program = program;
    this.#memory = memory;
    this.#spinMs = patience * spinMs;
    this.#offers = new Offers(control, offers, index, participants, walk.lists[index]!.length / itemSize);
    this.#end = this.#offers.renewThen(rounds.end);
    this.#kernels = bindKernels(program.code, memory);
    this.#buffer = memory.buffer;
  }

  /**
   * One round, as the program's control words say, whose other participants have been told to begin. Yields while it waits for
   * them; is at its end when they have left the run, or one has failed. Throws what a kernel throws.
   */
  *walk(): Generator<void, void> {
    const { control, rounds, walk } = this.#program;
    const { participants, lists } = walk;
    const index = participants - 1;
    rounds.begin();
    if (this.#program.code.target === 'js' && this.#buffer !== this.#memory.buffer)
      this.#kernels = bindKernels(this.#program.code, this.#memory);
    this.#buffer = this.#memory.buffer;
    if (yield* this.#items(lists[index]!, index))
      yield* passBarrierInTurns(control, participants, this.#spinMs, this.#end);
    yield* awaitCountInTurns(control, Word.done, participants - 1, this.#spinMs);
  }

  /** The items of the list; false when the run was aborted. */
  *#items(items: Int32Array, index: number): Generator<void, boolean> {
    const { control, walk } = this.#program;
    const { participants } = walk;
    const kernels = this.#kernels;
    const position = positionWord(index);
    const args = control[Part.args]! >>> 0;
    let waits = 0;
    for (let i = 0; i < items.length; i += itemSize) {
      control[position] = i / itemSize;
      if (control[Word.abort] !== Abort.none) return false;
      const kernel = items[i]!;
      if (kernel >= 0) kernels[kernel]!(items[i + 1]!, items[i + 2]!, args + items[i + 3]!);
      else if (kernel === barrierItem) {
        if (!(yield* passBarrierInTurns(control, participants, this.#spinMs, this.#offers.renew)))
          return false;
      } else if (kernel === waitItem) {
        tellProgress(control, index, ++waits);
        for (const other of awaitedThreads(items[i + 1]!, items[i + 2]!))
          if (!(yield* awaitCountInTurns(control, progressWord(other), waits, this.#spinMs))) return false;
      } else if (!this.#offers.take(items[i + 1]!, kernels, args, null)) return false;
    }
    return true;
  }
}
