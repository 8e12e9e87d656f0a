// What happens between two rounds of a run, without the thread that asked for it: the checks are read, the outputs of the
// round are kept, the variables that it wrote become current, and the inputs of the next one are put in their place.
// All of it is described by words of the program's control buffer, written before the run:
//
//     description   rounds  args 0, 1  flags  pages  watched 0, 1  indices  inputs, outputs  shared
//     per input     to  from  row bytes  rows  bytes from round to round
//     per output    from (even round)  from (odd round)  to  bytes  bytes from round to round
//
// Rounds read and write variables in turn from one bank to the other, so round r uses argument table r mod 2; a commit
// is one store, of the number of rounds that are complete. Who owns the variables swaps their banks afterwards if it is odd.
//
// An input is copied whole from its place for this round; or, when it has rows, row by row from where `indices` says:
// indices[round · rows + i]. Small inputs are copied by the worker that ends the round before; when `shared` is set,
// all workers do it together, and meet.

import { endOfPositions, Outcome, offerWord, positionWord, progressWord, Word } from './control.ts';

/** Places in the description, which begins at `Word.description`. */
export const Part = {
  rounds: 96,
  args: 97,
  flags: 99,
  pages: 100,
  watched: 101,
  indices: 103,
  inputs: 104,
  outputs: 105,
  shared: 106,
} as const;

/** Words of an input, and of an output. */
const copyWords = 5;

export interface InputCopy {
  readonly to: number;
  readonly from: number;
  /** Bytes of one row; of all of it when there are no rows. */
  readonly rowBytes: number;
  /** Rows per round, found by their indices; 0: copied whole. */
  readonly rows: number;
  /** Bytes from the place for one round to that for the next. */
  readonly stride: number;
}

export interface OutputCopy {
  /** Where the output lies after rounds 0, 2, 4 …, and after rounds 1, 3, 5 … */
  readonly from: readonly [number, number];
  readonly to: number;
  readonly bytes: number;
  readonly stride: number;
}

/** One command's worth of rounds. Addresses are bytes of memory. */
export interface RunDescription {
  readonly rounds: number;
  /** An f32 that ends the run, after its round is committed, when it is not finite; null: none. */
  readonly watched: readonly [number, number] | null;
  /** List of row numbers, 32 bits each; 0 when no input has rows. */
  readonly indices: number;
  readonly inputs: readonly InputCopy[];
  readonly outputs: readonly OutputCopy[];
}

/** From so many bytes on, inputs are copied by all workers: below, meeting costs more than the copy. */
const sharedInputBytes = 16384;

/** Words of control that a program of so many inputs and outputs needs. */
export function controlWords(participants: number, inputs: number, outputs: number): number {
  return endOfPositions(participants) + (inputs + outputs) * copyWords;
}

/** Where a run finds the rest: the argument tables of even and of odd rounds, the flags, and how long memory is. */
export interface RunPlaces {
  readonly evenArgs: number;
  readonly oddArgs: number;
  readonly flags: number;
  readonly memoryBytes: number;
}

/** Writes a description, and clears what the run before has left. No worker may be in a run. */
export function describeRun(
  control: Int32Array,
  participants: number,
  run: RunDescription,
  places: RunPlaces,
): void {
  for (const word of leftByRuns) control[word] = 0;
  for (let index = 0; index < participants; index++) {
    control[positionWord(index)] = -1;
    control[offerWord(index)] = 0;
    control[progressWord(index)] = 0;
  }
  const { rounds, watched, indices, inputs, outputs } = run;
  control[Part.rounds] = rounds;
  control[Part.args] = places.evenArgs;
  control[Part.args + 1] = places.oddArgs;
  control[Part.flags] = places.flags;
  control[Part.pages] = places.memoryBytes / 65536;
  control[Part.watched] = watched === null ? 0 : watched[0];
  control[Part.watched + 1] = watched === null ? 0 : watched[1];
  control[Part.indices] = indices;
  control[Part.inputs] = inputs.length;
  control[Part.outputs] = outputs.length;
  let at = endOfPositions(participants);
  let inputBytes = 0;
  for (const { to, from, rowBytes, rows, stride } of inputs) {
    inputBytes += rowBytes * Math.max(1, rows);
    control.set([to, from, rowBytes, rows, stride], at);
    at += copyWords;
  }
  for (const { from, to, bytes, stride } of outputs) {
    control.set([...from, to, bytes, stride], at);
    at += copyWords;
  }
  control[Part.shared] = Number(participants > 1 && inputBytes >= sharedInputBytes);
}

const leftByRuns = [
  Word.done,
  Word.arrived,
  Word.sleepers,
  Word.abort,
  Word.stop,
  Word.committed,
  Word.outcome,
  Word.more,
  Word.dozers,
] as const;

