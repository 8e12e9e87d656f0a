// Gradients checked against central differences of the reference interpreter, in float64. In: nodes over input nodes, with
// values. Out: the places where both disagree, as text. For outputs y and random cotangents c, the loss is Σ c·y.

import { makeNode } from '../../compiler/graph/build.ts';
import { describeNode } from '../../compiler/graph/describe.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Graph, HostTensor, Node, OpDef, Sample, SampleSource } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { jvp, vjp } from '../../compiler/passes/grad.ts';

/** A derivative by central differences, and by how much it may be off. */
export interface Difference {
  readonly value: number;
  readonly uncertainty: number;
}

/**
 * df/dx at x by central differences with steps h and h/2. The two together cancel the error in h² (Richardson); how far
 * they lie apart tells how well the step fits: for smooth f it is about f‴h²/8, at a kink it does not shrink.
 */
export function centralDifference(f: (x: number) => number, x: number): Difference {
  const h = 1e-4 * Math.max(1, Math.abs(x));
  const slope = (step: number): number => (f(x + step) - f(x - step)) / (x + step - (x - step));
  const coarse = slope(h);
  const fine = slope(h / 2);
  return { value: (4 * fine - coarse) / 3, uncertainty: Math.abs(fine - coarse) };
}

export interface GradientCheck {
  /** Nodes whose gradient is checked; those that are not f32 are left out. */
  readonly outputs: readonly Node[];
  /** Input nodes to differentiate by; those that are not f32 are only held fixed. */
  readonly inputs: readonly Node[];
  /** Values of all inputs, by name. */
  readonly values: Readonly<Record<string, HostTensor>>;
  readonly random: SampleSource;
  /** 2 also checks the gradient of the gradient, in inputs and cotangents. Default 1. */
  readonly order?: 1 | 2;
  /** How many elements of each input are checked, drawn at random. Default 12. */
  readonly elements?: number;
}

/**
 * Compares `vjp` with differences; returns a line per disagreement, none if all is well. Both must agree to 1e-6 of the
 * largest derivative of the input, plus three times the uncertainty of the difference, which itself must be small.
 *
 *   checkGradients({ outputs: [y], inputs: [x], values: { x: … }, random: seededRandom(1), order: 2 }); // []
 */
export function checkGradients(check: GradientCheck): string[] {
  const { random, order = 1, elements = 12 } = check;
  const outputs = check.outputs.filter((y) => y.type.dtype === 'f32');
  const wrt = check.inputs.filter((x) => x.type.dtype === 'f32');
  const cotangents = outputs.map((y, i) => input(`cotangent${order}.${i}`, y.type.shape));
  const values = { ...check.values };
  for (const c of cotangents) values[c.name!] = drawCotangent(random, c);

  const gradients = vjp(outputs, cotangents, wrt);
  const analytic = evaluate(gradients, [...check.inputs, ...cotangents], values);
  const forward = graphOf(outputs, check.inputs);
  const loss = (changed: HostTensor, name: string): number => {
    const inputs = { ...check.values, [name]: changed };
    const found = interpretGraph(forward, { inputs }).outputs;
    return outputs.reduce((sum, _, i) => sum + dot(found[`y${i}`]!, values[cotangents[i]!.name!]!), 0);
  };

  const wrong: string[] = [];
  wrt.forEach((x, k) => {
    const at = drawPositions(random, elementCount(x.type.shape), elements);
    const differences = at.map((i) => differenceAt(loss, x.name!, values[x.name!]!, i));
    const scale = Math.max(1, ...differences.map((d) => Math.abs(d.value)));
    differences.forEach((d, j) => {
      const got = analytic[k]!.data[at[j]!]!;
      const off = Math.abs(got - d.value);
      const told = `d/d${describeNode(x)}[${at[j]}]: the rule gives ${got}, differences ${d.value}`;
      if (!(d.uncertainty <= 1e-3 * scale)) wrong.push(`${told} ± ${d.uncertainty}: not smooth here`);
      else if (!(off <= 1e-6 * scale + 3 * d.uncertainty)) wrong.push(`${told} ± ${d.uncertainty}`);
    });
  });
  if (order === 1 || wrong.length > 0) return wrong;
  const inputs = [...check.inputs, ...cotangents];
  return checkGradients({ outputs: gradients, inputs, values, random, order: 1, elements }).map(
    (line) => `second order: ${line}`,
  );
}

