// What a rule of export works with: the node, the names of its operands in the model, and what adds operators and constants.
// Values of a model are known by their names.

import { describeNode } from '../../../compiler/graph/describe.ts';
import { compilerError } from '../../../compiler/graph/errors.ts';
import type { Node } from '../../../compiler/graph/ir.ts';
import { type DType, elementCount, type Shape } from '../../../compiler/graph/types.ts';
import type { Draft } from '../encode.ts';

/** A value in the model. */
export type Name = string;

export type AttributeValue = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Numbers of element types in `TensorProto.DataType`. */
export const elementIds: Readonly<Record<DType, number>> = { f32: 1, u8: 2, i32: 6, bool: 9, u32: 12 };
export const int64Id = 7;

/** Collects the operators and constants of a model. */
export class ModelWriter {
  readonly nodes: Draft<'NodeProto'>[] = [];
  readonly initializers: Draft<'TensorProto'>[] = [];
  readonly #taken = new Set<string>();
  readonly #constants = new Map<string, Name>();

  /** A name that nobody has: the wish itself, or with a number. */
  fresh(wish: string): Name {
    let name = wish;
    for (let i = 2; this.#taken.has(name); i++) name = `${wish}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** Adds an operator; returns the name of its first output. */
  emit(opType: string, inputs: readonly Name[], attributes: Attributes, output: Name): Name {
    this.nodes.push({
      opType,
      name: `${output}:${opType}`,
      input: inputs,
      output: [output],
      attribute: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
    });
    return output;
  }

  /** An initializer under a name that was taken before. */
  initializer(name: Name, elemId: number, shape: Shape, data: ArrayBufferView): void {
    this.initializers.push({
      dims: shape.map(BigInt),
      dataType: elemId,
      name,
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
  }

  /** A constant of 64-bit integers: shapes, axes, starts. Equal ones are one. */
  int64(values: readonly number[], shape: Shape = [values.length]): Name {
    const key = `i64 ${shape} ${values}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh(
      shape.length === 0 ? `int64/${values[0]}` : `int64/${values.slice(0, 6).join('_') || 'empty'}`,
    );
    this.initializer(name, int64Id, shape, BigInt64Array.from(values, BigInt));
    this.#constants.set(key, name);
    return name;
  }

  /** A constant of one element, [] unless said otherwise. */
  scalar(value: number, dtype: DType, shape: Shape = []): Name {
    const key = `${dtype} ${shape} ${Object.is(value, -0) ? '-0' : value}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh(`${dtype}/${value}`);
    this.initializer(
      name,
      elementIds[dtype],
      shape,
      typedData(dtype, new Array<number>(elementCount(shape)).fill(value)),
    );
    this.#constants.set(key, name);
    return name;
  }
}

export function typedData(dtype: DType, values: ArrayLike<number>): ArrayBufferView {
  switch (dtype) {
    case 'f32':
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case 'i32':
      return values instanceof Int32Array ? values : Int32Array.from(values);
    case 'u32':
      return values instanceof Uint32Array ? values : Uint32Array.from(values);
    default:
      return values instanceof Uint8Array ? values : Uint8Array.from(values);
  }
}

function attributeOf(name: string, value: AttributeValue): Draft<'AttributeProto'> {
  if (typeof value === 'number') return { name, i: BigInt(value), type: 2 };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: 3 };
  if ('float' in value) return { name, f: value.float, type: 1 };
  return { name, ints: value.map(BigInt), type: 7 };
}

/** A node that is exported. */
export class ExportCall {
  readonly node: Node;
  readonly #writer: ModelWriter;
  readonly #output: Name;
  readonly #operand: (index: number, isThin: boolean) => Name;

  constructor(
    node: Node,
    writer: ModelWriter,
    output: Name,
    operand: (index: number, isThin: boolean) => Name,
  ) {
    this.node = node;
    this.#writer = writer;
    this.#output = output;
    this.#operand = operand;
  }

  get shape(): Shape {
    return this.node.type.shape;
  }

  get dtype(): DType {
    return this.node.type.dtype;
  }

  /** The name of an operand. */
  x(index: number): Name {
    return this.#operand(index, false);
  }

  /** The same, of an operand that may be left to the operator to broadcast. */
  thin(index: number): Name {
    return this.#operand(index, true);
  }

  /** Shape of an operand. */
  shapeOf(index: number): Shape {
    return this.node.operands[index]!.type.shape;
  }

  int(name: string): number {
    return Number(this.node.attrs[name]);
  }

  ints(name: string): readonly number[] {
    return this.node.attrs[name] as readonly number[];
  }

  /** Adds an operator on the way. */
  emit(opType: string, inputs: readonly Name[], attributes: Attributes = {}): Name {
    return this.#writer.emit(opType, inputs, attributes, this.#writer.fresh(`${this.#output}.${opType}`));
  }

  /** Adds the operator whose output is the node's value. */
  result(opType: string, inputs: readonly Name[], attributes: Attributes = {}): Name {
    return this.#writer.emit(opType, inputs, attributes, this.#output);
  }

  int64(values: readonly number[], shape?: Shape): Name {
    return this.#writer.int64(values, shape);
  }

  scalar(value: number, dtype: DType = this.dtype, shape?: Shape): Name {
    return this.#writer.scalar(value, dtype, shape);
  }

  reshape(x: Name, shape: Shape): Name {
    return this.emit('Reshape', [x, this.int64(shape)], shape.includes(0) ? { allowzero: 1 } : {});
  }

  /** Dimensions in another order; the value itself when they are not moved. */
  transpose(x: Name, perm: readonly number[]): Name {
    return perm.every((d, i) => d === i) ? x : this.emit('Transpose', [x], { perm });
  }

  cast(x: Name, dtype: DType | 'int64'): Name {
    return this.emit('Cast', [x], { to: dtype === 'int64' ? int64Id : elementIds[dtype] });
  }

  /** Throws HDL0021. */
  refuse(rule: string, hint?: string): never {
    throw compilerError('HDL0021', {
      what: `export of ${describeNode(this.node)} to ONNX`,
      rule,
      hint: hint ?? 'export an entry without it',
      loc: this.node.loc,
    });
  }
}

/** Writes a node: emits operators, of which the last gives the node's value, and returns the name of that. */
export type ExportRule = (call: ExportCall) => Name;
