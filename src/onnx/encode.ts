// Writing messages as bytes: the counterpart of wire.ts, over the same table of fields.

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type Field, type MessageName, type Scalars, schema } from './schema.ts';

type Drafted<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? Draft<T> : never;

/** A message to be written: fields that it leaves out are absent in the file. */
export type Draft<N extends MessageName> = {
  readonly [F in keyof (typeof schema)[N]]?: (typeof schema)[N][F] extends readonly [number, infer T, 'many']
    ? readonly Drafted<T>[]
    : (typeof schema)[N][F] extends readonly [number, infer T]
      ? Drafted<T>
      : never;
};

/** The bytes of a message. */
export function encodeMessage<N extends MessageName>(name: N, draft: Draft<N>): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(writer, name, draft);
  return writer.finish();
}

function writeFields(writer: BinaryWriter, name: MessageName, draft: object): void {
  const fields = schema[name] as Readonly<Record<string, Field>>;
  for (const [key, value] of Object.entries(draft)) {
    const field = fields[key];
    if (field === undefined) throw new Error(`internal: ${name} has no field ${key}`);
    const [number, type, repeats] = field;
    for (const v of repeats ? (value as unknown[]) : [value]) writeValue(writer, number, type, v);
  }
}

const scalars: {
  readonly [K in keyof Scalars]: readonly [WireType, (w: BinaryWriter, value: Scalars[K]) => unknown];
} = {
  int32: [WireType.Varint, (w, v) => w.int32(v)],
  int64: [WireType.Varint, (w, v) => w.int64(v)],
  uint64: [WireType.Varint, (w, v) => w.uint64(v)],
  float: [WireType.Bit32, (w, v) => w.float(v)],
  double: [WireType.Bit64, (w, v) => w.double(v)],
  string: [WireType.LengthDelimited, (w, v) => w.string(v)],
  bytes: [WireType.LengthDelimited, (w, v) => w.bytes(v)],
};

function writeValue(
  writer: BinaryWriter,
  number: number,
  type: keyof Scalars | MessageName,
  value: unknown,
): void {
  if (type in scalars) {
    const [wire, write] = scalars[type as keyof Scalars];
    (write as (w: BinaryWriter, v: unknown) => unknown)(writer.tag(number, wire), value);
    return;
  }
  writer.tag(number, WireType.LengthDelimited).fork();
  writeFields(writer, type as MessageName, value as object);
  writer.join();
}
