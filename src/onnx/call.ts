// One node of a model as its operator sees it: operands, constants, attributes, and a way to refuse. Attributes that an
// operator does not look at are refused afterwards, so none is ever ignored in silence.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Context } from '../context.ts';
import { type Elem, type ExternalData, elementOf, readTensor, type Stored } from './elements.ts';
import { OnnxConstantError } from './errors.ts';
import type { Known } from './known.ts';
import type { Message } from './schema.ts';
import type { Value } from './value.ts';

export type Attribute = Message<'AttributeProto'>;

/** What surrounds a node while it is built. */
export interface Site {
  readonly known: Known;
  readonly externalData: ExternalData;
  /** The context of the entry, when the model is built in one. */
  readonly ctx: Context | undefined;
  /** Version of the node's operator set. */
  readonly opset: number;
  /** A value by its name, from where the node stands; undefined when there is none. */
  readonly lookup: (name: string) => Value | undefined;
  /** Builds a sub-graph that the node holds, with values for its inputs. */
  readonly subgraph: (graph: Message<'GraphProto'>, inputs: readonly Value[]) => readonly Value[];
}

export class Call {
  readonly site: Site;
  readonly node: Message<'NodeProto'>;
  readonly operands: readonly (Value | null)[];
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #read = new Set<string>();

  constructor(
    node: Message<'NodeProto'>,
    operands: readonly (Value | null)[],
    attributes: ReadonlyMap<string, Attribute>,
    site: Site,
  ) {
    this.node = node;
    this.operands = operands;
    this.#attributes = attributes;
    this.site = site;
  }

  get opset(): number {
    return this.site.opset;
  }

  /** Number of operands, with those left out in the middle. */
  get count(): number {
    return this.operands.length;
  }

  has(i: number): boolean {
    return (this.operands[i] ?? null) !== null;
  }

  /** Whether someone may read output i. */
  wants(i: number): boolean {
    return (this.node.output[i] ?? '') !== '';
  }

  value(i: number): Value {
    const v = this.operands[i] ?? null;
    if (v === null) this.refuse(`operand ${i} is missing`, 'the model is not valid: export it again');
    return v!;
  }

  /** Operand i. */
  x(i: number): Tensor {
    return this.value(i).node;
  }

  maybe(i: number): Tensor | undefined {
    return this.has(i) ? this.x(i) : undefined;
  }

  /** All operands from `from` on. */
  rest(from = 0): Tensor[] {
    return this.operands.slice(from).map((_, i) => this.x(from + i));
  }

  elem(i: number): Elem {
    return this.value(i).elem;
  }

  shape(i: number): readonly number[] {
    return this.x(i).type.shape;
  }

  /** Elements of operand i, which must be known. Throws HDL0022 when it is not. */
  numbers(i: number): number[] {
    return Array.from(this.known(this.x(i), this.node.input[i] ?? ''));
  }

  /** Elements of a value, which must be known. */
  known(x: Tensor, name: string): Float64Array {
    const { known } = this.site;
    if (!known.has(x)) throw new OnnxConstantError(this.where, name, known.blame(x));
    return known.elements(x);
  }

  /** The one element of operand i, which must be known. */
  scalar(i: number): number {
    const values = this.numbers(i);
    if (values.length !== 1)
      this.refuse(`'${this.node.input[i]}' has ${values.length} elements, not one`, 'pass a scalar');
    return values[0]!;
  }

  /** Elements of operand i when it is there and known, else undefined. */
  peek(i: number): number[] | undefined {
    return this.has(i) && this.site.known.has(this.x(i)) ? this.numbers(i) : undefined;
  }

  #attribute(name: string): Attribute | undefined {
    this.#read.add(name);
    return this.#attributes.get(name);
  }

  given(name: string): boolean {
    return this.#attribute(name) !== undefined;
  }

  int(name: string, otherwise?: number): number {
    const i = this.#attribute(name)?.i;
    return i === undefined ? this.#or(name, otherwise) : Number(i);
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  float(name: string, otherwise?: number): number {
    return this.#attribute(name)?.f ?? this.#or(name, otherwise);
  }

  text(name: string, otherwise?: string): string {
    const s = this.#attribute(name)?.s;
    return s === undefined ? this.#or(name, otherwise) : new TextDecoder().decode(s);
  }

  ints(name: string): number[] | undefined {
    return this.#attribute(name)?.ints.map(Number);
  }

  floats(name: string): number[] | undefined {
    const a = this.#attribute(name);
    return a && [...a.floats];
  }

  texts(name: string): string[] | undefined {
    return this.#attribute(name)?.strings.map((s) => new TextDecoder().decode(s));
  }

  tensor(name: string): Stored | undefined {
    const t = this.#attribute(name)?.t;
    return t && readTensor(t, `attribute '${name}' of ${this.where}`, this.site.externalData);
  }

  graph(name: string): Message<'GraphProto'> | undefined {
    return this.#attribute(name)?.g;
  }

  attribute(name: string): Attribute | undefined {
    return this.#attribute(name);
  }

  /** Element type that an attribute names by number. */
  elemOf(name: string, otherwise: Elem): Elem {
    const id = this.#attribute(name)?.i;
    return id === undefined ? otherwise : elementOf(Number(id), this.where);
  }

  /** Attributes that change nothing here. */
  ignore(...names: string[]): void {
    for (const n of names) this.#read.add(n);
  }

  /** An axis that may count from the end. */
  axis(axis: number, rank: number): number {
    if (!(axis >= -rank && axis < rank)) {
      this.refuse(
        `axis ${axis} does not exist in ${rank} dimensions`,
        'the model is not valid: export it again',
      );
    }
    return axis < 0 ? axis + rank : axis;
  }

  #or<T>(name: string, otherwise: T | undefined): T {
    if (otherwise !== undefined) return otherwise;
    return this.refuse(`attribute '${name}' is missing`, 'the model is not valid: export it again');
  }

  /** `ONNX node 'conv1' (Conv, opset 13)` */
  get where(): string {
    const { name, opType, output } = this.node;
    return `ONNX node '${name || output[0] || ''}' (${opType}, opset ${this.opset})`;
  }

  /** Throws HDL0021. */
  refuse(rule: string, hint: string): never {
    throw compilerError('HDL0021', { what: `${this.where} is not imported`, rule, hint });
  }

  /** Throws HDL0021 when the node has an attribute that its operator has not looked at. */
  finish(): void {
    for (const name of this.#attributes.keys()) {
      if (this.#read.has(name)) continue;
      this.refuse(
        `attribute '${name}' is not known in this version`,
        'remove it, or convert the model to a newer opset',
      );
    }
  }
}
