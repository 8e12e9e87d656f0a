// A graph as an ONNX model: every primitive by its rule (table.ts), variables as initializers with their values. Names of
// operators carry scopes, so that viewers fold them as the program is written.
//
// A broadcast whose readers broadcast by themselves is left to them: it is written only where somebody needs it whole.

import type { Graph, Node } from '../../../compiler/graph/ir.ts';
import { elementCount, sameShape } from '../../../compiler/graph/types.ts';
import { registry } from '../../../compiler/ops/registry.ts';
import { unrolled } from '../../../compiler/passes/expand-regions.ts';
import { standardPasses } from '../../../compiler/passes/pipeline.ts';
import type { RunTensor } from '../../../runtime/tensor.ts';
import { type Draft, encodeMessage } from '../encode.ts';
import { ExportCall, elementIds, ModelWriter, type Name, typedData } from './call.ts';
import { thinShape } from './ops/create.ts';
import { exportRules } from './table.ts';

export interface ExportOnnxOptions {
  /** Also gives the new values of variables as outputs, called `next/` and the variable's path; default true. */
  readonly updates?: boolean;
}

/** Of the standard, and of the file format: 2023, what current tools read. */
const opset = 20;
const irVersion = 9;

/**
 * The bytes of an ONNX model (opset 20) that computes what the graph does, for its sizes. `valuesOf` gives the values of its
 * variables, which become initializers; where the graph updates them they are inputs, too, with these values as defaults.
 * Throws HDL0021 for what ONNX cannot express: random numbers, reading bits as another type, ops of your own.
 */
export function exportGraph(
  graph: Graph,
  valuesOf: (variable: Node) => Pick<RunTensor, 'data'>,
  options: ExportOnnxOptions = {},
): Uint8Array {
  const { updates = true } = options;
  // What others read needs loops written out, and constants folded.
  const plain = standardPasses()
    .filter((pass) => pass.name === 'simplify')
    .reduce((g, pass) => pass.run(g), unrolled(graph));
  return new Exporter(plain, valuesOf, updates).model();
}

class Exporter {
  readonly #graph: Graph;
  readonly #writer = new ModelWriter();
  readonly #names = new Map<Node, Name>();
  readonly #thin = new Map<Node, Name>();
  readonly #inputs: Draft<'ValueInfoProto'>[] = [];
  readonly #infos: Draft<'ValueInfoProto'>[] = [];
  /** Names of the outputs in the model. */
  readonly #results: readonly Name[];
  readonly #outputs: readonly { readonly name: string; readonly node: Node }[];

