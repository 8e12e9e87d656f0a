// Gradients against central differences, for ops and gradients that somebody wrote: both in float64 by the interpreter, which
// asks the ops' reference semantics. For outputs y and fixed cotangents c the loss is Σ c·y; its derivative by an element
// is taken at two steps h and h/2, from which the error in h² cancels (Richardson), and which lie far apart at a kink.

import { compilerError } from '../../compiler/graph/errors.ts';
import { graphVariables, makeGraph } from '../../compiler/graph/graph.ts';
import { type HostValue, interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, HostTensor, Node, SourceLocation } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { elementCount, type Shape } from '../../compiler/graph/types.ts';
import { input } from '../../compiler/ops/index.ts';
import { vjp } from '../../compiler/passes/grad.ts';
import { random } from '../random.ts';
import { isVariable, variableName } from '../variable.ts';
import { atPlace, userTerms } from './describe.ts';
import { shown } from './range.ts';

export interface GradCheckOptions {
  /** Outputs whose gradient is checked; default: all of f32. */
  readonly outputs?: readonly string[];
  /** Elements of each value, drawn at random where it has more; default 12. */
  readonly elements?: number;
  /** Cotangents and elements follow from it; default 0. */
  readonly seed?: number;
  /** Largest error, relative to the largest derivative by the value; default 1e-6. */
  readonly tolerance?: number;
}

/** One derivative. */
export interface CheckedElement {
  /** Row-major number of the element. */
  readonly element: number;
  readonly gradient: number;
  readonly difference: number;
  /** |gradient − difference| over the largest derivative by the value that was found. */
  readonly relativeError: number;
  /** Whether differences of two steps agree: false at a kink. */
  readonly isSmooth: boolean;
}

/** The derivatives by one input or variable. */
export interface CheckedValue {
  readonly what: string;
  readonly name: string;
  readonly loc: SourceLocation | null;
  readonly checked: number;
  readonly worst: CheckedElement;
  readonly isRight: boolean;
}

export interface GradCheck {
  readonly entry: string;
  readonly outputs: readonly string[];
  readonly isRight: boolean;
  /** In the order of declaration. */
  readonly values: readonly CheckedValue[];
  /** Of all; null when nothing f32 goes into the outputs. */
  readonly worst: CheckedValue | null;
}

/** A kink shows by differences that are so far apart, relative to the largest. */
const smoothness = 1e-3;

/** Checks the gradients of a graph. `values` are of its inputs and variables. Throws HDL0005, HDL0015, HDL0016. */
export function checkGraphGradients(
  graph: Graph,
  inputs: Readonly<Record<string, HostValue>>,
  variables: Readonly<Record<string, HostValue>>,
  options: GradCheckOptions,
): GradCheck {
  const { elements = 12, seed = 0, tolerance = 1e-6 } = options;
  const outputs = chosenOutputs(graph, options.outputs);
  const draw = random(seed, 'gradCheck');
  const forward = makeGraph(graph.name, { inputs: graph.inputs, outputs });
  const wrt = [...graph.inputs, ...graphVariables(forward)].filter((n) => n.type.dtype === 'f32');
  const cotangents = outputs.map(({ node }, i) => input(`cotangent:${i}`, node.type.shape as Shape));
  const drawn = cotangents.map(({ type }) =>
    // Away from 0, so that no path of the gradient is silenced.
    Float64Array.from({ length: elementCount(type.shape) }, () => {
      const u = draw.uniform();
      return (0.25 + 0.75 * Math.abs(2 * u - 1)) * (u < 0.5 ? -1 : 1);
    }),
  );
  const gradients = vjp(
    outputs.map((o) => o.node),
    cotangents,
    wrt,
  );
  const backward = makeGraph(graph.name, {
    inputs: [...graph.inputs, ...cotangents],
    outputs: gradients.map((node, i) => ({ name: `g${i}`, node })),
  });
  const analytic = interpretGraph(backward, {
    inputs: { ...inputs, ...Object.fromEntries(drawn.map((c, i) => [`cotangent:${i}`, c])) },
    variables,
  }).outputs;
  const lossOf = (bindings: { inputs: typeof inputs; variables: typeof variables }): number => {
    const found = interpretGraph(forward, bindings).outputs;
    return outputs.reduce((sum, { name }, i) => sum + dot(found[name]!, drawn[i]!), 0);
  };

  const values = wrt.map((node, k): CheckedValue => {
    const name = variableName(node);
    const kind = isVariable(node) ? 'variables' : 'inputs';
    const all = { inputs, variables };
    const given = hostData(all[kind][name]!);
    const at = positions(elementCount(node.type.shape), elements, () => draw.uniform());
    const differences = at.map((position) =>
      centralDifference((v) => {
        const data = Float64Array.from(given);
        data[position] = v;
        return lossOf({ ...all, [kind]: { ...all[kind], [name]: data } });
      }, given[position]!),
    );
    const found = at.map((position) => analytic[`g${k}`]!.data[position]!);
    // Of a gradient of zeros, rounding of the loss is no error.
    const scale = Math.max(
      1e-6,
      ...differences.map((d) => Math.abs(d.value)),
      ...found.map((v) => Math.abs(v)),
    );
    const checked = at.map((element, j): CheckedElement & { readonly excess: number } => {
      const { value, uncertainty } = differences[j]!;
      const off = Math.abs(found[j]! - value);
      return {
        element,
        gradient: found[j]!,
        difference: value,
        relativeError: off / scale,
        isSmooth: !(uncertainty > smoothness * scale),
        excess: (off - 3 * uncertainty) / scale,
      };
    });
    const { excess, ...worst } = checked.reduce((a, b) => (isWorse(b, a) ? b : a));
    const isRight = excess <= tolerance || !worst.isSmooth;
    return { what: userTerms(node).what, name, loc: node.loc, checked: at.length, worst, isRight };
  });
  const worst = values.reduce<CheckedValue | null>(
    (a, b) => (a === null || isWorse(b.worst, a.worst) ? b : a),
    null,
  );
  return {
    entry: graph.name,
    outputs: outputs.map((o) => o.name),
    isRight: values.every((v) => v.isRight),
    values,
    worst,
  };
}

