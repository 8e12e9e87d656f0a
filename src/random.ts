// Random numbers on the host: initial values, shuffles, generated data. Counter-based: the k-th word of a stream is a
// function of the stream's key and k alone, so streams never depend on who drew before. A stream is named by a seed and
// a path (`random(seed, 'dense1/w')`): variables get the same initial values whatever is built before them.
//
// The words are Threefry-2x32 with 20 rounds (Salmon et al., 2011), two per block: those of `randomBits` in graphs, written
// out here for speed; a test holds both equal.

/** A stream of random numbers; deterministic for a seed and path. */
export interface Random {
  /** Integer in [0, 2³²). */
  uint32(): number;
  /** Real number in [lo, hi), [0, 1) by default, with 32 random bits. */
  uniform(lo?: number, hi?: number): number;
  /** Normally distributed number; mean 0 and standard deviation 1 by default. */
  normal(mean?: number, deviation?: number): number;
  /** Integer in [0, n). */
  int(n: number): number;
  /** The numbers 0 … n−1 in random order (Fisher and Yates). */
  permutation(n: number): Int32Array;
  /** A stream of its own for every name: drawing from it does not move this one. */
  fork(name: string | number): Random;
}

/**
 * A stream for a seed and a path of names.
 *
 * @example random(1, 'data').uniform(-1, 1)
 */
export function random(seed: number, ...path: readonly (string | number)[]): Random {
  return stream(() =>
    path.reduce<Key>((key, name) => foldName(key, name), [Math.floor(seed / 4294967296) >>> 0, seed >>> 0]),
  );
}

type Key = readonly [number, number];

/** `makeKey` is called at the first draw: most variables start with zeros or ones, and draw nothing. */
function stream(makeKey: () => Key): Random {
  let made: Key | null = null;
  const keyOf = (): Key => {
    made ??= makeKey();
    return made;
  };
  const block = new Uint32Array(2);
  let counter = 0;
  let spare: number | null = null;

  const uint32 = (): number => {
    const half = counter & 1;
    if (half === 0) {
      const key = keyOf();
      threefry(key[0], key[1], Math.floor(counter / 2) >>> 0, Math.floor(counter / 2 ** 33), block);
    }
    counter++;
    return block[half]!;
  };
  const unit = (): number => uint32() / 4294967296;
  const normal = (): number => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    // Box and Muller; 1 − u keeps the logarithm away from 0.
    const radius = Math.sqrt(-2 * Math.log(1 - unit()));
    const angle = 2 * Math.PI * unit();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const int = (n: number): number => Math.floor(unit() * n);

  return {
    uint32,
    uniform: (lo = 0, hi = 1) => lo + (hi - lo) * unit(),
    normal: (mean = 0, deviation = 1) => mean + deviation * normal(),
    int,
    permutation: (n) => {
      const order = Int32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = int(i + 1);
        const kept = order[i]!;
        order[i] = order[j]!;
        order[j] = kept;
      }
      return order;
    },
    fork: (name) => stream(() => foldName(keyOf(), name)),
  };
}

/** A key for a name: each character, and last the length, is encrypted under the key so far. */
function foldName(key: Key, name: string | number): Key {
  const text = String(name);
  const block = new Uint32Array(2);
  let [k0, k1] = key;
  for (let i = 0; i <= text.length; i++) {
    const isEnd = i === text.length;
    threefry(k0, k1, isEnd ? text.length : text.charCodeAt(i), isEnd ? 1 : 0, block);
    k0 = block[0]!;
    k1 = block[1]!;
  }
  return [k0, k1];
}

/** Writes the two words of the block (c0, c1) under the key (k0, k1) to `out`. */
function threefry(k0: number, k1: number, c0: number, c1: number, out: Uint32Array): void {
  const k2 = 0x1bd11bda ^ k0 ^ k1;
  let x = (c0 + k0) | 0;
  let y = (c1 + k1) | 0;
  // Five groups of four rounds; the rotations alternate between two rows, and a key is added after each group.
  x = (x + y) | 0;
  y = ((y << 13) | (y >>> 19)) ^ x;
  x = (x + y) | 0;
  y = ((y << 15) | (y >>> 17)) ^ x;
  x = (x + y) | 0;
  y = ((y << 26) | (y >>> 6)) ^ x;
  x = (x + y) | 0;
  y = ((y << 6) | (y >>> 26)) ^ x;
  x = (x + k1) | 0;
  y = (y + k2 + 1) | 0;
  x = (x + y) | 0;
  y = ((y << 17) | (y >>> 15)) ^ x;
  x = (x + y) | 0;
  y = ((y << 29) | (y >>> 3)) ^ x;
  x = (x + y) | 0;
  y = ((y << 16) | (y >>> 16)) ^ x;
  x = (x + y) | 0;
  y = ((y << 24) | (y >>> 8)) ^ x;
  x = (x + k2) | 0;
  y = (y + k0 + 2) | 0;
  x = (x + y) | 0;
  y = ((y << 13) | (y >>> 19)) ^ x;
  x = (x + y) | 0;
  y = ((y << 15) | (y >>> 17)) ^ x;
  x = (x + y) | 0;
  y = ((y << 26) | (y >>> 6)) ^ x;
  x = (x + y) | 0;
  y = ((y << 6) | (y >>> 26)) ^ x;
  x = (x + k0) | 0;
  y = (y + k1 + 3) | 0;
  x = (x + y) | 0;
  y = ((y << 17) | (y >>> 15)) ^ x;
  x = (x + y) | 0;
  y = ((y << 29) | (y >>> 3)) ^ x;
  x = (x + y) | 0;
  y = ((y << 16) | (y >>> 16)) ^ x;
  x = (x + y) | 0;
  y = ((y << 24) | (y >>> 8)) ^ x;
  x = (x + k1) | 0;
  y = (y + k2 + 4) | 0;
  x = (x + y) | 0;
  y = ((y << 13) | (y >>> 19)) ^ x;
  x = (x + y) | 0;
  y = ((y << 15) | (y >>> 17)) ^ x;
  x = (x + y) | 0;
  y = ((y << 26) | (y >>> 6)) ^ x;
  x = (x + y) | 0;
  y = ((y << 6) | (y >>> 26)) ^ x;
  out[0] = x + k2;
  out[1] = y + k0 + 5;
}
