// Offers: units that whoever has time may run. A core is now and then slower than its neighbour: another program runs there,
// it is hotter, or of a smaller kind. Work that is cut in equal parts before the run then ends when the slowest core has
// done its part. So a worker that has done its own part takes pieces of the others' parts before it goes to the barrier:
//
//   worker 0   piece 0 ──── piece 1 ── piece 2 ─ 3 │ takes 7 │ barrier          offer word of worker 0: 4
//   worker 1   piece 4 ─────────── piece 5 ──── 6 ──────── 8 │ barrier          offer word of worker 1: 5 (4 to 8)
//
// Each worker has a word that counts the pieces of its part that are taken; one atomic addition takes one. Who runs a unit
// has no influence on its bits. Pieces depend on nothing between the barriers before and after them, which the checker of
// plans proves, so nobody asks who wrote what. The words are zeroed by whoever arrives last at the barrier, when all
// pieces are taken and all workers wait.

import { Abort, offerWord, positionWord, Word } from './control.ts';
import type { KernelFunction } from './kernels.ts';
import { itemSize, type WalkOffers } from './walk.ts';

/** One worker's view of the offers of a program. Allocates nothing while a run is on. */
export class Offers {
  /** Lets all pieces be taken again: for the last worker to arrive at a barrier, who runs alone. Null when there are none. */
  readonly renew: (() => void) | null;

  readonly #control: Int32Array;
  readonly #pieces: Int32Array;
  readonly #table: Int32Array;
  readonly #index: number;
  readonly #participants: number;
  readonly #ownItems: number;

  /** `ownItems`: items of this worker's list, behind which its positions are those of pieces. */
  constructor(
    control: Int32Array,
    { pieces, table }: Pick<WalkOffers, 'pieces' | 'table'>,
    index: number,
    participants: number,
    ownItems: number,
  ) {
    this.#control = control;
    this.#pieces = pieces;
    this.#table = table;
    this.#index = index;
    this.#participants = participants;
    this.#ownItems = ownItems;
    const renew = (): void => {
      for (let worker = 0; worker < participants; worker++) control[offerWord(worker)] = 0;
    };
    this.renew = pieces.length > 0 ? renew : null;
  }

  /** What the last worker to arrive does at the end of a round: lets all pieces be taken again, then `end`. */
  renewThen(end: () => void): () => void {
    const { renew } = this;
    if (renew === null) return end;
    return () => {
      renew();
      end();
    };
  }

  /**
   * Takes pieces of an offer, the worker's own first, until none is left; `note` is told each when it is done. False when the
   * run was aborted.
   */
  take(
    offer: number,
    kernels: readonly KernelFunction[],
    args: number,
    note: ((piece: number) => void) | null,
  ): boolean {
    const control = this.#control;
    const pieces = this.#pieces;
    const participants = this.#participants;
    const position = positionWord(this.#index);
    for (let turn = 0; turn < participants; turn++) {
      const worker = (this.#index + turn) % participants;
      const at = 2 * (offer * participants + worker);
      const first = this.#table[at]!;
      const count = this.#table[at + 1]!;
      const word = offerWord(worker);
      // A look first: an addition takes the word's cache line away from its owner.
      while (count > 0 && Atomics.load(control, word) < count) {
        const taken = Atomics.add(control, word, 1);
        if (taken >= count) break;
        const piece = first + taken;
        const i = piece * itemSize;
        control[position] = this.#ownItems + piece;
        if (control[Word.abort] !== Abort.none) return false;
        kernels[pieces[i]!]!(pieces[i + 1]!, pieces[i + 2]!, args + pieces[i + 3]!);
        note?.(piece);
      }
    }
    return true;
  }
}
