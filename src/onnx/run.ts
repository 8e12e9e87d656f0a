// Building the nodes of a graph in order. Values are found by name; sub-graphs see the names around them; a function of
// the model is built in place, with names of its own. Nodes that nothing needs are passed over.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { HeddleError } from '../../runtime/errors.ts';
import type { Context } from '../context.ts';
import { type Attribute, Call, type Site } from './call.ts';
import { constantOf, type Elem, type ExternalData, elementInfo, readTensor } from './elements.ts';
import type { Known } from './known.ts';
import type { OnnxOp, Results } from './operator.ts';
import type { Message } from './schema.ts';
import { denseOf } from './sparse.ts';
import type { Value } from './value.ts';
import { wrapTo } from './wrap.ts';

type Graph = Message<'GraphProto'>;
type NodeProto = Message<'NodeProto'>;
type FunctionProto = Message<'FunctionProto'>;

/** What holds for the whole model. */
export interface Model {
  readonly functions: ReadonlyMap<string, FunctionProto>;
  readonly operators: ReadonlyMap<string, OnnxOp>;
  readonly externalData: ExternalData;
  readonly known: Known;
  /** Values that stand in place of what the model computes under that name. */
  readonly given: ReadonlyMap<string, Value>;
}

/** Versions of operator sets, by domain. */
export type Opsets = ReadonlyMap<string, number>;

/** Names that are visible from inside to outside. */
interface Names {
  readonly values: Map<string, Value | null>;
  readonly outer: Names | null;
}

function lookup(names: Names, name: string): Value | null | undefined {
  for (let n: Names | null = names; n !== null; n = n.outer) {
    if (n.values.has(name)) return n.values.get(name);
  }
  return undefined;
}

/** `''` and `'ai.onnx'` are the same domain. */
export function domainOf(name: string | undefined): string {
  return name === undefined || name === 'ai.onnx' ? '' : name;
}

export function opsetsOf(imports: readonly Message<'OperatorSetIdProto'>[]): Opsets {
  return new Map(imports.map((o) => [domainOf(o.domain), Number(o.version ?? 1n)]));
}

export function functionKey(domain: string | undefined, name: string, overload: string | undefined): string {
  return `${domainOf(domain)}:${name}:${overload ?? ''}`;
}

/** Names that a node reads, also from inside of its sub-graphs. */
function namesRead(node: NodeProto): string[] {
  const inner = node.attribute.flatMap((a) =>
    a.g ? a.g.node.flatMap(namesRead).concat(outputsOf(a.g)) : [],
  );
  const hidden = node.attribute.flatMap((a) => {
    if (node.opType !== 'Gradient') return [];
    return [...a.strings.map((s) => new TextDecoder().decode(s)), a.s ? new TextDecoder().decode(a.s) : ''];
  });
  return [...node.input, ...inner, ...hidden];
}

function outputsOf(graph: Graph): string[] {
  return graph.output.map((o) => o.name ?? '');
}

/** The nodes that the outputs need, in the order of the file. */
export function neededNodes(nodes: readonly NodeProto[], outputs: readonly string[]): NodeProto[] {
  const wanted = new Set(outputs);
  const needed: NodeProto[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.output.some((o) => o !== '' && wanted.has(o))) continue;
    needed.push(node);
    for (const name of namesRead(node)) wanted.add(name);
  }
  return needed.reverse();
}

/** Builds models: one for each call of a build function, since it holds the context of the entry. */
export class Builder {
  readonly #model: Model;
  readonly #ctx: Context | undefined;

  constructor(model: Model, ctx: Context | undefined) {
    this.#model = model;
    this.#ctx = ctx;
  }

  /** The values of a graph's outputs. `values`: its inputs and initializers. */
  graph(graph: Graph, values: ReadonlyMap<string, Value>, opsets: Opsets): Value[] {
    return this.#run(graph, { values: new Map(values), outer: null }, opsets, new Map());
  }

