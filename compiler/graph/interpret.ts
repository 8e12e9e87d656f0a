// The reference interpreter: a loop over the nodes that calls each op's reference semantics. Slow and obviously right;
// passes, targets and gradients are all measured against it. It computes in float64 and so shows what a graph means;
// in its second mode it rounds every node to its dtype and so shows what float32 makes of it.

import { compilerError } from './errors.ts';
import type { Graph, HostTensor, Node, RegionCall } from './ir.ts';
import { leafName } from './leaf-name.ts';
import { nearestName } from './nearest.ts';
import { isSameComputation } from './region.ts';
import { elementCount, formatType, roundTo, sameType, type TensorType } from './types.ts';

/** Elements of a value: with its type, or row-major, or the number of a scalar. */
export type HostValue = HostTensor | ArrayLike<number> | number;

export interface Bindings {
  /** Values of the graph's inputs: every one, and no others. */
  readonly inputs?: Readonly<Record<string, HostValue>>;
  /** Values of variables; those that the graph does not use are ignored. */
  readonly variables?: Readonly<Record<string, HostValue>>;
}

export interface InterpretOptions {
  /** `f64` (default) wraps integers and bools only; `f32` rounds each node's elements to its dtype. */
  readonly mode?: 'f64' | 'f32';
  /** Returns the values of all nodes. Default false. */
  readonly keep?: boolean;
}

export interface Interpretation {
  /** By name. */
  readonly outputs: Readonly<Record<string, HostTensor>>;
  /** New values of variables, by the variable's name. */
  readonly updates: Readonly<Record<string, HostTensor>>;
  /** With `keep`: the value of every node of the graph (not of its regions). */
  readonly values?: ReadonlyMap<Node, HostTensor>;
}

/**
 * Runs a graph. Throws HDL0016 when an input or variable is missing, of the wrong size or type, or unknown.
 *
 *   interpretGraph(graph, { inputs: { x: [1, 2, 3] }, variables: { w: [0.5] } }).outputs['loss']!.data[0];
 */
export function interpretGraph(
  graph: Graph,
  bindings: Bindings,
  options: InterpretOptions = {},
): Interpretation {
  checkKnown(graph, bindings);
  const { mode = 'f64', keep = false } = options;
  const values = run(graph, bindings.variables ?? {}, mode, keep, (node) =>
    bind(graph, node, bindings.inputs ?? {}, 'input'),
  );
  return {
    outputs: Object.fromEntries(graph.outputs.map((o) => [o.name, values.get(o.node)!])),
    updates: Object.fromEntries(graph.updates.map((u) => [leafName(u.variable) ?? '', values.get(u.value)!])),
    ...(keep ? { values } : {}),
  };
}

/** The values of the graph's outputs and updates; with `keep`, of all nodes. */
function run(
  graph: Graph,
  variables: Readonly<Record<string, HostValue>>,
  mode: 'f64' | 'f32',
  keep: boolean,
  input: (node: Node) => HostTensor,
): Map<Node, HostTensor> {
  const values = new Map<Node, HostTensor>();
  const computed: { readonly node: Node; readonly results: readonly Float64Array[] }[] = [];
  const lastUse = keep ? null : lastUses(graph);
  graph.nodes.forEach((node, i) => {
    const data = evaluate(node);
    values.set(node, { type: node.type, data: stored(node.type, data, mode) });
    for (const o of node.operands) if (lastUse?.get(o) === i) values.delete(o);
  });
  return values;

  function evaluate(node: Node): Float64Array {
    if (node.op.name === 'input') return input(node).data;
    if (node.op.name === 'variable') return bind(graph, node, variables, 'variable').data;
    if (node.payload !== null) return Float64Array.from(node.payload.values);
    const operands = node.operands.map((o) => values.get(o)!);
    const data = node.op.region
      ? resultOf(node, operands)
      : node.op.reference(operands, node.attrs, node.type);
    if (data.length !== elementCount(node.type.shape)) {
      throw compilerError('HDL0099', {
        what: `internal: the reference of ${node.op.name} returned ${data.length} elements for ${formatType(node.type)}`,
        loc: node.loc,
      });
    }
    return data;
  }

  /** Nodes that are results of one computation share it. */
  function resultOf(node: Node, operands: readonly HostTensor[]): Float64Array {
    let found = computed.find((c) => isSameComputation(c.node, node));
    if (found === undefined) {
      const calls = node.regions.map((r) => regionCall(r, variables, mode));
      found = { node, results: node.op.region!.results(operands, node.attrs, calls, node.regions) };
      computed.push(found);
    }
    return found.results[Number(node.attrs['result'] ?? 0)]!;
  }
}

