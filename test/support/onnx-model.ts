// ONNX models for tests, written from plain records: the encoder is the counterpart of src/onnx/wire.ts and reads the same
// table of fields.

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import * as h from '../../src/index.ts';
import { type Field, type MessageName, schema } from '../../src/onnx/schema.ts';

/** A message as a test writes it: fields that it leaves out are absent in the file. */
export type Draft = Readonly<Record<string, unknown>>;

/** The bytes of a message. */
export function encode(name: MessageName, draft: Draft): Uint8Array {
  const w = new BinaryWriter();
  const fields = schema[name] as Readonly<Record<string, Field>>;
  for (const [key, value] of Object.entries(draft)) {
    const field = fields[key];
    if (field === undefined) throw new Error(`${name} has no field ${key}`);
    const [number, type, repeats] = field;
    for (const v of repeats ? (value as unknown[]) : [value]) write(w, number, type, v);
  }
  return w.finish();
}

function write(w: BinaryWriter, number: number, type: string, value: unknown): void {
  switch (type) {
    case 'int32':
      w.tag(number, WireType.Varint).int32(value as number);
      break;
    case 'int64':
      w.tag(number, WireType.Varint).int64(value as bigint);
      break;
    case 'uint64':
      w.tag(number, WireType.Varint).uint64(value as bigint);
      break;
    case 'float':
      w.tag(number, WireType.Bit32).float(value as number);
      break;
    case 'double':
      w.tag(number, WireType.Bit64).double(value as number);
      break;
    case 'string':
      w.tag(number, WireType.LengthDelimited).string(value as string);
      break;
    case 'bytes':
      w.tag(number, WireType.LengthDelimited).bytes(value as Uint8Array);
      break;
    default:
      w.tag(number, WireType.LengthDelimited).bytes(encode(type as MessageName, value as Draft));
  }
}

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { float: number }
  | { graph: Draft }
  | { ref: string };

function attribute(name: string, value: AttributeValue): Draft {
  const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
  if (typeof value === 'number') return { name, i: BigInt(value), type: 2 };
  if (typeof value === 'string') return { name, s: bytes(value), type: 3 };
  if ('float' in (value as object)) return { name, f: (value as { float: number }).float, type: 1 };
  if ('graph' in (value as object)) return { name, g: (value as { graph: Draft }).graph, type: 5 };
  if ('ref' in (value as object)) return { name, refAttrName: (value as { ref: string }).ref, type: 2 };
  const list = value as readonly (number | string)[];
  if (typeof list[0] === 'string') return { name, strings: list.map((s) => bytes(String(s))), type: 8 };
  return { name, ints: list.map((i) => BigInt(i)), type: 7 };
}

/** `node('Add', ['a', 'b'], ['y'])` */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  more: Draft = {},
): Draft {
  return {
    opType,
    input,
    output,
    attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)),
    ...more,
  };
}

const typeIds = { float: 1, int32: 6, int64: 7, bool: 9, uint8: 2 } as const;

/** `info('x', ['batch', 2])`: an input or output; a number is a size, a text the name of one, null nothing. */
export function info(
  name: string,
  shape: readonly (number | string | null)[] | null,
  type: keyof typeof typeIds = 'float',
): Draft {
  const dim = shape?.map((d) =>
    typeof d === 'number' ? { dimValue: BigInt(d) } : d === null ? {} : { dimParam: d },
  );
  return { name, type: { tensorType: { elemType: typeIds[type], ...(dim && { shape: { dim } }) } } };
}

export function floats(name: string, dims: readonly number[], values: readonly number[]): Draft {
  return { name, dims: dims.map(BigInt), dataType: 1, floatData: values };
}

export function ints(name: string, dims: readonly number[], values: readonly number[]): Draft {
  return { name, dims: dims.map(BigInt), dataType: 7, int64Data: values.map((v) => BigInt(v)) };
}

export interface ModelDraft {
  readonly opset?: number;
  readonly inputs?: readonly Draft[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Draft[];
  readonly initializers?: readonly Draft[];
  readonly functions?: readonly Draft[];
  readonly opsets?: readonly Draft[];
}

/** The bytes of a model. */
export function model(m: ModelDraft): Uint8Array {
  return encode('ModelProto', {
    irVersion: 8n,
    graph: graph(m.nodes, m.inputs ?? [], m.outputs, m.initializers ?? []),
    opsetImport: [{ domain: '', version: BigInt(m.opset ?? 17) }, ...(m.opsets ?? [])],
    functions: m.functions ?? [],
  });
}

export function graph(
  nodes: readonly Draft[],
  inputs: readonly Draft[],
  outputs: readonly string[],
  initializers: readonly Draft[] = [],
): Draft {
  return {
    name: 'g',
    node: nodes,
    input: inputs,
    output: outputs.map((o) => info(o, null)),
    initializer: initializers,
  };
}

/** Runs a model on the interpreter; all inputs have sizes in the file or in the feeds. */
export async function runModel(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, h.Feed>> = {},
  options: h.ImportOnnxOptions = {},
): Promise<Record<string, number[]>> {
  const net = h.importOnnx(bytes, options);
  const p = h.program({ run: h.entry(net.inputs, net.build) }, { target: 'reference' });
  try {
    const results = await p.run('run', feeds);
    return Object.fromEntries(Object.entries(results).map(([k, v]) => [k, Array.from(v.data)]));
  } finally {
    await p.dispose();
  }
}
