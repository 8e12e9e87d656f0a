// Mini-batches: which rows a step sees, and their elements, gathered.

import { compilerError } from '../../compiler/graph/errors.ts';
import { random } from '../random.ts';

/** Rows of one tensor: row-major, `rowSize` elements each. */
export interface Rows {
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array;
  readonly rowSize: number;
}

/**
 * The rows 0 … count−1 in slices of `batchSize`: in order, or shuffled by a permutation that follows from the seed. The last
 * slice may be short. Throws HDL0016 for no rows or a batch size that is no integer ≥ 1.
 *
 * @example for (const rows of data.batchesOf(1000, 64, { seed: epoch })) …
 */
export function* batchesOf(
  count: number,
  batchSize: number,
  shuffle?: { readonly seed: number } | null,
): Generator<Int32Array> {
  expectBatches(count, batchSize);
  const order = shuffle
    ? random(shuffle.seed, 'order').permutation(count)
    : Int32Array.from({ length: count }, (_, i) => i);
  for (let start = 0; start < count; start += batchSize) {
    yield order.subarray(start, Math.min(start + batchSize, count));
  }
}

/** There is an example, and the batch size is an integer of at least 1, or HDL0016 is thrown. */
export function expectBatches(count: number, batchSize: number): void {
  if (Number.isInteger(batchSize) && batchSize >= 1 && Number.isInteger(count) && count >= 1) return;
  throw compilerError('HDL0016', {
    what: `batches of ${batchSize} out of ${count} examples`,
    rule: 'there is at least one example, and a batch size is an integer of at least 1',
    hint: count < 1 ? 'the data is empty' : 'use batchSize: 32, for example',
  });
}

/** Copies rows, in the given order, to an array of the same kind; into `out` when it has the right length. */
export function gatherRows<T extends Rows['data']>(
  { data, rowSize }: { readonly data: T; readonly rowSize: number },
  rows: Int32Array,
  out?: T,
): T {
  const length = rows.length * rowSize;
  const to = out?.length === length ? out : (new (data.constructor as new (n: number) => T)(length) as T);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * rowSize;
    to.set(data.subarray(from, from + rowSize), i * rowSize);
  }
  return to;
}
