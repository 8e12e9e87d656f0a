// ONNX models as functions of Heddle. The file is read once; its graph is built anew for each entry and each binding of
// its named dimensions, so all shapes are literal numbers when nodes are built, and whatever follows from shapes is folded.

import { compilerError } from '../../compiler/graph/errors.ts';
import type { Node, Tensor } from '../../compiler/graph/ir.ts';
import { nearestName } from '../../compiler/graph/nearest.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { cast } from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import { fromArray } from '../initializers/constant.ts';
import { flattenNested, type NestedArray } from '../nested.ts';
import type { Spec, SpecDim, SpecShape } from '../spec.ts';
import { type Variable, variable } from '../variable.ts';
import {
  constantOf,
  type ExternalData,
  elementInfo,
  elementOf,
  isFloat,
  narrowed,
  readTensor,
  type Stored,
} from './elements.ts';
import { Known } from './known.ts';
import {
  Builder,
  domainOf,
  functionKey,
  initializersOf,
  type Model,
  neededNodes,
  opsetsOf,
  unknownOperators,
} from './run.ts';
import type { Message } from './schema.ts';
import { onnxOperators } from './table.ts';
import type { Value } from './value.ts';
import { readMessage } from './wire.ts';

/** Values for a constant: row-major with their shape, nested arrays, or one number. */
export type OnnxValues =
  | number
  | boolean
  | NestedArray
  | { readonly data: ArrayLike<number | bigint>; readonly shape: readonly number[] };

export interface ImportOnnxOptions {
  /**
   * Values of inputs that decide shapes, by name: they are no longer inputs. Any other value of the model can be given too,
   * in place of what the model computes.
   */
  readonly constants?: Readonly<Record<string, OnnxValues>>;
  /** Shapes of inputs, by name, in place of those in the file: numbers, or names of dimensions. */
  readonly shapes?: Readonly<Record<string, SpecShape>>;
  /**
   * What float initializers become: variables that train (default), variables that do not, or constants. Statistics of batch
   * normalization never train. Scalars, integers and bools are constants: they are settings, not weights.
   */
  readonly weights?: 'train' | 'freeze' | 'constant';
  /** Files that the model refers to, by the location that stands in it. */
  readonly externalData?: ExternalData;
}

/** A model that was read: a function from symbolic inputs to symbolic outputs, for entries or by itself. */
export interface OnnxModel {
  /** Specs of the inputs, for `entry`. Dimensions without a size are named, as in the file or `input.0`. */
  readonly inputs: Readonly<Record<string, Spec>>;
  /** Names of the outputs, in order. */
  readonly outputs: readonly string[];
  /** The float initializers, by name. */
  readonly variables: Readonly<Record<string, Variable>>;
  /** Versions of operator sets, by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  /**
   * The outputs for given inputs. In an entry with `training`, batch normalization uses the statistics of the batch and moves
   * its running ones, and dropout drops. Throws HDL0021 and HDL0022 with the node that cannot be imported.
   */
  readonly build: (
    inputs: Readonly<Record<string, Tensor>>,
    ctx?: Context,
  ) => Readonly<Record<string, Tensor>>;
}

/**
 * Reads an ONNX model (opsets 7 to 28; older ones as far as operators say). Floats of all widths are computed in f32, 64-bit
 * integers are narrowed and must fit. Throws HDL0020 when the bytes are no valid model, HDL0021 when it uses operators that
 * are not imported, HDL0003 for options.
 *
 * @example
 * const net = importOnnx(bytes);
 * const p = program({ predict: entry(net.inputs, net.build) });
 */
