// Safetensors: tensors by name in one file, without anything that could be run.
//
//   8 bytes: length of the header, little-endian | header: JSON, filled up with blanks | the elements, tensor after tensor
//   header: { "__metadata__": { text: text }, NAME: { "dtype", "shape", "data_offsets": [begin, end] }, … }
//
// What is read may come from anywhere, so nothing is believed: the header is of a sane length, names stand once, the ranges of the
// tensors cover the rest of the file exactly, without gap or overlap, and each is as long as its dtype and shape say.

import { runtimeError } from '../../runtime/errors.ts';

export type StoredData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
export type StoredDType = 'f32' | 'f64' | 'i32' | 'u32' | 'u8' | 'bool';

export interface StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly data: StoredData;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** As the format's own library has it. */
const mostHeaderBytes = 100_000_000;

const dtypes: Readonly<Record<string, { readonly dtype: StoredDType; readonly bytes: 1 | 4 | 8 }>> = {
  F64: { dtype: 'f64', bytes: 8 },
  F32: { dtype: 'f32', bytes: 4 },
  I32: { dtype: 'i32', bytes: 4 },
  U32: { dtype: 'u32', bytes: 4 },
  U8: { dtype: 'u8', bytes: 1 },
  BOOL: { dtype: 'bool', bytes: 1 },
};

/**
 * The bytes of a safetensors file. Tensors with larger elements come first, so that all are aligned; otherwise the order is kept, and
 * equal tensors make equal bytes. Throws HDL1020 when a shape does not go with its data, or a name is `__metadata__`.
 *
 * @source https://github.com/huggingface/safetensors, format section
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const formats = Object.entries(dtypes);
  const entries = [...tensors].map(([name, tensor]) => {
    const [format, { bytes }] = formats.find(([, f]) => f.dtype === tensor.dtype)!;
    const { data, shape } = tensor;
    if (name === '__metadata__' || data.length !== product(shape)) {
      throw runtimeError('HDL1020', {
        what: `tensor '${name}' of shape [${shape.join(', ')}] with ${data.length} elements`,
        rule: "a tensor has as many elements as its shape says, and a name other than '__metadata__'",
        hint: 'check the shape that goes with the data',
      });
    }
    return { name, format, bytes, shape, data };
  });
  const sorted = entries.toSorted((a, b) => b.bytes - a.bytes);
  let at = 0;
  // A list of pairs, since an object would order names that look like numbers.
  const fields = sorted.map(({ name, format, shape, data }) => {
    const begin = at;
    at += data.byteLength;
    const value = { dtype: format, shape, data_offsets: [begin, at] };
    return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
  });
  if (Object.keys(metadata).length > 0) fields.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const text = new TextEncoder().encode(`{${fields.join(',')}}`);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(text, 8);
  let to = 8 + headerBytes;
  for (const { data } of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), to);
    to += data.byteLength;
  }
  return file;
}

/** Reads a safetensors file. Throws HDL1020 with the reason for one that is not whole, not valid, or of dtypes that nets do not have. */
export function readSafetensors(file: Uint8Array): Safetensors {
  const { header, start } = readHeader(file);
  const body = file.length - start;
  const metadata = readMetadata(header['__metadata__'] ?? {});
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  let before = '';
  for (const { name, begin, end } of entries) {
    if (begin < at) throw refuse(`'${name}' begins at ${begin}, within '${before}', which ends at ${at}`);
    if (begin > at) throw refuse(`bytes ${at} to ${begin} before '${name}' belong to no tensor`);
    if (end > body)
      throw refuse(`'${name}' ends at ${end}, and there are ${body} bytes: the file is cut short`);
    at = end;
    before = name;
  }
  if (at < body) throw refuse(`${body - at} bytes after the last tensor belong to none`);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    // A copy, also of Node's Buffer, whose own `slice` is a view.
    const bytes = new Uint8Array(file.subarray(start + begin, start + end));
    if (dtype === 'bool' && bytes.some((b) => b > 1))
      throw refuse(`'${name}' has booleans other than 0 and 1`);
    tensors.set(name, { dtype, shape, data: view(dtype, bytes.buffer as ArrayBuffer) });
  }
  return { tensors, metadata };
}