  #run(graph: Graph, names: Names, opsets: Opsets, attributes: ReadonlyMap<string, Attribute>): Value[] {
    const outputs = outputsOf(graph);
    for (const node of neededNodes(graph.node, outputs)) this.#node(node, names, opsets, attributes);
    return outputs.map((o) => {
      const value = lookup(names, o);
      if (value === undefined || value === null) throw noValue(o, `graph '${graph.name ?? ''}' returns`);
      return value;
    });
  }

  #node(node: NodeProto, names: Names, opsets: Opsets, attributes: ReadonlyMap<string, Attribute>): void {
    const operands = node.input.map((name) => {
      if (name === '') return null;
      const value = lookup(names, name);
      if (value === undefined) throw noValue(name, `node '${node.name || node.opType}' reads`);
      return value;
    });
    const results = this.#outputs(node, operands, names, opsets, attributes);
    node.output.forEach((name, i) => {
      if (name === '') return;
      names.values.set(name, this.#model.given.get(name) ?? results[i] ?? null);
    });
  }

  #outputs(
    node: NodeProto,
    operands: readonly (Value | null)[],
    names: Names,
    opsets: Opsets,
    outer: ReadonlyMap<string, Attribute>,
  ): readonly (Value | null)[] {
    const attributes = resolveAttributes(node, outer);
    const type = node.opType ?? '';
    const domain = domainOf(node.domain);
    const custom = this.#model.functions.get(functionKey(domain, type, node.overload));
    if (custom !== undefined) {
      return scope(label(node), () => this.#function(custom, operands, attributes));
    }
    const operator = this.#model.operators.get(`${domain}:${type}`);
    if (operator === undefined) throw unknownOperators([node]);
    const site: Site = {
      known: this.#model.known,
      externalData: this.#model.externalData,
      ctx: this.#ctx,
      opset: opsets.get(domain) ?? 1,
      lookup: (name) => lookup(names, name) ?? undefined,
      subgraph: (graph, inputs) => this.#subgraph(graph, inputs, names, opsets, outer),
    };
    const call = new Call(node, operands, attributes, site);
    const results = scope(label(node), () => attempt(call, operator));
    return typed(results, call, operator);
  }

  #function(
    f: FunctionProto,
    operands: readonly (Value | null)[],
    given: ReadonlyMap<string, Attribute>,
  ): (Value | null)[] {
    const attributes = new Map(f.attributeProto.map((a) => [a.name ?? '', a] as const));
    for (const [name, a] of given) attributes.set(name, a);
    const names: Names = { values: new Map(), outer: null };
    f.input.forEach((name, i) => {
      names.values.set(name, operands[i] ?? null);
    });
    const opsets = opsetsOf(f.opsetImport);
    for (const node of neededNodes(f.node, f.output)) this.#node(node, names, opsets, attributes);
    return f.output.map((o) => lookup(names, o) ?? null);
  }

  #subgraph(
    graph: Graph,
    inputs: readonly Value[],
    outer: Names,
    opsets: Opsets,
    attributes: ReadonlyMap<string, Attribute>,
  ): readonly Value[] {
    const names: Names = { values: new Map(), outer };
    for (const [name, value] of initializersOf(graph, this.#model.externalData))
      names.values.set(name, value);
    graph.input.forEach((info, i) => {
      const value = inputs[i];
      if (value !== undefined) names.values.set(info.name ?? '', value);
    });
    return this.#run(graph, names, opsets, attributes);
  }
}

/** The initializers of a graph as constants, by name. */
export function initializersOf(graph: Graph, externalData: ExternalData): [string, Value][] {
  return [
    ...graph.initializer.map((t): [string, Value] => {
      const stored = readTensor(t, `initializer '${t.name ?? ''}'`, externalData);
      return [t.name ?? '', { node: constantOf(stored), elem: stored.elem }];
    }),
    ...graph.sparseInitializer.map((t): [string, Value] => {
      const stored = denseOf(t, externalData);
      return [t.values?.name ?? '', { node: constantOf(stored), elem: stored.elem }];
    }),
  ];
}

function label(node: NodeProto): string {
  return (node.name || node.opType || 'node').replaceAll('/', '.').replace(/^\.+/, '') || 'node';
}

/** Attributes of a node in a function may name those of the call. */
function resolveAttributes(
  node: NodeProto,
  outer: ReadonlyMap<string, Attribute>,
): ReadonlyMap<string, Attribute> {
  const result = new Map<string, Attribute>();
  for (const a of node.attribute) {
    const from = a.refAttrName ? outer.get(a.refAttrName) : a;
    if (from !== undefined) result.set(a.name ?? '', from);
  }
  return result;
}

/** Builds one node; errors of Heddle's own ops are told with the node's name in front. */
function attempt(call: Call, operator: OnnxOp): Results {
  try {
    const results = operator.build(call);
    call.finish();
    return results;
  } catch (error) {
    if (!(error instanceof HeddleError) || error.parts.what.includes('ONNX node')) throw error;
    throw new HeddleError(
      error.code,
      { ...error.parts, what: `${call.where}: ${error.parts.what}` },
      { cause: error },
    );
  }
}

/** Results with their element types. */
function typed(results: Results, call: Call, operator: OnnxOp): (Value | null)[] {
  const list = Array.isArray(results)
    ? (results as readonly (Tensor | Value | null)[])
    : [results as Tensor | Value];
  return list.map((r) => {
    if (r === null) return null;
    if ('elem' in r) return r;
    const elem = elemFor(r, call);
    return { node: operator.wraps ? wrapTo(r, elem) : r, elem };
  });
}

/** The element type of the first operand that has the result's dtype; without one, the usual one of that dtype. */
function elemFor(result: Tensor, call: Call): Elem {
  const { dtype } = result.type;
  const like = call.operands.find((o) => o !== null && elementInfo(o.elem).dtype === dtype);
  if (like) return like.elem;
  return dtype === 'f32' ? 'float' : dtype === 'bool' ? 'bool' : dtype === 'u32' ? 'uint32' : 'int64';
}

function noValue(name: string, who: string): Error {
  return compilerError('HDL0020', {
    what: `${who} '${name}', which nothing gives`,
    rule: 'every value is an input, an initializer, or an output of an earlier node',
    hint: 'the model is not valid: check it with onnx.checker, or export it again',
  });
}

/** The refusal of nodes whose operators are in no table. */
export function unknownOperators(nodes: readonly NodeProto[]): Error {
  const names = [...new Set(nodes.map((n) => (n.domain ? `${n.domain}.${n.opType}` : `${n.opType}`)))];
  const first = nodes[0]!;
  return compilerError('HDL0021', {
    what: `the model has nodes of ${names.join(', ')}, the first of them '${first.name || first.output[0] || ''}'`,
    rule: 'these operators are not in the table of the importer (docs/onnx.md)',
    hint: 'export the model with standard operators, or replace these nodes by a function of them',
  });
}
