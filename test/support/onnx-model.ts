// ONNX models for tests, written from plain records.

import * as h from '../../src/index.ts';
import { encodeMessage } from '../../src/onnx/encode.ts';
import type { MessageName } from '../../src/onnx/schema.ts';

/** A message as a test writes it: fields that it leaves out are absent in the file. */
export type Draft = Readonly<Record<string, unknown>>;

/** The bytes of a message. */
export function encode(name: MessageName, draft: Draft): Uint8Array {
  return encodeMessage(name, draft as never);
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
