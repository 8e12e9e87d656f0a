// The random numbers of the experiments. They are defined word by word, so that the same run can be written in any language:
// mulberry32 in 32-bit arithmetic, of which the k-th word (from 0) is a function of seed + (k + 1) · 0x6D2B79F5.
//
// A run's seed makes four streams: its data, its first weights, the order of its examples, and the rest (`extra`).
// What is drawn is float64; it is rounded to f32 where it is stored.

import { type data, type Initializer, initializers } from '../../src/index.ts';

/** How far mulberry32 moves from word to word. */
export const mulberryStep = 0x6d2b79f5;

export class Stream implements data.Draws {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Where the stream stands: word k follows from seed + k · `mulberryStep`. */
  get state(): number {
    return this.#state >>> 0;
  }

  /** Integer in [0, 2³²). */
  word(): number {
    this.#state = (this.#state + mulberryStep) | 0;
    const a = this.#state;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** In [lo, hi). */
  uniform(lo = 0, hi = 1): number {
    return lo + ((hi - lo) * this.word()) / 2 ** 32;
  }

  /** By Box and Muller, one number of two words. */
  normal(mean = 0, deviation = 1): number {
    const u1 = 1 - this.word() / 2 ** 32;
    const u2 = this.word() / 2 ** 32;
    return mean + deviation * Math.sqrt(-2 * Math.log(u1)) * Math.cos(2 * Math.PI * u2);
  }

  /** 0 … n−1 in random order (Fisher and Yates). */
  permutation(n: number): Int32Array {
    const p = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1));
      [p[i], p[j]] = [p[j]!, p[i]!];
    }
    return p;
  }

  /** Rows for the steps of some epochs, each in an order of its own; without the last ones when they fill no batch. */
  rows(count: number, epochs: number, batch: number): Int32Array {
    const used = count - (count % batch);
    const rows = new Int32Array(epochs * used);
    for (let e = 0; e < epochs; e++) rows.set(this.permutation(count).subarray(0, used), e * used);
    return rows;
  }

  /** First values drawn here and now: normal, with this deviation. Weights are to be drawn in the order of their layers. */
  normals(count: number, deviation: number): Initializer {
    return initializers.fromArray(Float32Array.from({ length: count }, () => deviation * this.normal()));
  }

  /** The same, uniform in [lo, hi). */
  uniforms(count: number, lo: number, hi: number): Initializer {
    return initializers.fromArray(Float32Array.from({ length: count }, () => this.uniform(lo, hi)));
  }
}

export interface Streams {
  readonly data: Stream;
  readonly init: Stream;
  readonly order: Stream;
  readonly extra: Stream;
}

/** The streams of a run: seeded by the first four words of mulberry32(seed). */
export function streams(seed: number): Streams {
  const words = new Stream(seed);
  const [data, init, order, extra] = [words.word(), words.word(), words.word(), words.word()];
  return {
    data: new Stream(data),
    init: new Stream(init),
    order: new Stream(order),
    extra: new Stream(extra),
  };
}
