// Reading messages from bytes. The library knows the wire format; which field is what stands in schema.ts. Byte fields are
// views of the file, so weights are not copied here.

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { compilerError } from '../../compiler/graph/errors.ts';
import { type Field, type Message, type MessageName, type Scalars, schema } from './schema.ts';

const scalars: { readonly [K in keyof Scalars]: (reader: BinaryReader) => Scalars[K] } = {
  int32: (r) => r.int32(),
  int64: (r) => BigInt(r.int64()),
  uint64: (r) => BigInt(r.uint64()),
  float: (r) => r.float(),
  double: (r) => r.double(),
  string: (r) => r.string(),
  bytes: (r) => r.bytes(),
};

/** Scalars that a list may hold back to back. */
const packable: ReadonlySet<string> = new Set(['int32', 'int64', 'uint64', 'float', 'double']);

type Fields = ReadonlyMap<number, readonly [name: string, field: Field]>;

const fieldsByNumber: ReadonlyMap<string, Fields> = new Map(
  Object.entries(schema).map(([message, fields]) => [
    message,
    new Map(Object.entries(fields).map(([name, field]) => [field[0], [name, field as Field]])),
  ]),
);

/** Reads a message. Throws HDL0020 when the bytes are not one. */
export function readMessage<N extends MessageName>(name: N, bytes: Uint8Array): Message<N> {
  try {
    const reader = new BinaryReader(bytes);
    return readFields(name, reader, bytes.length) as unknown as Message<N>;
  } catch (error) {
    throw compilerError(
      'HDL0020',
      {
        what: `${bytes.length} bytes do not read as an ONNX ${name}: ${error instanceof Error ? error.message : error}`,
        rule: 'an ONNX model is one protobuf message',
        hint: 'pass the whole .onnx file as a Uint8Array; git LFS stores a pointer in its place until it is pulled',
      },
      { cause: error },
    );
  }
}

function readFields(message: string, reader: BinaryReader, end: number): Record<string, unknown> {
  const fields = fieldsByNumber.get(message)!;
  const result: Record<string, unknown> = {};
  for (const [name, [, , repeats]] of fields.values()) result[name] = repeats ? [] : undefined;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const known = fields.get(number);
    if (known === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const [name, [, type, repeats]] = known;
    if (!repeats) {
      result[name] = readValue(type, reader);
      continue;
    }
    const list = result[name] as unknown[];
    if (wireType !== WireType.LengthDelimited || !packable.has(type)) {
      list.push(readValue(type, reader));
      continue;
    }
    const stop = reader.uint32() + reader.pos;
    while (reader.pos < stop) list.push(readValue(type, reader));
  }
  if (reader.pos !== end) throw new RangeError(`${message} ends in the middle of a field`);
  return result;
}

function readValue(type: keyof Scalars | MessageName, reader: BinaryReader): unknown {
  if (type in scalars) return scalars[type as keyof Scalars](reader);
  const length = reader.uint32();
  return readFields(type, reader, reader.pos + length);
}