export function importOnnx(bytes: Uint8Array, options: ImportOnnxOptions = {}): OnnxModel {
  const file = readMessage('ModelProto', bytes);
  const { graph } = file;
  if (graph === undefined) {
    throw compilerError('HDL0020', {
      what: `${bytes.length} bytes read as an ONNX model without a graph`,
      rule: 'a model has one graph',
      hint: 'check that the file is an ONNX model, and whole',
    });
  }
  const externalData = options.externalData ?? {};
  const functions = new Map(file.functions.map((f) => [functionKey(f.domain, f.name ?? '', f.overload), f]));
  const outputs = graph.output.map((o) => o.name ?? '');
  const needed = neededNodes(graph.node, outputs);
  refuseUnknown(needed, functions);

  const statistics = new Set(
    needed.filter((n) => n.opType === 'BatchNormalization').flatMap((n) => n.input.slice(3, 5)),
  );
  const initial = new Map<Node, ArrayLike<number>>();
  const fixed = new Map<string, Value>();
  const variables: Record<string, Variable> = {};
  for (const t of graph.initializer) {
    const name = t.name ?? '';
    const stored = readTensor(t, `initializer '${name}'`, externalData);
    fixed.set(name, { node: leafOf(name, stored), elem: stored.elem });
  }
  for (const [name, value] of initializersOf({ ...graph, initializer: [] }, externalData))
    fixed.set(name, value);

  const infos = graph.input.filter((i) => !fixed.has(i.name ?? ''));
  checkNames(options, infos, graph);
  const given = new Map(
    Object.entries(options.constants ?? {}).map(([name, values]) => [name, givenValue(name, values, graph)]),
  );
  const inputs: Record<string, Spec> = {};
  const elems = new Map<string, Value['elem']>();
  for (const info of infos) {
    const name = info.name ?? '';
    if (given.has(name)) continue;
    const elem = elementOf(tensorType(info).elemType ?? 0, `input '${name}'`);
    const { dtype, stored = dtype } = elementInfo(elem);
    elems.set(name, elem);
    inputs[name] = { shape: options.shapes?.[name] ?? declaredShape(info), dtype: stored };
  }
  const model: Model = {
    functions,
    operators: onnxOperators,
    externalData,
    known: new Known(initial),
    given,
  };
  const opsets = opsetsOf(file.opsetImport);

  return {
    inputs,
    outputs,
    variables,
    opsets: Object.fromEntries(opsets),
    build: (nodes, ctx) => {
      const values = new Map([...fixed, ...given]);
      for (const [name, elem] of elems) {
        const node = nodes[name];
        if (node === undefined) throw missingInput(name, Object.keys(inputs));
        const { dtype } = elementInfo(elem);
        values.set(name, { node: node.type.dtype === dtype ? node : (cast(node, dtype) as Tensor), elem });
      }
      const results = new Builder(model, ctx).graph(graph, values, opsets);
      return Object.fromEntries(
        results.map(({ node, elem }, i) => {
          const { stored } = elementInfo(elem);
          return [outputs[i]!, stored === undefined ? node : (cast(node, stored) as Tensor)];
        }),
      );
    },
  };

  function leafOf(name: string, stored: Stored): Tensor {
    const { weights = 'train' } = options;
    const isWeight = isFloat(stored.elem) && stored.shape.length > 0;
    if (weights === 'constant' || !isWeight) return constantOf(stored);
    const trainable = weights === 'train' && !statistics.has(name);
    const node = variable(name, [...stored.shape], fromArray(stored.data), { trainable });
    variables[name] = node;
    initial.set(node, stored.data);
    return node;
  }
}

/** All operators that are needed and not known are named at once. */
function refuseUnknown(
  nodes: readonly Message<'NodeProto'>[],
  functions: ReadonlyMap<string, Message<'FunctionProto'>>,
): void {
  const seen = new Set<Message<'FunctionProto'>>();
  const unknown: Message<'NodeProto'>[] = [];
  const visit = (list: readonly Message<'NodeProto'>[]): void => {
    for (const n of list) {
      const f = functions.get(functionKey(n.domain, n.opType ?? '', n.overload));
      if (f === undefined) {
        if (!onnxOperators.has(`${domainOf(n.domain)}:${n.opType}`)) unknown.push(n);
      } else if (!seen.has(f)) {
        seen.add(f);
        visit(f.node);
      }
    }
  };
  visit(nodes);
  if (unknown.length > 0) throw unknownOperators(unknown);
}