/** Where each node is read last; nodes that are results are never done with. */
function lastUses(graph: Graph): ReadonlyMap<Node, number> {
  const last = new Map<Node, number>();
  graph.nodes.forEach((n, i) => {
    for (const o of n.operands) last.set(o, i);
  });
  for (const o of graph.outputs) last.delete(o.node);
  for (const u of graph.updates) last.delete(u.value);
  return last;
}

function regionCall(
  region: Graph,
  variables: Readonly<Record<string, HostValue>>,
  mode: 'f64' | 'f32',
): RegionCall {
  return (inputs) => {
    const values = run(region, variables, mode, false, (node) => {
      const at = region.inputs.indexOf(node);
      const value = inputs[at];
      if (value === undefined || !sameType(value.type, node.type)) {
        const given = value === undefined ? 'nothing' : formatType(value.type);
        throw compilerError('HDL0099', {
          what: `internal: input ${at} of region '${region.name}' is ${formatType(node.type)} and was given ${given}`,
        });
      }
      return value;
    });
    return region.outputs.map((o) => values.get(o.node)!);
  };
}

/** The elements as the mode keeps them; a fresh array only where something must change. */
function stored(type: TensorType, data: Float64Array, mode: 'f64' | 'f32'): Float64Array {
  if (type.dtype === 'f32' && mode === 'f64') return data;
  return data.map((v) => roundTo(type.dtype, v));
}

function bind(
  graph: Graph,
  node: Node,
  given: Readonly<Record<string, HostValue>>,
  kind: 'input' | 'variable',
): HostTensor {
  const name = leafName(node) ?? '';
  const what = `graph '${graph.name}' reads ${kind} '${name}' as ${formatType(node.type)}`;
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === undefined) {
    throw compilerError('HDL0016', {
      what: `${what}, and no value is given`,
      rule: `every ${kind} needs a value`,
      hint: `given: ${Object.keys(given).join(', ') || 'none'}`,
      loc: node.loc,
    });
  }
  if (typeof value === 'object' && 'type' in value && !sameType(value.type, node.type)) {
    throw compilerError('HDL0016', {
      what: `${what}, but its value is ${formatType(value.type)}`,
      rule: 'dtype and shape of a value are those of its node',
      loc: node.loc,
    });
  }
  const data = typeof value === 'number' ? [value] : 'data' in value ? value.data : value;
  if (data.length !== elementCount(node.type.shape)) {
    throw compilerError('HDL0016', {
      what: `${what}, but its value has ${data.length} elements`,
      rule: `${formatType(node.type)} has ${elementCount(node.type.shape)} elements, in row-major order`,
      loc: node.loc,
    });
  }
  return { type: node.type, data: Float64Array.from(data) };
}

/** Refuses values for inputs that the graph does not have: most often a typing error. */
function checkKnown(graph: Graph, bindings: Bindings): void {
  const known = graph.inputs.map((n) => leafName(n) ?? '');
  for (const name of Object.keys(bindings.inputs ?? {})) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw compilerError('HDL0016', {
      what: `graph '${graph.name}' has no input '${name}'`,
      rule: `its inputs are: ${known.join(', ') || 'none'}`,
      hint: near === null ? undefined : `did you mean '${near}'?`,
    });
  }
}