/** A thread's view of a program's rounds. Allocates nothing while a run is on. */
export class Rounds {
  /** Ends the round in flight: for the last worker to arrive, who runs alone. */
  readonly end: () => void;

  readonly #control: Int32Array;
  readonly #memory: WebAssembly.Memory;
  readonly #inputs: number;
  #bytes: Uint8Array;
  #words: Int32Array;

  constructor(control: Int32Array, participants: number, memory: WebAssembly.Memory) {
    this.#control = control;
    this.#memory = memory;
    this.#inputs = endOfPositions(participants);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.end = () => this.#end();
  }

  /** Sees all of memory as it is now: memory may have grown since the last run. */
  begin(): void {
    const bytes = this.#control[Part.pages]! * 65536;
    // Growing by nothing makes this thread's buffer as long as memory has become in another thread.
    if (this.#memory.buffer.byteLength < bytes) this.#memory.grow(0);
    if (this.#bytes.buffer === this.#memory.buffer) return;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** The inputs of the first round, unless workers copy them together. */
  fetchFirst(): void {
    if (this.#control[Part.shared] === 0) this.fetch(0, 0, 1);
  }

  /** Copies part `part` of `parts` of the inputs of a round. */
  fetch(round: number, part: number, parts: number): void {
    const control = this.#control;
    const end = this.#inputs + control[Part.inputs]! * copyWords;
    for (let at = this.#inputs; at < end; at += copyWords) {
      const to = control[at]! >>> 0;
      const from = control[at + 1]! >>> 0;
      const rowBytes = control[at + 2]! >>> 0;
      const rows = control[at + 3]!;
      if (rows > 0) {
        this.#fetchRows(round, to, from, rowBytes, rows, part, parts);
        continue;
      }
      // Cut at multiples of 64 bytes, so that no two workers write one cache line.
      const lines = Math.ceil(rowBytes / 64);
      const begin = Math.floor((lines * part) / parts) * 64;
      const stop = Math.min(rowBytes, Math.floor((lines * (part + 1)) / parts) * 64);
      if (begin < stop) {
        this.#copy(to + begin, from + round * (control[at + 4]! >>> 0) + begin, stop - begin);
      }
    }
  }

  #fetchRows(
    round: number,
    to: number,
    from: number,
    rowBytes: number,
    rows: number,
    part: number,
    parts: number,
  ): void {
    const words = this.#words;
    const list = (this.#control[Part.indices]! >>> 2) + round * rows;
    const begin = Math.floor((rows * part) / parts);
    const stop = Math.floor((rows * (part + 1)) / parts);
    for (let row = begin; row < stop; row++) {
      this.#copy(to + row * rowBytes, from + words[list + row]! * rowBytes, rowBytes);
    }
  }

  /** A loop for a few words: a call of copyWithin costs as much as some tens of them. */
  #copy(to: number, from: number, bytes: number): void {
    if (((to | from | bytes) & 3) === 0 && bytes <= 128) {
      const words = this.#words;
      const shift = (from >>> 2) - (to >>> 2);
      const end = (to >>> 2) + (bytes >>> 2);
      for (let i = to >>> 2; i < end; i++) words[i] = words[i + shift]!;
    } else {
      this.#bytes.copyWithin(to, from, from + bytes);
    }
  }

  #end(): void {
    const control = this.#control;
    const words = this.#words;
    if (words[control[Part.flags]! >>> 2] !== 0) {
      control[Word.outcome] = Outcome.checkFailed;
      control[Word.more] = 0;
      return;
    }
    const round = control[Word.committed]!;
    const odd = round & 1;
    const first = this.#inputs + control[Part.inputs]! * copyWords;
    const end = first + control[Part.outputs]! * copyWords;
    for (let at = first; at < end; at += copyWords) {
      const to = (control[at + 2]! >>> 0) + round * (control[at + 4]! >>> 0);
      this.#copy(to, control[at + odd]! >>> 0, control[at + 3]! >>> 0);
    }
    Atomics.store(control, Word.committed, round + 1);
    const watched = control[Part.watched + odd]! >>> 2;
    if (watched !== 0 && (words[watched]! & 0x7f800000) === 0x7f800000) {
      control[Word.outcome] = Outcome.watchedNotFinite;
    } else if (round + 1 === control[Part.rounds]) {
      control[Word.outcome] = Outcome.complete;
    } else if (Atomics.load(control, Word.stop) === 0) {
      if (control[Part.shared] === 0) this.fetch(round + 1, 0, 1);
      control[Word.more] = 1;
      return;
    }
    control[Word.more] = 0;
  }
}
