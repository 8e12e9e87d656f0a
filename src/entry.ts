// Entries: named functions of a program, from symbolic inputs to symbolic outputs. Building one for given sizes (a
// trace) runs its build function once and collects what it returned and assigned into a graph.

import { compilerError } from '../compiler/graph/errors.ts';
import { graphVariables, makeGraph } from '../compiler/graph/graph.ts';
import type { Graph, Node, Tensor } from '../compiler/graph/ir.ts';
import { callerLocation } from '../compiler/graph/location.ts';
import { absoluteScope } from '../compiler/graph/scope.ts';
import { input } from '../compiler/ops/index.ts';
import { type AppliedLayer, type Context, type Registry, Trace } from './context.ts';
import { bindShape, type Dims, type Spec, type SpecTensor } from './spec.ts';

export type Specs = Readonly<Record<string, Spec>>;
export type Outputs = Readonly<Record<string, Tensor>>;

/** The symbolic inputs that a build function gets. */
export type InputsOf<I extends Specs> = { readonly [K in keyof I]: SpecTensor<I[K]> };

export interface Entry<I extends Specs = Specs, O extends Outputs = Outputs> {
  readonly inputs: I;
  readonly build: (inputs: InputsOf<I>, ctx: Context) => O;
  readonly training: boolean;
}

/** An entry of any inputs and outputs: what a program holds. Build functions are only called through `traceEntry`. */
export type AnyEntry = Pick<Entry, 'inputs' | 'training'> & {
  readonly build: (inputs: never, ctx: Context) => Outputs;
};

/**
 * An entry point. `build` is called once for each binding of the named dimensions; it must make the same layers and
 * variables each time. With `training`, layers behave as in training.
 *
 * @example
 * const predict = entry({ x: tensor(['batch', 784]) }, ({ x }, ctx) => ({ y: net.apply(x, ctx) }));
 */
export function entry<const I extends Specs, O extends Outputs>(
  inputs: I,
  build: (inputs: InputsOf<I>, ctx: Context) => O,
  options: { readonly training?: boolean } = {},
): Entry<I, O> {
  return { inputs, build, training: options.training ?? false };
}

export interface Traced {
  readonly graph: Graph;
  readonly layers: readonly AppliedLayer[];
}

/** Builds the graph of an entry for given sizes; adds its variables and layers to the registry when all went well. */
export function traceEntry(name: string, definition: AnyEntry, dims: Dims, registry: Registry): Traced {
  const trace = new Trace(name, definition.training, registry);
  const { inputs, outputs } = absoluteScope('', () => {
    const made = Object.entries(definition.inputs).map(
      ([key, spec]) => [key, input(key, bindShape(spec, dims), spec.dtype)] as const,
    );
    const build = definition.build as (inputs: Readonly<Record<string, Tensor>>, ctx: Context) => Outputs;
    return {
      inputs: made.map(([, node]) => node),
      outputs: checkOutputs(name, build(Object.fromEntries(made), trace.context(''))),
    };
  });
  const graph = makeGraph(name, { inputs, outputs, updates: trace.updates });
  trace.commit(graphVariables(graph));
  return { graph, layers: trace.layers };
}

function checkOutputs(name: string, outputs: unknown): { name: string; node: Node }[] {
  const wrong = (what: string): Error =>
    compilerError('HDL0008', {
      what: `the build function of entry '${name}' returned ${what}`,
      rule: 'it returns a record of tensors, and at once',
      hint: 'return { loss }, for example; a build function is not async',
      loc: callerLocation(),
    });
  if (typeof outputs !== 'object' || outputs === null) throw wrong(String(outputs));
  if (outputs instanceof Promise) throw wrong('a promise');
  if (isTensor(outputs)) throw wrong('a tensor');
  return Object.entries(outputs).map(([key, node]: [string, unknown]) => {
    if (!isTensor(node)) throw wrong(`'${key}', which is no tensor`);
    return { name: key, node };
  });
}

function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === 'object' && value !== null && 'op' in value && 'operands' in value && 'type' in value
  );
}
