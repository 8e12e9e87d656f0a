// Random choices for tests: deterministic for a seed, on every machine. SplitMix32 over a counter: the n-th number is a hash of seed
// and n, so there is no state that could differ.

import type { SampleSource } from '../../compiler/graph/ir.ts';

/**
 * A source of random choices.
 *
 *   const random = seededRandom(7);
 *   random.shape(1, 3); // the same shape on every run
 */
export function seededRandom(seed: number): SampleSource {
  const start = mix(seed | 0);
  let counter = 0;
  /** In [0, 1), with 32 random bits. */
  const unit = (): number => {
    counter = (counter + 0x9e3779b9) | 0;
    return (mix((start + counter) | 0) >>> 0) / 2 ** 32;
  };
  const int = (lo: number, hi: number): number => lo + Math.floor(unit() * (hi - lo + 1));
  return {
    int,
    uniform: (lo, hi) => lo + unit() * (hi - lo),
    pick: (from) => {
      if (from.length === 0) throw new RangeError('nothing to pick from');
      return from[int(0, from.length - 1)]!;
    },
    bool: (probability = 0.5) => unit() < probability,
    shape: (minRank = 0, maxRank = 4, maxDim = 5) =>
      Array.from({ length: int(minRank, maxRank) }, () => int(1, maxDim)),
  };
}

/** The finaliser of MurmurHash3, as improved for SplitMix: every input bit changes every output bit half of the time. */
function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return h ^ (h >>> 15);
}
