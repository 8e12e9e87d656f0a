// Errors of float32 results in units in the last place, and samples that reach all magnitudes.

const word = new DataView(new ArrayBuffer(4));

export function fromBits(x: number): number {
  word.setUint32(0, x);
  return word.getFloat32(0);
}

/**
 * Distance of a float32 from the exact value in units in the last place of the latter (of the smallest subnormal below the
 * normal range). Infinity where one is NaN and the other is not, or where a zero has the wrong sign.
 */
export function ulps(got: number, exact: number): number {
  if (Object.is(got, exact) || (Number.isNaN(got) && Number.isNaN(exact))) return 0;
  if (Number.isNaN(got) || Number.isNaN(exact)) return Number.POSITIVE_INFINITY;
  if (exact === 0 && got === 0) return Number.POSITIVE_INFINITY;
  // Beyond the largest number: counted as the number that would follow it.
  const limit = (x: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, x));
  return Math.abs(limit(got) - limit(exact)) / ulp(limit(exact));
}

function ulp(x: number): number {
  const size = Math.min(Math.max(Math.abs(x), 2 ** -126), 2 ** 127);
  word.setFloat32(0, size);
  const e = (word.getUint32(0) >>> 23) - 127;
  // Rounding to float32 may have reached the next power of two.
  return 2 ** ((2 ** e > size ? e - 1 : e) - 23);
}

/**
 * `count` numbers: half of them evenly over [lo, hi], the others evenly over the bits of all finite numbers of both
 * signs. `part` of `parts` takes every parts-th, so that parts together are one finer sample.
 */
export function sample(
  range: readonly [lo: number, hi: number],
  count: number,
  part = 0,
  parts = 1,
): Float32Array {
  const [lo, hi] = range;
  const half = count >> 1;
  const at = (i: number): number => (i + (part + 0.37) / parts) / half;
  return Float32Array.from({ length: count }, (_, i) => {
    if (i < half) return lo + (hi - lo) * at(i);
    const place = Math.floor(2 * 0x7f800000 * at(i - half));
    return place < 0x7f800000 ? fromBits(place) : -fromBits(place - 0x7f800000);
  });
}