  constructor(graph: Graph, valuesOf: (variable: Node) => Pick<RunTensor, 'data'>, withUpdates: boolean) {
    this.#graph = graph;
    const nameOf = (node: Node): string => String(node.attrs['name']);
    this.#outputs = [
      ...graph.outputs,
      ...(withUpdates
        ? graph.updates.map(({ variable, value }) => ({ name: `next/${nameOf(variable)}`, node: value }))
        : []),
    ];
    const updated = new Set(withUpdates ? graph.updates.map((u) => u.variable) : []);
    // Names that others rely on come first. An output of the name of an input gets a number.
    for (const node of graph.inputs) {
      const name = this.#leaf(node, nameOf(node));
      this.#inputs.push(infoOf(name, node));
    }
    const results = this.#outputs.map(({ name }) => this.#writer.fresh(name));
    this.#results = results;
    for (const node of graph.nodes) {
      if (node.op.name === 'variable') {
        const name = this.#leaf(node, nameOf(node));
        this.#writer.initializer(name, elementIds[node.type.dtype], node.type.shape, valuesOf(node).data);
        if (updated.has(node)) this.#inputs.push(infoOf(name, node));
      }
    }
    const claimed = new Map<Node, Name>();
    this.#outputs.forEach(({ node }, i) => {
      if (node.op.family !== 'leaf' && !claimed.has(node)) claimed.set(node, results[i]!);
    });
    const needed = this.#needed();
    for (const node of graph.nodes) {
      // Broadcasts wait until somebody asks.
      if (needed.has(node) && (node.op.name !== 'broadcastInDim' || claimed.has(node))) {
        this.#write(node, claimed.get(node));
      }
    }
    this.#outputs.forEach(({ node }, i) => {
      const name = this.#nameOf(node);
      if (name !== results[i]) this.#writer.emit('Identity', [name], {}, results[i]!);
    });
  }

  model(): Uint8Array {
    return encodeMessage('ModelProto', {
      irVersion: BigInt(irVersion),
      producerName: 'heddle',
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph: {
        name: this.#graph.name || 'graph',
        node: this.#writer.nodes,
        initializer: this.#writer.initializers,
        input: this.#inputs,
        output: this.#outputs.map(({ node }, i) => infoOf(this.#results[i]!, node)),
        valueInfo: this.#infos,
      },
    });
  }

  /** Nodes that the outputs read: updates may have been left out. */
  #needed(): ReadonlySet<Node> {
    const needed = new Set(this.#outputs.map((o) => o.node));
    for (let i = this.#graph.nodes.length - 1; i >= 0; i--) {
      const node = this.#graph.nodes[i]!;
      if (needed.has(node)) for (const o of node.operands) needed.add(o);
    }
    return needed;
  }

  #leaf(node: Node, wish: string): Name {
    const name = this.#writer.fresh(wish);
    this.#names.set(node, name);
    return name;
  }

  #nameOf(node: Node): Name {
    return this.#names.get(node) ?? this.#write(node, undefined);
  }

  #write(node: Node, claimed: Name | undefined): Name {
    const known = this.#names.get(node);
    if (known !== undefined) return known;
    if (node.op.name === 'constant') return this.#constant(node);
    const own = node.name ?? `${node.op.name}_${this.#graph.index.get(node)}`;
    const output = claimed ?? this.#writer.fresh(node.scope === '' ? own : `${node.scope}/${own}`);
    const rule = registry.get(node.op.name) === node.op ? exportRules.get(node.op.name) : undefined;
    const call = new ExportCall(node, this.#writer, output, (i, isThin) =>
      isThin ? this.#operand(node, i) : this.#nameOf(node.operands[i]!),
    );
    if (rule === undefined) return call.refuse(`op '${node.op.name}' has no counterpart in ONNX`);
    const name = rule(call);
    this.#names.set(node, name);
    if (claimed === undefined) this.#infos.push(infoOf(name, node));
    return name;
  }

  /** An operand of an op that broadcasts: not spread out, when another one has the shape of the result. */
  #operand(node: Node, index: number): Name {
    const x = node.operands[index]!;
    const isSpread = (n: Node): boolean =>
      !this.#names.has(n) && (n.op.name === 'broadcastInDim' || isSplat(n)) && n.type.shape.length > 0;
    const others = node.operands.filter((o, i) => i !== index && !isSpread(o));
    if (!isSpread(x) || !others.some((o) => sameShape(o.type.shape, node.type.shape))) return this.#nameOf(x);
    if (x.op.name === 'constant') return this.#writer.scalar(splatValue(x)!, x.type.dtype);
    const known = this.#thin.get(x);
    if (known !== undefined) return known;
    const source = x.operands[0]!;
    const call = {
      shape: x.type.shape,
      ints: (name: string) => x.attrs[name] as readonly number[],
      shapeOf: () => source.type.shape,
    };
    // Leading dimensions of one element are what broadcasting adds.
    const thin = thinShape(call);
    while (thin.length > source.type.shape.length && thin[0] === 1) thin.shift();
    let name = this.#nameOf(source);
    if (!sameShape(thin, source.type.shape)) {
      const shape = this.#writer.int64(thin);
      name = this.#writer.emit('Reshape', [name, shape], {}, this.#writer.fresh(`${name}.Reshape`));
    }
    this.#thin.set(x, name);
    return name;
  }

  #constant(node: Node): Name {
    const { dtype, shape } = node.type;
    const value = splatValue(node);
    const wish = `constant_${this.#graph.index.get(node)}`;
    let name: Name;
    if (value !== null && elementCount(shape) > 1) {
      const dims = this.#writer.int64(shape);
      name = this.#writer.emit(
        'Expand',
        [this.#writer.scalar(value, dtype), dims],
        {},
        this.#writer.fresh(wish),
      );
    } else if (value !== null && elementCount(shape) === 1) {
      name = this.#writer.scalar(value, dtype, shape);
    } else {
      name = this.#writer.fresh(wish);
      const values = node.payload?.values ?? ((node.attrs['value'] ?? []) as readonly number[]);
      const list = typeof values === 'number' ? new Array<number>(elementCount(shape)).fill(values) : values;
      this.#writer.initializer(name, elementIds[dtype], shape, typedData(dtype, list as ArrayLike<number>));
    }
    this.#names.set(node, name);
    return name;
  }
}

/** The value of all elements of a constant; null where they differ. */
function splatValue(node: Node): number | null {
  const value = node.attrs['value'];
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (!Array.isArray(value) || value.length === 0) return null;
  const list = (value as (number | boolean)[]).map(Number);
  return list.every((v) => Object.is(v, list[0])) ? list[0]! : null;
}

function isSplat(node: Node): boolean {
  return node.op.name === 'constant' && splatValue(node) !== null;
}

function infoOf(name: string, { type }: Node): Draft<'ValueInfoProto'> {
  const dim = type.shape.map((n) => ({ dimValue: BigInt(n) }));
  return { name, type: { tensorType: { elemType: elementIds[type.dtype], shape: { dim } } } };
}
