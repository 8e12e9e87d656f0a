// Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a function of
// (key, counter) that passes BigCrush. Written once over abstract words, so that the interpreter and every target compute
// the same bits.

/** Arithmetic on 32-bit words that wrap. */
export interface WordArithmetic<W> {
  readonly word: (value: number) => W;
  readonly add: (x: W, y: W) => W;
  readonly xor: (x: W, y: W) => W;
  /** Rotation to the left, 0 < by < 32. */
  readonly rotate: (x: W, by: number) => W;
}

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** The block function: two words of key and two of counter give two words of output. */
export function threefry2x32<W>(
  { word, add, xor, rotate }: WordArithmetic<W>,
  key: readonly [W, W],
  counter: readonly [W, W],
): [W, W] {
  const keys = [key[0], key[1], xor(xor(key[0], key[1]), word(0x1bd11bda))] as const;
  let x = add(counter[0], keys[0]);
  let y = add(counter[1], keys[1]);
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[(group % 2) as 0 | 1]) {
      x = add(x, y);
      y = xor(rotate(y, by), x);
    }
    x = add(x, keys[((group + 1) % 3) as 0 | 1 | 2]);
    y = add(y, add(keys[((group + 2) % 3) as 0 | 1 | 2], word(group + 1)));
  }
  return [x, y];
}

/** Words as JavaScript numbers in [0, 2³²). */
export const numberWords: WordArithmetic<number> = {
  word: (value) => value >>> 0,
  add: (x, y) => (x + y) >>> 0,
  xor: (x, y) => (x ^ y) >>> 0,
  rotate: (x, by) => ((x << by) | (x >>> (32 - by))) >>> 0,
};