function tensorType(info: Message<'ValueInfoProto'>): Message<'TensorTypeProto'> {
  const type = info.type?.tensorType;
  if (type !== undefined) return type;
  const kind = info.type?.sequenceType
    ? 'a sequence'
    : info.type?.optionalType
      ? 'an optional value'
      : info.type?.mapType
        ? 'a map'
        : info.type?.sparseTensorType
          ? 'a sparse tensor'
          : 'a value without a type';
  throw compilerError('HDL0021', {
    what: `input '${info.name ?? ''}' of the model is ${kind}`,
    rule: 'inputs are tensors',
    hint: 'give each tensor an input of its own',
  });
}

function declaredShape(info: Message<'ValueInfoProto'>): SpecDim[] {
  const name = info.name ?? '';
  const { shape } = tensorType(info);
  if (shape === undefined) {
    throw compilerError('HDL0021', {
      what: `input '${name}' of the model has no shape`,
      rule: 'the number of dimensions is fixed when a model is imported',
      hint: `say it: importOnnx(bytes, { shapes: { '${name}': ['batch', 3] } })`,
    });
  }
  return shape.dim.map((d, i) =>
    d.dimValue === undefined ? d.dimParam || `${name}.${i}` : Number(d.dimValue),
  );
}

/** The value of an input or of any other name, of the element type that the model says, else of the kind that it has. */
function givenValue(name: string, values: OnnxValues, graph: Message<'GraphProto'>): Value {
  const info = graph.input.find((i) => i.name === name);
  const { data, shape } = flat(name, values);
  const elem = info
    ? elementOf(tensorType(info).elemType ?? 0, `input '${name}'`)
    : data.every(Number.isInteger)
      ? 'int64'
      : 'float';
  const stored: Stored = { elem, shape, data: narrowed(data, elem, `constant '${name}'`) };
  if (elementCount(shape) !== data.length) {
    throw compilerError('HDL0003', {
      what: `importOnnx with constant '${name}' of shape [${shape.join(', ')}] and ${data.length} values`,
      rule: `that shape has ${elementCount(shape)} elements`,
      hint: 'check the shape that goes with the data',
    });
  }
  return { node: constantOf(stored), elem };
}

function flat(name: string, values: OnnxValues): { data: number[]; shape: readonly number[] } {
  if (typeof values === 'number' || typeof values === 'boolean') return { data: [Number(values)], shape: [] };
  if ('data' in values) return { data: Array.from(values.data, Number), shape: values.shape };
  const nested = flattenNested(values, (where) =>
    compilerError('HDL0003', {
      what: `importOnnx with constant '${name}', a ragged array: ${where}`,
      rule: 'all rows of a tensor have the same shape',
      hint: 'give { data, shape }',
    }),
  );
  return { data: Array.from(nested.values as ArrayLike<number | boolean>, Number), shape: nested.shape };
}

function checkNames(
  options: ImportOnnxOptions,
  infos: readonly Message<'ValueInfoProto'>[],
  graph: Message<'GraphProto'>,
): void {
  const inputs = infos.map((i) => i.name ?? '');
  const all = [
    ...inputs,
    ...graph.initializer.map((t) => t.name ?? ''),
    ...graph.node.flatMap((n) => n.output),
  ];
  for (const [option, allowed] of [
    ['shapes', inputs],
    ['constants', all],
  ] as const) {
    for (const name of Object.keys(options[option] ?? {})) {
      if (allowed.includes(name)) continue;
      const near = nearestName(name, allowed);
      throw compilerError('HDL0003', {
        what: `importOnnx with ${option} for '${name}'`,
        rule: `the model has no such ${option === 'shapes' ? 'input' : 'value'}; its inputs are: ${inputs.join(', ') || 'none'}`,
        hint: near === null ? 'check the name' : `did you mean '${near}'?`,
      });
    }
  }
}

function missingInput(name: string, all: readonly string[]): Error {
  return compilerError('HDL0008', {
    what: `build of an ONNX model without its input '${name}'`,
    rule: `its inputs are: ${all.join(', ')}`,
    hint: 'pass a tensor for each of them',
  });
}
