// SHA-256 (FIPS 180-4), synchronous, for checksums of saved files: crypto.subtle is asynchronous and absent on pages that are
// not served securely. About 160 MB/s.

import { nodeModule } from './node.ts';

const roundConstants = fractionalRoots(64, 1 / 3);
const initialState = fractionalRoots(8, 1 / 2);
const blockBytes = 64;

/** The hash of the parts, one after another: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const crypto = nodeModule('node:crypto');
  if (crypto === undefined) return portableSha256(...parts);
  const hash = crypto.createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** The same in plain JavaScript. */
export function portableSha256(...parts: readonly Uint8Array[]): Uint8Array {
  const state = Int32Array.from(initialState);
  const schedule = new Int32Array(64);
  const rest = new Uint8Array(2 * blockBytes);
  let restLength = 0;
  let total = 0;
  for (const part of parts) {
    let at = 0;
    total += part.length;
    if (restLength > 0) {
      at = Math.min(part.length, blockBytes - restLength);
      rest.set(part.subarray(0, at), restLength);
      restLength += at;
      if (restLength < blockBytes) continue;
      compress(state, schedule, rest, 0);
    }
    for (; at + blockBytes <= part.length; at += blockBytes) compress(state, schedule, part, at);
    rest.set(part.subarray(at));
    restLength = part.length - at;
  }
  const padded = restLength + 9 <= blockBytes ? blockBytes : 2 * blockBytes;
  rest.fill(0, restLength);
  rest[restLength] = 0x80;
  const view = new DataView(rest.buffer);
  view.setUint32(padded - 8, Math.floor(total / 2 ** 29));
  view.setUint32(padded - 4, (total * 8) >>> 0);
  for (let at = 0; at < padded; at += blockBytes) compress(state, schedule, rest, at);

  const hash = new Uint8Array(32);
  const out = new DataView(hash.buffer);
  state.forEach((word, i) => {
    out.setInt32(4 * i, word);
  });
  return hash;
}

function compress(state: Int32Array, w: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const j = at + 4 * i;
    w[i] = (bytes[j]! << 24) | (bytes[j + 1]! << 16) | (bytes[j + 2]! << 8) | bytes[j + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + roundConstants[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
  state[5] = state[5]! + f;
  state[6] = state[6]! + g;
  state[7] = state[7]! + h;
}

/**
 * The first 32 bits of the fractional parts of p^exponent for the first primes: where the standard takes its constants
 * from. A double holds the 3 integer bits at most and these 32 exactly enough.
 */
function fractionalRoots(count: number, exponent: number): Int32Array {
  const words = new Int32Array(count);
  for (let n = 0, candidate = 2; n < count; candidate++) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
      if (candidate % divisor === 0) isPrime = false;
    }
    if (!isPrime) continue;
    const root = candidate ** exponent;
    words[n++] = Math.floor((root - Math.floor(root)) * 2 ** 32);
  }
  return words;
}
