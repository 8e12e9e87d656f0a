// NPY files, NumPy's format for one array. Written little-endian, row-major, in version 1.0; read in any byte order, row-major
// or column-major (Fortran), versions 1.0 to 3.0.
//
//   93 'NUMPY' major minor | header length (2 bytes, from version 2.0 on 4) | header: a Python dict as text | elements
//
// Elements keep their values: what fits no typed array that nets use is converted where nothing is lost (float16 to float32,
// 64-bit integers to 32 bits if all fit), or refused.

import { compilerError } from '../../compiler/graph/errors.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { bytesOf, type DataSource } from './source.ts';

export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

/** An array with its shape, row-major. Booleans are bytes. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: NumericArray;
}

interface ElementType {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly make: (n: number) => NumericArray;
  readonly read: (view: DataView, at: number, little: boolean) => number | bigint;
}

/** By NumPy's kind and size. 64-bit integers are checked one by one. */
const types: Readonly<Record<string, ElementType>> = {
  f2: { bytes: 2, make: (n) => new Float32Array(n), read: (v, at, le) => fromHalf(v.getUint16(at, le)) },
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at, le) => v.getFloat32(at, le) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (v, at, le) => v.getFloat64(at, le) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at, le) => v.getInt16(at, le) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at, le) => v.getInt32(at, le) },
  i8: { bytes: 8, make: (n) => new Int32Array(n), read: (v, at, le) => v.getBigInt64(at, le) },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  u2: { bytes: 2, make: (n) => new Uint16Array(n), read: (v, at, le) => v.getUint16(at, le) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (v, at, le) => v.getUint32(at, le) },
  u8: { bytes: 8, make: (n) => new Uint32Array(n), read: (v, at, le) => v.getBigUint64(at, le) },
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
};

/**
 * Reads a NumPy array from a file's bytes or path. float64 stays Float64Array, which `fit` takes for f32 inputs; 64-bit integers
 * become 32 bits. Throws HDL0016 for a file that is missing, foreign, cut short or too long, of strings or objects, or with an
 * integer that 32 bits cannot hold.
 *
 * @example const { shape, data: values } = await data.loadNpy('x_train.npy');
 */
export async function loadNpy(source: DataSource): Promise<NpyArray> {
  return readNpy(await bytesOf(source, 'NPY file'), 'NPY file');
}

/** As `loadNpy`, of bytes; `what` names them in errors. */
export function readNpy(bytes: Uint8Array, what: string): NpyArray {
  const fail = (is: string, rule: string, hint: string): Error =>
    compilerError('HDL0016', { what: `${what} ${is}`, rule, hint });
  const again = 'check that it is the right file, and whole';
  const starts = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((b, i) => bytes[i] === b);
  const major = bytes[6] ?? 0;
  if (!starts || major < 1 || major > 3) {
    throw fail('does not start like one', "it starts with 93 'NUMPY', version 1 to 3", again);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = major === 1 ? 2 : 4;
  const headerAt = 8 + lengthBytes;
  if (bytes.length < headerAt) throw fail(`ends after ${bytes.length} bytes`, 'it has a header', again);
  const start = headerAt + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < start) throw fail('ends within its header', `the header ends at byte ${start}`, again);
  const header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(headerAt, start));

  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (order === undefined || sizes === undefined || !/'descr'/.test(header)) {
    throw fail('has a header that cannot be read', 'it names descr, fortran_order and shape', again);
  }
  const type = descr === undefined ? undefined : types[descr.slice(1)];
  if (type === undefined || !'<>|='.includes(descr![0]!)) {
    throw fail(
      `holds ${descr === undefined ? 'records' : `'${descr}'`}`,
      `elements are one of ${Object.keys(types).join(', ')}`,
      'convert it in NumPy: np.save(path, a.astype(np.float32))',
    );
  }
  const shape = [...sizes.matchAll(/\d+/g)].map(([n]) => Number(n));
  const elements = elementCount(shape);
  if (bytes.length !== start + elements * type.bytes) {
    throw fail(
      `has ${bytes.length} bytes`,
      `'${descr}' of shape [${shape.join(', ')}] needs ${start + elements * type.bytes}`,
      'the file is cut short or not what it seems; write or download it again',
    );
  }
  const data = type.make(elements);
  const little = descr![0] !== '>';
  for (let i = 0; i < elements; i++) {
    const value = type.read(view, start + i * type.bytes, little);
    data[i] = Number(value);
    if (typeof value === 'bigint' && BigInt(data[i]!) !== value) {
      throw fail(`has ${value} at position ${i}`, 'integers fit 32 bits', 'convert it in NumPy, on purpose');
    }
  }
  return { shape, data: order === 'True' ? toRowMajor(data, shape) : data };
}

/**
 * The bytes of a NumPy file with this array: row-major, little-endian. `boolean: true` writes bytes as booleans. Throws HDL0016 when
 * shape and elements do not match.
 *
 * @example await writeFile('weights.npy', data.saveNpy({ data: values, shape: [784, 10] }));
 */
export function saveNpy({ data, shape }: NpyArray, options: { readonly boolean?: boolean } = {}): Uint8Array {
  if (elementCount(shape) !== data.length) {
    throw compilerError('HDL0016', {
      what: `saveNpy of ${data.length} elements with shape [${shape.join(', ')}]`,
      rule: `an array of that shape has ${elementCount(shape)} elements`,
      hint: 'check the shape that goes with the data',
    });
  }
  const size = data.BYTES_PER_ELEMENT;
  const kind =
    data instanceof Float32Array || data instanceof Float64Array ? 'f' : isSigned(data) ? 'i' : 'u';
  const code = options.boolean ? 'b1' : `${kind}${size}`;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${size === 1 ? '|' : '<'}${code}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Elements start at a multiple of 64 bytes, after a line end.
  const header = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.length * size);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}

function isSigned(data: NumericArray): boolean {
  return data instanceof Int8Array || data instanceof Int16Array || data instanceof Int32Array;
}

/** Elements whose first dimension runs fastest, in row-major order. */
function toRowMajor(data: NumericArray, shape: readonly number[]): NumericArray {
  const strides = shape.map((_, d) => elementCount(shape.slice(0, d)));
  const index = shape.map(() => 0);
  const out = data.slice();
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      from -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return out;
}

/** IEEE half precision: 1 sign bit, 5 of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
