// Element types of ONNX and what stands for each in Heddle, and the elements of stored tensors. Floats of any width are
// f32; integers are i32, or u32 where ONNX has unsigned ones of 32 and 64 bits. 64-bit integers must fit: the largest and
// smallest of them, which models write for "no limit", become the limits of the narrow type, any other is refused.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { type DType, dtypes, elementCount, formatShape } from '../../compiler/graph/types.ts';
import { constant } from '../../compiler/ops/index.ts';
import type { Message } from './schema.ts';

export interface ElementInfo {
  /** Number in `TensorProto.DataType`. */
  readonly id: number;
  readonly dtype: DType;
  readonly bits: number;
  /** Integers narrower than the type that holds them: results of arithmetic are wrapped to their bits. */
  readonly narrow?: 'signed' | 'unsigned';
  /** Dtype at the border of the program, where it differs. */
  readonly stored?: DType;
}

export type Elem =
  | 'float'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bool'
  | 'float16'
  | 'double'
  | 'uint32'
  | 'uint64'
  | 'bfloat16'
  | 'uint4'
  | 'int4'
  | 'uint2'
  | 'int2';

const elements: Readonly<Record<Elem, ElementInfo>> = {
  float: { id: 1, dtype: 'f32', bits: 32 },
  uint8: { id: 2, dtype: 'i32', bits: 8, narrow: 'unsigned', stored: 'u8' },
  int8: { id: 3, dtype: 'i32', bits: 8, narrow: 'signed' },
  uint16: { id: 4, dtype: 'i32', bits: 16, narrow: 'unsigned' },
  int16: { id: 5, dtype: 'i32', bits: 16, narrow: 'signed' },
  int32: { id: 6, dtype: 'i32', bits: 32 },
  int64: { id: 7, dtype: 'i32', bits: 64 },
  bool: { id: 9, dtype: 'bool', bits: 8 },
  float16: { id: 10, dtype: 'f32', bits: 16 },
  double: { id: 11, dtype: 'f32', bits: 64 },
  uint32: { id: 12, dtype: 'u32', bits: 32 },
  uint64: { id: 13, dtype: 'u32', bits: 64 },
  bfloat16: { id: 16, dtype: 'f32', bits: 16 },
  uint4: { id: 21, dtype: 'i32', bits: 4, narrow: 'unsigned' },
  int4: { id: 22, dtype: 'i32', bits: 4, narrow: 'signed' },
  uint2: { id: 25, dtype: 'i32', bits: 2, narrow: 'unsigned' },
  int2: { id: 26, dtype: 'i32', bits: 2, narrow: 'signed' },
};

/** Element types that have no counterpart, by number. */
const strangers: Readonly<Record<number, string>> = {
  0: 'undefined',
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
  24: 'float8e8m0',
};

export function elementInfo(elem: Elem): ElementInfo {
  return elements[elem];
}

/** The element type of a number in the file. Throws HDL0021 for those that Heddle cannot hold. */
export function elementOf(id: number, where: string): Elem {
  const found = (Object.keys(elements) as Elem[]).find((e) => elements[e].id === id);
  if (found !== undefined) return found;
  const name = strangers[id] ?? `number ${id}`;
  throw compilerError('HDL0021', {
    what: `${where} has elements of type ${name}`,
    rule: 'Heddle holds floats of 16, 32 and 64 bits (as f32), integers and bool',
    hint:
      name === 'string'
        ? 'turn text into numbers before the model'
        : 'convert this part of the model to float32 before importing it',
  });
}

/** The element type of a name, as the first versions wrote it. Throws HDL0021. */
export function elementNamed(name: string, where: string): Elem {
  const id = (elements as Readonly<Record<string, ElementInfo>>)[name]?.id;
  const stranger = Object.entries(strangers).find(([, n]) => n === name)?.[0];
  return elementOf(id ?? Number(stranger ?? -1), where);
}

export function isFloat(elem: Elem): boolean {
  return elements[elem].dtype === 'f32';
}