/**
 * The dot-product test of forward against backward: ⟨c, J v⟩ = ⟨Jᵀ c, v⟩ for random c and v. Returns both numbers as text
 * where they differ, nothing if they do not.
 */
export function dotProducts({ outputs, inputs, values, random }: GradientCheck): string[] {
  const ys = outputs.filter((y) => y.type.dtype === 'f32');
  const xs = inputs.filter((x) => x.type.dtype === 'f32');
  const drawn: Record<string, HostTensor> = { ...values };
  const directions = (nodes: readonly Node[], prefix: string): Node[] =>
    nodes.map((n, i) => {
      const direction = input(`${prefix}${i}`, n.type.shape);
      drawn[`${prefix}${i}`] = drawCotangent(random, direction);
      return direction;
    });
  const [cs, vs] = [directions(ys, 'cotangent'), directions(xs, 'tangent')];
  const found = evaluate([...jvp(ys, xs, vs), ...vjp(ys, cs, xs)], [...inputs, ...cs, ...vs], drawn);
  const sum = (list: readonly Node[], others: readonly HostTensor[]): number =>
    list.reduce((s, n, i) => s + dot(others[i]!, drawn[n.name!]!), 0);
  const forward = sum(cs, found.slice(0, ys.length));
  const backward = sum(vs, found.slice(ys.length));
  const isEqual = Math.abs(forward - backward) <= 1e-9 * Math.max(1, Math.abs(forward));
  return isEqual ? [] : [`forward ${forward}, backward ${backward}`];
}

/** A graph of one application of an op: inputs `x0`, `x1`, …, output `y`; and its values. */
export function sampleGraph(op: OpDef, sample: Sample): { graph: Graph; inputs: Record<string, HostTensor> } {
  const operands = sample.operands.map((o, i) => input(`x${i}`, o.type.shape, o.type.dtype));
  const y = makeNode(op, operands, sample.attrs, { regions: sample.regions ?? [] });
  const inputs = Object.fromEntries(sample.operands.map((o, i) => [`x${i}`, o]));
  return { graph: makeGraph(op.name, { inputs: operands, outputs: [{ name: 'y', node: y }] }), inputs };
}

function graphOf(outputs: readonly Node[], inputs: readonly Node[]): Graph {
  return makeGraph('gradcheck', { inputs, outputs: outputs.map((node, i) => ({ name: `y${i}`, node })) });
}

function evaluate(
  nodes: readonly Node[],
  inputs: readonly Node[],
  values: Readonly<Record<string, HostTensor>>,
): HostTensor[] {
  const { outputs } = interpretGraph(graphOf(nodes, inputs), { inputs: values });
  return nodes.map((_, i) => outputs[`y${i}`]!);
}

function differenceAt(
  loss: (changed: HostTensor, name: string) => number,
  name: string,
  value: HostTensor,
  at: number,
): Difference {
  return centralDifference((v) => {
    const data = value.data.slice();
    data[at] = v;
    return loss({ type: value.type, data }, name);
  }, value.data[at]!);
}

function dot(a: HostTensor, b: HostTensor): number {
  return a.data.reduce((sum, v, i) => sum + v * b.data[i]!, 0);
}

/** Away from zero, so that no path of the gradient is silenced. */
function drawCotangent(random: SampleSource, node: Node): HostTensor {
  const element = (): number => random.uniform(0.25, 1) * (random.bool() ? 1 : -1);
  return { type: node.type, data: Float64Array.from({ length: elementCount(node.type.shape) }, element) };
}

/** All positions when they are few, else some of them. */
function drawPositions(random: SampleSource, count: number, wanted: number): number[] {
  if (count <= wanted) return Array.from({ length: count }, (_, i) => i);
  const drawn = new Set<number>();
  while (drawn.size < wanted) drawn.add(random.int(0, count - 1));
  return [...drawn];
}
