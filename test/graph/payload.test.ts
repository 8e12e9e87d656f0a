// Content hashes of constants.

import t from 'tap';
import { makePayload, murmur128 } from '../../compiler/graph/payload.ts';

/** Bytes as little-endian words. */
function words(text: string): Uint32Array {
  const bytes = new Uint8Array(Math.ceil(text.length / 4) * 4);
  bytes.set(new TextEncoder().encode(text));
  const view = new DataView(bytes.buffer);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
}

t.test('the hash is MurmurHash3 x86_128', async (t) => {
  const vectors = [
    ['', 0, '00000000000000000000000000000000'],
    ['', 1, '88c4adec54d201b954d201b954d201b9'],
    ['a', 0, 'a794933c5556b01b5556b01b5556b01b'],
    ['heddle', 7, '086aa940d0afb6e350ea0b7f50ea0b7f'],
    ['The quick brown fox jumps over the lazy dog', 2538058380, '8ad4d55e4cb861718ea73a9ccdb6793e'],
    ['0123456789abcdef', 3, 'dd22abf903df5ffa20f1377fb0b65e77'],
    ['0123456789abcdefghijklmnopqrs', 123, 'a6c8988a3ed090fb75195a9d5598e24f'],
  ] as const;
  for (const [text, seed, hash] of vectors) {
    t.equal(murmur128(words(text), text.length, seed), hash, JSON.stringify(text));
  }
});

t.test('equal contents have equal hashes, different ones differ', async (t) => {
  const hash = (values: Parameters<typeof makePayload>[0]): string => makePayload(values).hash;
  t.equal(hash(new Float32Array([1, 2, 3])), hash(Float32Array.of(1, 2, 3)));
  t.equal(
    hash(new Float32Array([9, 1, 2, 9]).subarray(1, 3)),
    hash(Float32Array.of(1, 2)),
    'part of a buffer',
  );
  const different = [
    new Float32Array(4),
    new Float32Array(5),
    new Float32Array([0, 0, 0, -0]),
    new Int32Array(4),
    new Uint32Array(4),
    new Float64Array(2),
    new Float64Array([0, -0]),
    new Uint8Array(16),
    new Uint8Array(15),
    new Uint8Array([...new Array<number>(14).fill(0), 1]),
    new Uint8Array([...new Array<number>(15).fill(0), 1]),
    new Float32Array([1, 2, 3, 4]),
    new Float32Array([1, 2, 4, 3]),
    new Float32Array(0),
  ];
  t.equal(new Set(different.map(hash)).size, different.length);
  for (const values of different) t.match(hash(values), /^[0-9a-f]{32}$/);
});

t.test('hashes are the same for ever: they are part of cache keys', async (t) => {
  t.equal(
    makePayload(Float32Array.from({ length: 17 }, (_, i) => i / 4)).hash,
    '5fc9dc1d039608224e6ae2c39844cab8',
  );
  t.equal(makePayload(Uint8Array.from({ length: 17 }, (_, i) => i)).hash, '8653e3faedbbebcb064f998b41db355f');
  t.equal(makePayload(Float64Array.of(0.1, -2)).hash, '479b0d71e04afae5bd3855105372b2dd');
});

t.test('all NaNs are one', async (t) => {
  const odd = new Uint32Array([0x7fc00000, 0xffc12345]);
  t.equal(
    makePayload(new Float32Array(odd.buffer)).hash,
    makePayload(Float32Array.of(Number.NaN, Number.NaN)).hash,
  );
});

t.test('elements are copied', async (t) => {
  const values = Float32Array.of(1, 2);
  const payload = makePayload(values);
  values[0] = 9;
  t.same([...payload.values], [1, 2]);
});

t.test('no two of many small payloads collide', async (t) => {
  const hashes = new Set<string>();
  for (let i = 0; i < 20_000; i++) hashes.add(makePayload(Int32Array.of(i, 0, i % 7)).hash);
  t.equal(hashes.size, 20_000);
});