function readHeader(file: Uint8Array): { readonly header: Record<string, unknown>; readonly start: number } {
  if (file.length < 8)
    throw refuse(`it has ${file.length} bytes, and its first 8 say how long the header is`);
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true);
  if (length > BigInt(mostHeaderBytes)) {
    throw refuse(`its header would have ${length} bytes, more than the ${mostHeaderBytes} that are allowed`);
  }
  const start = 8 + Number(length);
  if (start > file.length) {
    throw refuse(
      `its header would end at byte ${start} of ${file.length}: it is cut short, or another kind of file`,
    );
  }
  if (file[8] !== 0x7b) throw refuse("its header does not begin with '{'");
  let header: unknown;
  let isTwice: boolean;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, start));
    header = JSON.parse(text);
    isTwice = countKeys(text) !== countNames(header);
  } catch (cause) {
    throw refuse(`its header is no JSON: ${(cause as Error).message}`, cause);
  }
  if (!isRecord(header)) throw refuse('its header is no record');
  if (isTwice) throw refuse('its header has a name twice');
  return { header, start };
}

/** Strings that a colon follows: the names of all records in valid JSON, each time they stand there. */
function countKeys(json: string): number {
  let count = 0;
  for (let i = 0; i < json.length; i++) {
    if (json[i] !== '"') continue;
    for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
    let next = i + 1;
    while (/\s/.test(json[next] ?? '')) next++;
    if (json[next] === ':') count++;
  }
  return count;
}

function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((n: number, inner) => n + countNames(inner), own);
}

function readMetadata(given: unknown): Readonly<Record<string, string>> {
  if (!isRecord(given) || Object.values(given).some((v) => typeof v !== 'string')) {
    throw refuse("its '__metadata__' is no record of texts");
  }
  return given as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(name: string, value: unknown): Entry {
  const fail = (reason: string): Error => refuse(`'${name}' ${reason}`);
  if (!isRecord(value)) throw fail('is no record of dtype, shape and data_offsets');
  const { dtype: format, shape, data_offsets: offsets } = value;
  if (typeof format !== 'string' || !Object.hasOwn(dtypes, format)) {
    throw fail(
      `has dtype ${JSON.stringify(format)}, and is to have one of ${Object.keys(dtypes).join(', ')}`,
    );
  }
  if (!isSizes(shape)) throw fail(`has shape ${JSON.stringify(shape)}, which is no list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw fail(`has data_offsets ${JSON.stringify(offsets)}, which are no range`);
  }
  const [begin, end] = offsets as [number, number];
  const { dtype, bytes } = dtypes[format]!;
  const needed = product(shape) * bytes;
  if (needed !== end - begin) {
    throw fail(`has ${end - begin} bytes, and ${format} of shape [${shape.join(', ')}] needs ${needed}`);
  }
  return { name, dtype, shape, begin, end };
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function view(dtype: StoredDType, buffer: ArrayBuffer): StoredData {
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer);
    case 'f64':
      return new Float64Array(buffer);
    case 'i32':
      return new Int32Array(buffer);
    case 'u32':
      return new Uint32Array(buffer);
    case 'u8':
    case 'bool':
      return new Uint8Array(buffer);
    default:
      return dtype satisfies never;
  }
}

function product(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

function refuse(reason: string, cause?: unknown): Error {
  return runtimeError(
    'HDL1020',
    {
      what: `safetensors file cannot be read: ${reason}`,
      rule: 'a file is read whole and valid, or not at all',
      hint: 'use another checkpoint, or copy the file again in binary mode',
    },
    { cause },
  );
}
