// Elements of large constants, identified by their content. The hash is MurmurHash3 x86_128 (Appleby, public domain) over
// the elements as little-endian bytes, seeded with their kind, so it is the same on every machine; it finds equal
// constants and makes cache keys, and protects against accidents, not against an adversary.

import type { Payload } from './ir.ts';

/** Seeds: the hash of four zero floats must differ from that of four zero integers. */
const kinds = ['Float64Array', 'Float32Array', 'Int32Array', 'Uint32Array', 'Uint8Array'] as const;

/**
 * Copies the elements and hashes them. NaNs are made canonical first, since engines may store any of their bit patterns;
 * 0 and −0 stay different.
 *
 *   makePayload(new Float32Array(1000)).hash // 32 hexadecimal digits
 */
export function makePayload(values: Payload['values']): Payload {
  const copy = values.slice();
  if (copy instanceof Float32Array) canonicalNaNs(copy, new Uint32Array(copy.buffer));
  if (copy instanceof Float64Array) canonicalNaNs(copy, new Uint32Array(copy.buffer));
  const seed = kinds.findIndex((k) => Object.prototype.toString.call(copy) === `[object ${k}]`) + 1;
  return Object.freeze({ hash: murmur128(littleEndianWords(copy), copy.byteLength, seed), values: copy });
}

function canonicalNaNs(values: Float32Array | Float64Array, words: Uint32Array): void {
  const perElement = values.BYTES_PER_ELEMENT / 4;
  const high = isLittleEndian() ? perElement - 1 : 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]!)) continue;
    words.fill(0, i * perElement, (i + 1) * perElement);
    words[i * perElement + high] = perElement === 1 ? 0x7fc00000 : 0x7ff80000;
  }
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
}

/** The bytes of the elements, read as little-endian words whatever the machine; the last word is filled up with zeros. */
function littleEndianWords(values: Payload['values']): Uint32Array {
  if (values.BYTES_PER_ELEMENT === 1) {
    const words = new Uint32Array(Math.ceil(values.length / 4));
    for (let i = 0; i < values.length; i++) words[i >> 2]! |= values[i]! << ((i & 3) * 8);
    return words;
  }
  const words = new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
  if (values.BYTES_PER_ELEMENT === 4 || isLittleEndian()) return words;
  return words.map((_, i) => words[i ^ 1]!);
}

/** MurmurHash3 x86_128 of `bytes` bytes in `words` (unused bytes of the last word are zero), as 32 hexadecimal digits. */
export function murmur128(words: Uint32Array, bytes: number, seed: number): string {
  const c = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93] as const;
  let [h1, h2, h3, h4] = [seed, seed, seed, seed];
  const whole = bytes >>> 4;
  for (let block = 0; block < whole; block++) {
    const at = block * 4;
    h1 ^= Math.imul(rotate(Math.imul(words[at]!, c[0]), 15), c[1]);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(words[at + 1]!, c[1]), 16), c[2]);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(words[at + 2]!, c[2]), 17), c[3]);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(words[at + 3]!, c[3]), 18), c[0]);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  // The tail: words that are absent count as zero, and mixing zero changes nothing.
  const tail = whole * 4;
  h4 ^= Math.imul(rotate(Math.imul(words[tail + 3] ?? 0, c[3]), 18), c[0]);
  h3 ^= Math.imul(rotate(Math.imul(words[tail + 2] ?? 0, c[2]), 17), c[3]);
  h2 ^= Math.imul(rotate(Math.imul(words[tail + 1] ?? 0, c[1]), 16), c[2]);
  h1 ^= Math.imul(rotate(Math.imul(words[tail] ?? 0, c[0]), 15), c[1]);
  h1 ^= bytes;
  h2 ^= bytes;
  h3 ^= bytes;
  h4 ^= bytes;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  [h1, h2, h3, h4] = [avalanche(h1), avalanche(h2), avalanche(h3), avalanche(h4)];
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  return [h1, h2, h3, h4].map((h) => (h >>> 0).toString(16).padStart(8, '0')).join('');
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function avalanche(x: number): number {
  let h = x;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
