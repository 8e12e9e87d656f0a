// IDX files, as MNIST is distributed in: plain or gzip. Numbers are big-endian.
//
//   0  0  type  rank | one 4-byte size per dimension | elements, row-major

import { compilerError } from '../../compiler/graph/errors.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { gunzip } from './gunzip.ts';
import { bytesOf, type DataSource } from './source.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

interface ElementType {
  readonly bytes: number;
  readonly make: (n: number) => IdxArray['data'];
  readonly read: (view: DataView, at: number) => number;
}

const types: Readonly<Record<number, ElementType>> = {
  8: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  9: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  11: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at) => v.getInt16(at) },
  12: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at) => v.getInt32(at) },
  13: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at) => v.getFloat32(at) },
  14: { bytes: 8, make: (n) => new Float64Array(n), read: (v, at) => v.getFloat64(at) },
};

/**
 * Reads an IDX file from its bytes or path, plain or gzip. Throws HDL0016 for a file that is missing, of another kind, cut
 * short or too long.
 *
 * @example
 * const { shape, data: pixels } = await data.loadIdx('train-images-idx3-ubyte.gz'); // [60000, 28, 28]
 */
export async function loadIdx(source: DataSource): Promise<IdxArray> {
  const bytes = await gunzip(await bytesOf(source, 'IDX file'), 'IDX file');
  const fail = (what: string, hint: string): Error =>
    compilerError('HDL0016', {
      what: `IDX file of ${bytes.length} bytes ${what}`,
      rule: 'it is 00 00 type rank, sizes, elements',
      hint,
    });
  const type = bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 ? types[bytes[2]!] : undefined;
  if (type === undefined) throw fail('does not start like one', 'check that it is the right file, and whole');
  const rank = bytes[3]!;
  const start = 4 + 4 * rank;
  if (bytes.length < start)
    throw fail(`ends within the sizes of its ${rank} dimensions`, 'download it again');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const elements = elementCount(shape);
  if (bytes.length !== start + elements * type.bytes) {
    throw fail(
      `should have ${start + elements * type.bytes} for shape [${shape.join(', ')}]`,
      'the file is cut short, or not what it seems; download it again',
    );
  }
  if (type.bytes === 1) {
    const data = type.make(elements);
    new Uint8Array(data.buffer).set(bytes.subarray(start));
    return { shape, data };
  }
  const data = type.make(elements);
  for (let i = 0; i < elements; i++) data[i] = type.read(view, start + i * type.bytes);
  return { shape, data };
}
