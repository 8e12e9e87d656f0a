// The interpreter as an engine: `program(entries, { target: 'reference' })`. Each run interprets the declared graph in
// plain loops, every value rounded to its dtype. Slow and obviously right: to check what a compiled program computes.

import { compilerError } from '../compiler/graph/errors.ts';
import { graphVariables } from '../compiler/graph/graph.ts';
import { interpretGraph } from '../compiler/graph/interpret.ts';
import type { Graph, HostTensor } from '../compiler/graph/ir.ts';
import { printGraph } from '../compiler/graph/print.ts';
import type { PlanTensor } from '../runtime/plan.ts';
import type { HostRows, ResidentRows } from '../runtime/step-feed.ts';
import { elementCount, makeData, type RunInput, type RunTensor, toData } from '../runtime/tensor.ts';
import type { Compiled, Engine } from './engine.ts';
import { runOneByOne } from './one-by-one.ts';
import { variableName } from './variable.ts';

/** An engine that interprets; `f64` computes without rounding and shows what a graph means. */
export function referenceEngine(mode: 'f32' | 'f64' = 'f32'): Engine {
  const variables = new Map<string, HostTensor>();
  const kept = new WeakMap<ResidentRows, HostRows>();
  const read = ({ type, data }: HostTensor): RunTensor => {
    const copy = makeData(type.dtype, data.length);
    copy.set(data);
    return { dtype: type.dtype, shape: type.shape, data: copy };
  };
  const write = (tensor: PlanTensor, subject: string, values: unknown): HostTensor => ({
    type: { dtype: tensor.dtype, shape: tensor.shape },
    data: Float64Array.from(toData(subject, tensor, values)),
  });

  const compile = (graph: Graph): Compiled => ({
    graph,
    timings: [],
    plan: null,
    dump: (stage) => {
      if (stage === 'source' || stage === 'graph') return printGraph(graph);
      throw compilerError('HDL0017', {
        what: `dump('${stage}') of a program for target 'reference'`,
        rule: 'the interpreter runs the graph itself',
        hint: "use dump('graph'), or another target",
      });
    },
    inspect: () => {
      throw compilerError('HDL0017', {
        what: "inspection of a program for target 'reference'",
        rule: 'the interpreter runs the graph itself: there are no kernels and no plan',
        hint: "inspect it with target 'wasm' or 'js'",
      });
    },
  });

  return {
    threads: 1,
    begin: async () => {},
    compile,
    compileUnchecked: compile,
    obtain: async (graph) => compile(graph),
    explore: null,
    variants: () => [],
    load: async ({ graph }, initial) => {
      for (const node of graphVariables(graph)) {
        const tensor = { name: variableName(node), ...node.type };
        if (variables.has(tensor.name)) continue;
        variables.set(
          tensor.name,
          write(tensor, `initial value of variable '${tensor.name}'`, initial(tensor)),
        );
      }
      const run = async (inputs: Readonly<Record<string, RunInput>>): Promise<Record<string, RunTensor>> => {
        const bound = graph.inputs.map((node) => {
          const tensor = { name: String(node.attrs['name']), ...node.type };
          return [
            tensor.name,
            write(tensor, `input '${tensor.name}' of '${graph.name}'`, inputs[tensor.name]),
          ];
        });
        const result = interpretGraph(
          graph,
          { inputs: Object.fromEntries(bound), variables: Object.fromEntries(variables) },
          { mode },
        );
        for (const [name, value] of Object.entries(result.updates)) variables.set(name, value);
        return Object.fromEntries(Object.entries(result.outputs).map(([name, value]) => [name, read(value)]));
      };
      const set = (name: string, value: number): void => {
        const { type } = variables.get(name)!;
        variables.set(name, write({ name, ...type }, `schedule of variable '${name}'`, [value]));
      };
      const elements = Object.fromEntries(
        graph.inputs.map(({ attrs, type }) => [String(attrs['name']), elementCount(type.shape)]),
      );
      const single = { run, set, rowsOf: (rows: ResidentRows) => kept.get(rows)!, elements };
      return {
        run,
        runSteps: (request) => runOneByOne(single, request),
        measure: null,
        inputs: async () =>
          Object.fromEntries(
            graph.inputs.map(({ attrs, type }) => [
              String(attrs['name']),
              makeData(type.dtype, elementCount(type.shape)),
            ]),
          ),
      };
    },
    get: (name) => {
      const value = variables.get(name);
      return value === undefined ? null : read(value);
    },
    set: (name, values) => {
      const value = variables.get(name);
      if (value === undefined) return false;
      variables.set(name, write({ name, ...value.type }, `value for variable '${name}'`, values));
      return true;
    },
    keep: async (tensors) => {
      const rows: ResidentRows = { tensors: new Map() };
      kept.set(
        rows,
        Object.fromEntries(
          tensors.map(({ values, ...t }) => [t.name, toData(`resident data '${t.name}'`, t, values)]),
        ),
      );
      return rows;
    },
    drop: async (rows) => void kept.delete(rows),
    dispose: async () => variables.clear(),
  };
}
