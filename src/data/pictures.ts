// From bytes to what nets like: numbers around 0.

/**
 * (byte / 255 − mean) / deviation. `mean` and `deviation` are one number, or one for each of `channels` planes of a picture.
 *
 * @example data.normalize(images, { mean: 0.1307, deviation: 0.3081 })
 */
export function normalize(
  bytes: ArrayLike<number>,
  options: {
    readonly mean?: number | readonly number[];
    readonly deviation?: number | readonly number[];
    /** Elements of one plane; needed for a list of means. */
    readonly plane?: number;
  } = {},
): Float32Array {
  const means = list(options.mean ?? 0);
  const deviations = list(options.deviation ?? 1);
  const channels = Math.max(means.length, deviations.length);
  const plane = options.plane ?? bytes.length;
  const values = new Float32Array(bytes.length);
  for (let start = 0, p = 0; start < bytes.length; start += plane, p++) {
    const mean = means[(p % channels) % means.length]!;
    const scale = 1 / deviations[(p % channels) % deviations.length]!;
    const end = Math.min(start + plane, bytes.length);
    for (let i = start; i < end; i++) values[i] = (bytes[i]! / 255 - mean) * scale;
  }
  return values;
}

/** The mean and deviation of all bytes, as fractions of 255: what `normalize` takes. */
export function statistics(bytes: ArrayLike<number>): { readonly mean: number; readonly deviation: number } {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i]!;
  const mean = sum / bytes.length;
  let squares = 0;
  for (let i = 0; i < bytes.length; i++) squares += (bytes[i]! - mean) ** 2;
  return { mean: mean / 255, deviation: Math.sqrt(squares / bytes.length) / 255 };
}

function list(value: number | readonly number[]): readonly number[] {
  return typeof value === 'number' ? [value] : value;
}
