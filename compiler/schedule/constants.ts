// Constants: the payloads of constant buffers as bytes, in the storage and order of dimensions of their buffers, each
// content once, 64-byte aligned.

import { copyIn } from '../../runtime/layout.ts';
import { compilerError } from '../graph/errors.ts';
import type { Payload } from '../graph/ir.ts';
import { type DType, elementCount, formatType } from '../graph/types.ts';
import type { Buffer } from './lowered.ts';

export const constantAlignment = 64;

export interface Constants {
  readonly bytes: Uint8Array;
  /** Offset of each constant buffer, by id. */
  readonly offsets: ReadonlyMap<number, number>;
}

/** Lays out the constant buffers in order of their ids. Throws HDL0099 when a payload does not fit its buffer. */
export function layOutConstants(buffers: readonly Buffer[]): Constants {
  const offsets = new Map<number, number>();
  const known = new Map<string, number>();
  const blobs: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  for (const b of buffers) {
    if (b.home.kind !== 'constant') continue;
    const key = [b.home.payload.hash, b.type.dtype, b.bytes, memoryOrder(b)].join(' ');
    const seen = known.get(key);
    if (seen !== undefined) {
      offsets.set(b.id, seen);
      continue;
    }
    const bytes = encode(b, b.home.payload);
    known.set(key, end);
    offsets.set(b.id, end);
    blobs.push({ offset: end, bytes });
    end += Math.ceil(bytes.length / constantAlignment) * constantAlignment;
  }
  const bytes = new Uint8Array(end);
  for (const blob of blobs) bytes.set(blob.bytes, blob.offset);
  return { bytes, offsets };
}

/** Shape and order of what is not row-major; row-major buffers of any shape share their bytes. */
function memoryOrder(b: Buffer): string {
  const long = b.order.filter((d) => b.type.shape[d]! > 1);
  return long.every((d, i) => i === 0 || long[i - 1]! < d) ? '' : `${b.type.shape.join()};${b.order.join()}`;
}

function encode(b: Buffer, payload: Payload): Uint8Array {
  const count = elementCount(b.type.shape);
  const memory = new Uint8Array(b.bytes);
  const values = asBytes(b.type.dtype, payload.values);
  if (payload.values.length !== count || values.length > memory.length) {
    throw compilerError('HDL0099', {
      what: `internal: constant '${b.name}' has ${payload.values.length} elements for a buffer of ${formatType(b.type)} (${b.bytes} bytes)`,
      rule: 'a payload has as many elements as the type of its buffer',
    });
  }
  // Words for elements of four bytes, so that bits are moved and never converted.
  if (values.length === count) copyIn(memory, 0, values, b.type.shape, b.order);
  else
    copyIn(
      new Int32Array(memory.buffer, 0, b.bytes >> 2),
      0,
      new Int32Array(values.buffer),
      b.type.shape,
      b.order,
    );
  return memory;
}

function asBytes(dtype: DType, values: Payload['values']): Uint8Array {
  switch (dtype) {
    case 'f32':
      return new Uint8Array(Float32Array.from(values).buffer);
    case 'i32':
      return new Uint8Array(Int32Array.from(values).buffer);
    case 'u32':
      return new Uint8Array(Uint32Array.from(values).buffer);
    case 'u8':
      return Uint8Array.from(values);
    case 'bool':
      return Uint8Array.from(values, (v) => (v !== 0 ? 1 : 0));
    default:
      return dtype satisfies never;
  }
}
