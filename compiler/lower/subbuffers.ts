// Sub-buffers: a value that is padded or joined to others after it was computed lies inside of the result's buffer from the
// start. Its kernel writes there, and nothing is copied; who reads the value itself reads that part.
//
//   a = relu(…)                 a, b and s are parts of p:      ┌───────────────┐
//   b = tanh(…)                                                 │ ┌─ s ───────┐ │
//   s = concat(a, b)            s needs no kernel,              │ │  a  │  b  │ │
//   p = pad(s, 0, 1, 1)         of p the border is written      │ └───────────┘ │
//                                                               └───────────────┘
// Here: what is a part of what, and where. Which values become parts: choose-subbuffers.ts. A whole may be a part itself.

import type { Node } from '../graph/ir.ts';
import { constIndex, type Index, offsetIndex } from '../kernel/affine.ts';

/** One dimension of a whole: the dimension of the part that runs along it, null for none, and where the part begins. */
export interface Along {
  readonly dim: number | null;
  readonly from: number;
}

/** An operand that the whole holds unchanged, and where it begins there. */
export interface Piece {
  readonly operand: Node;
  readonly from: readonly number[];
}

/** The pieces of a value, in the order of its operands; none for ops whose result holds no operand unchanged. */
export function piecesOf(n: Node): readonly Piece[] {
  if (n.op.name === 'pad') {
    const { lo, hi, interior } = n.attrs as Record<'lo' | 'hi' | 'interior', readonly number[]>;
    const onlyGrows = [...lo, ...hi].every((k) => k >= 0) && interior.every((k) => k === 0);
    return onlyGrows ? [{ operand: n.operands[0]!, from: lo }] : [];
  }
  if (n.op.name !== 'concat') return [];
  const axis = n.attrs['axis'] as number;
  let start = 0;
  return n.operands.map((operand) => {
    const from = n.type.shape.map((_, d) => (d === axis ? start : 0));
    start += operand.type.shape[axis]!;
    return { operand, from };
  });
}

/** Where an index into a part stands in its whole. */
export function positionIn(along: readonly Along[], at: readonly Index[]): Index[] {
  return along.map(({ dim, from }) => (dim === null ? constIndex(from) : offsetIndex(at[dim]!, from)));
}

interface Place {
  readonly whole: Node;
  readonly along: readonly Along[];
}

export class SubBuffers {
  readonly #places = new Map<Node, Place>();
  /** Per whole, its parts by number of the piece; null for a piece that is none. */
  readonly #parts = new Map<Node, (Node | null)[]>();

  isPart(n: Node): boolean {
    return this.#places.has(n);
  }

  wholeOf(n: Node): Node | null {
    return this.#places.get(n)?.whole ?? null;
  }

  isWhole(n: Node): boolean {
    return this.#parts.has(n);
  }

  wholes(): readonly Node[] {
    return [...this.#parts.keys()];
  }

  /** By number of the piece; null for a piece that somebody must write. */
  partsOf(whole: Node): readonly (Node | null)[] {
    return this.#parts.get(whole) ?? [];
  }

  /** The value in whose buffer this one lies: itself, or the outermost whole. */
  rootOf(n: Node): Node {
    let at = n;
    for (let p = this.#places.get(at); p; p = this.#places.get(at)) at = p.whole;
    return at;
  }

  /** The position in `rootOf(n)` of a position in n. */
  inRoot(n: Node, at: readonly Index[]): readonly Index[] {
    let position = at;
    for (let p = this.#places.get(n); p; p = this.#places.get(p.whole))
      position = positionIn(p.along, position);
    return position;
  }

  /** Makes a value a part, of this whole only. */
  add(part: Node, whole: Node, piece: number, along: readonly Along[]): void {
    this.remove(part);
    const parts = this.#parts.get(whole) ?? piecesOf(whole).map(() => null);
    parts[piece] = part;
    this.#parts.set(whole, parts);
    this.#places.set(part, { whole, along });
  }

  /** Lets a value lie on its own. */
  remove(part: Node): void {
    const place = this.#places.get(part);
    if (!place) return;
    this.#places.delete(part);
    const parts = this.#parts.get(place.whole)!;
    parts[parts.indexOf(part)] = null;
    if (parts.every((p) => p === null)) this.#parts.delete(place.whole);
  }
}