/** NaN is worst of all; an element at a kink says little. */
function isWorse(a: CheckedElement, b: CheckedElement): boolean {
  if (a.isSmooth !== b.isSmooth) return a.isSmooth;
  return Number.isNaN(a.relativeError) || a.relativeError > b.relativeError;
}

function chosenOutputs(graph: Graph, names: readonly string[] | undefined): { name: string; node: Node }[] {
  const floats = graph.outputs.filter((o) => o.node.type.dtype === 'f32');
  const unknown = names?.find((name) => !floats.some((o) => o.name === name));
  if (unknown === undefined && floats.length > 0) {
    return floats.filter((o) => names === undefined || names.includes(o.name));
  }
  throw compilerError('HDL0015', {
    what: unknown === undefined ? `gradCheck of '${graph.name}'` : `gradCheck of output '${unknown}'`,
    rule: 'only f32 outputs have gradients',
    hint: `f32 outputs of '${graph.name}': ${floats.map((o) => o.name).join(', ') || 'none'}`,
    loc: callerLocation(),
  });
}

function hostData(value: HostValue): ArrayLike<number> {
  if (typeof value === 'number') return [value];
  return 'type' in value ? value.data : value;
}

function dot(a: HostTensor, b: Float64Array): number {
  return a.data.reduce((sum, v, i) => sum + v * b[i]!, 0);
}

/** All positions when they are few, else some of them, ascending. */
function positions(count: number, wanted: number, uniform: () => number): number[] {
  if (count <= wanted) return Array.from({ length: count }, (_, i) => i);
  const drawn = new Set<number>();
  while (drawn.size < wanted) drawn.add(Math.min(count - 1, Math.floor(uniform() * count)));
  return [...drawn].sort((a, b) => a - b);
}

function centralDifference(
  f: (x: number) => number,
  x: number,
): { readonly value: number; readonly uncertainty: number } {
  const h = 1e-4 * Math.max(1, Math.abs(x));
  const middle = f(x);
  const around = (step: number): { slope: number; gap: number } => {
    const [above, below] = [f(x + step), f(x - step)];
    const width = x + step - (x - step);
    return { slope: (above - below) / width, gap: Math.abs(above + below - 2 * middle) / (width / 2) };
  };
  const coarse = around(h);
  const fine = around(h / 2);
  // Slopes to both sides of a smooth point come closer as the step shrinks; at a kink they do not.
  const kink = fine.gap > 0.75 * coarse.gap ? fine.gap : 0;
  const uncertainty = Math.max(Math.abs(fine.slope - coarse.slope), kink > 1e-4 ? kink : 0);
  return { value: (4 * fine.slope - coarse.slope) / 3, uncertainty };
}

/**
 * A check as text: a line per value, wrong ones first named with their worst element.
 *
 *   predict: gradients of y are right: 3 values, relative error at most 2.1e-9
 *   predict: gradients of y are WRONG
 *     input 'x' f32[4] at op.ts:12:9: element 2: the gradient says 0.5, differences 1 (relative error 0.5)
 */
export function formatGradCheck({ entry, outputs, isRight, values, worst }: GradCheck): string {
  const head = `${entry}: gradients of ${outputs.join(', ')}`;
  if (isRight) {
    const most =
      worst === null ? 'nothing to check' : `relative error at most ${shown(worst.worst.relativeError)}`;
    const kinks = values.filter((v) => !v.worst.isSmooth).length;
    return `${head} are right: ${values.length} values, ${most}${kinks > 0 ? `; ${kinks} of them only at kinks` : ''}`;
  }
  const lines = values
    .filter((v) => !v.isRight)
    .map(({ what, loc, worst: w }) => {
      const said = `the gradient says ${shown(w.gradient)}, differences ${shown(w.difference)}`;
      return `  ${what}${atPlace(loc)}: element ${w.element}: ${said} (relative error ${shown(w.relativeError)})`;
    });
  return [`${head} are WRONG`, ...lines].join('\n');
}
