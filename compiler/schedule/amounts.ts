// Lists of numbers of bytes. In code that the engine has not optimised yet, and a compilation runs little else, every read
// of a 64-bit number makes an object; one of 32 bits makes none. So 64 bits are for programs that need them.

export type Amounts = Int32Array | Float64Array;

const largest = 2 ** 31 - 1;

/** So many amounts, 0 at first, whose sums and differences lie within ± `most`. */
export function amounts(count: number, most: number): Amounts {
  return most <= largest ? new Int32Array(count) : new Float64Array(count);
}
