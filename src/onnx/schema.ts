// The messages of the ONNX file format, as data: for each field its number, its type and whether it repeats. Field numbers
// and names are those of `onnx.proto` (ONNX project, Apache License 2.0); fields that nothing here reads are left out and
// skipped by the reader. The TypeScript types of messages follow from the table.

/** What a field may hold beside other messages. */
export interface Scalars {
  readonly int32: number;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly float: number;
  readonly double: number;
  readonly string: string;
  readonly bytes: Uint8Array;
}

export const schema = {
  ModelProto: {
    irVersion: [1, 'int64'],
    producerName: [2, 'string'],
    producerVersion: [3, 'string'],
    graph: [7, 'GraphProto'],
    opsetImport: [8, 'OperatorSetIdProto', 'many'],
    functions: [25, 'FunctionProto', 'many'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  GraphProto: {
    node: [1, 'NodeProto', 'many'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto', 'many'],
    input: [11, 'ValueInfoProto', 'many'],
    output: [12, 'ValueInfoProto', 'many'],
    valueInfo: [13, 'ValueInfoProto', 'many'],
    sparseInitializer: [15, 'SparseTensorProto', 'many'],
  },
  FunctionProto: {
    name: [1, 'string'],
    input: [4, 'string', 'many'],
    output: [5, 'string', 'many'],
    attribute: [6, 'string', 'many'],
    node: [7, 'NodeProto', 'many'],
    opsetImport: [9, 'OperatorSetIdProto', 'many'],
    domain: [10, 'string'],
    attributeProto: [11, 'AttributeProto', 'many'],
    overload: [13, 'string'],
  },
  NodeProto: {
    input: [1, 'string', 'many'],
    output: [2, 'string', 'many'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'AttributeProto', 'many'],
    domain: [7, 'string'],
    overload: [8, 'string'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    t: [5, 'TensorProto'],
    g: [6, 'GraphProto'],
    floats: [7, 'float', 'many'],
    ints: [8, 'int64', 'many'],
    strings: [9, 'bytes', 'many'],
    type: [20, 'int32'],
    refAttrName: [21, 'string'],
    sparseTensor: [22, 'SparseTensorProto'],
  },
  TensorProto: {
    dims: [1, 'int64', 'many'],
    dataType: [2, 'int32'],
    floatData: [4, 'float', 'many'],
    int32Data: [5, 'int32', 'many'],
    int64Data: [7, 'int64', 'many'],
    name: [8, 'string'],
    rawData: [9, 'bytes'],
    doubleData: [10, 'double', 'many'],
    uint64Data: [11, 'uint64', 'many'],
    externalData: [13, 'StringStringEntryProto', 'many'],
    dataLocation: [14, 'int32'],
  },
  SparseTensorProto: {
    values: [1, 'TensorProto'],
    indices: [2, 'TensorProto'],
    dims: [3, 'int64', 'many'],
  },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'] },
  TypeProto: {
    tensorType: [1, 'TensorTypeProto'],
    sequenceType: [4, 'OtherTypeProto'],
    mapType: [5, 'OtherTypeProto'],
    sparseTensorType: [8, 'OtherTypeProto'],
    optionalType: [9, 'OtherTypeProto'],
  },
  TensorTypeProto: { elemType: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  OtherTypeProto: {},
  TensorShapeProto: { dim: [1, 'DimensionProto', 'many'] },
  DimensionProto: { dimValue: [1, 'int64'], dimParam: [2, 'string'] },
} as const;

export type MessageName = keyof typeof schema;

/** Number, type, and `'many'` for a field that repeats. */
export type Field = readonly [number: number, type: keyof Scalars | MessageName, repeats?: 'many'];

type Held<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? Message<T> : never;

/** A message that was read: lists for fields that repeat, undefined for others that the file leaves out. */
export type Message<N extends MessageName> = {
  readonly [F in keyof (typeof schema)[N]]: (typeof schema)[N][F] extends readonly [number, infer T, 'many']
    ? readonly Held<T>[]
    : (typeof schema)[N][F] extends readonly [number, infer T]
      ? Held<T> | undefined
      : never;
};