/** Elements of a stored tensor, row-major, as the dtype of Heddle holds them. */
export interface Stored {
  readonly elem: Elem;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** Files that lie beside the model, by their location in it. */
export type ExternalData = Readonly<Record<string, Uint8Array>>;

/** The elements of a TensorProto. Throws HDL0020 when its data does not fit its shape, HDL0021 for its type. */
export function readTensor(t: Message<'TensorProto'>, where: string, external: ExternalData): Stored {
  const elem = elementOf(t.dataType ?? 0, where);
  const shape = t.dims.map(Number);
  const count = elementCount(shape);
  const bytes = t.dataLocation === 1 ? externalBytes(t, where, external) : t.rawData;
  const values = bytes === undefined ? listed(t, elem, count) : unpack(bytes, elem, count);
  if (values.length !== count) {
    throw compilerError('HDL0020', {
      what: `${where} of shape ${formatShape(shape)} has ${values.length} elements`,
      rule: `that shape has ${count} elements`,
      hint: 'the file is damaged: export the model again',
    });
  }
  return { elem, shape, data: narrowed(values, elem, where) };
}

function externalBytes(t: Message<'TensorProto'>, where: string, external: ExternalData): Uint8Array {
  const entries = Object.fromEntries(t.externalData.map((e) => [e.key ?? '', e.value ?? '']));
  const location = entries['location'] ?? '';
  const file = external[location];
  if (file === undefined) {
    throw compilerError('HDL0020', {
      what: `${where} lies in the file '${location}', beside the model`,
      rule: 'external data must be given with the model',
      hint: `importOnnx(bytes, { externalData: { '${location}': … } }), with the bytes of that file`,
    });
  }
  const offset = Number(entries['offset'] ?? 0);
  const length = entries['length'] === undefined ? file.length - offset : Number(entries['length']);
  return file.subarray(offset, offset + length);
}

/** Values that stand in typed fields of the message. Narrow integers and half floats stand in int32_data, as bits. */
function listed(t: Message<'TensorProto'>, elem: Elem, count: number): ArrayLike<number> {
  switch (elem) {
    case 'float':
      return t.floatData;
    case 'double':
      return t.doubleData;
    case 'int64':
      return t.int64Data.map(Number);
    case 'uint32':
    case 'uint64':
      return t.uint64Data.map(Number);
    case 'float16':
      return t.int32Data.map(halfToNumber);
    case 'bfloat16':
      return t.int32Data.map(bfloatToNumber);
    case 'uint4':
    case 'int4':
    case 'uint2':
    case 'int2':
      return unpack(Uint8Array.from(t.int32Data), elem, count);
    default:
      return t.int32Data;
  }
}

/** Little-endian raw data. */
function unpack(bytes: Uint8Array, elem: Elem, count: number): ArrayLike<number> {
  const { bits, narrow } = elementInfo(elem);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bits < 8) {
    const perByte = 8 / bits;
    const half = 2 ** (bits - 1);
    return Array.from({ length: Math.min(count, bytes.length * perByte) }, (_, i) => {
      const v = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & (2 ** bits - 1);
      return narrow === 'signed' && v >= half ? v - 2 * half : v;
    });
  }
  const size = bits / 8;
  const get = readers[elem]!;
  return Float64Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => get(view, i * size));
}

const readers: Readonly<Partial<Record<Elem, (view: DataView, at: number) => number>>> = {
  float: (v, at) => v.getFloat32(at, true),
  double: (v, at) => v.getFloat64(at, true),
  float16: (v, at) => halfToNumber(v.getUint16(at, true)),
  bfloat16: (v, at) => bfloatToNumber(v.getUint16(at, true)),
  uint8: (v, at) => v.getUint8(at),
  int8: (v, at) => v.getInt8(at),
  bool: (v, at) => v.getUint8(at),
  uint16: (v, at) => v.getUint16(at, true),
  int16: (v, at) => v.getInt16(at, true),
  uint32: (v, at) => v.getUint32(at, true),
  int32: (v, at) => v.getInt32(at, true),
  int64: (v, at) => Number(v.getBigInt64(at, true)),
  uint64: (v, at) => Number(v.getBigUint64(at, true)),
};

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloatToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of((bits & 0xffff) << 16).buffer)[0]!;
}

const limit64 = 2 ** 63;

/** Values as Heddle's dtype holds them. Throws HDL0021 for a 64-bit integer that does not fit. */
export function narrowed(values: ArrayLike<number>, elem: Elem, where: string): Stored['data'] {
  const { dtype, bits } = elementInfo(elem);
  if (dtype === 'f32') return Float32Array.from(values);
  if (dtype === 'bool') return Uint8Array.from(values, (v) => (v === 0 ? 0 : 1));
  const data = dtype === 'u32' ? new Uint32Array(values.length) : new Int32Array(values.length);
  const { min, max } = dtypes[dtype];
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    // As float64 the two ends of the range, and the two powers beside them, are the same numbers.
    const isOpen = bits === 64 && (v >= limit64 || v <= -limit64);
    if (!isOpen && !(v >= min && v <= max)) {
      throw compilerError('HDL0021', {
        what: `${where} has the ${elem} value ${v} at position ${i}`,
        rule: `${elem} is narrowed to ${dtype}: values lie in [${min}, ${max}]`,
        hint: 'export the model with smaller numbers, or with int32',
      });
    }
    data[i] = Math.min(Math.max(v, min), max);
  }
  return data;
}

/** A constant of these elements. */
export function constantOf({ elem, shape, data }: Stored): Tensor {
  return constant(data, [...shape], elementInfo(elem).dtype) as Tensor;
}
