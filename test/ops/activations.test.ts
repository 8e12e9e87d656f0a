// Activations and other compositions: values against closed forms, gradients of both orders against differences, and
// behaviour where formulas usually break: kinks, NaN and very large arguments.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { erf } from '../../compiler/ops/erf.ts';
import * as ops from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { evaluate } from '../support/evaluate.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

interface Row {
  readonly f: (x: Node) => Node;
  readonly value: (x: number) => number;
  /** Points without a derivative, and the gradient there. */
  readonly kinks?: readonly (readonly [x: number, gradient: number])[];
  /** Values at very large arguments, when the function is bounded there by more than its argument. */
  readonly positiveOnly?: true;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const hardSigmoid = (x: number): number => Math.min(Math.max(x / 6 + 0.5, 0), 1);
const c = Math.sqrt(2 / Math.PI);

const rows: Readonly<Record<string, Row>> = {
  relu: { f: (x) => ops.relu(x), value: (x) => Math.max(x, 0), kinks: [[0, 0]] },
  relu6: {
    f: (x) => ops.relu6(x),
    value: (x) => Math.min(Math.max(x, 0), 6),
    kinks: [
      [0, 0],
      [6, 0],
    ],
  },
  leakyRelu: { f: (x) => ops.leakyRelu(x, 0.2), value: (x) => (x > 0 ? x : 0.2 * x), kinks: [[0, 0.2]] },
  elu: { f: (x) => ops.elu(x, 0.7), value: (x) => (x > 0 ? x : 0.7 * Math.expm1(x)), kinks: [[0, 0.7]] },
  celu: { f: (x) => ops.celu(x, 2), value: (x) => (x > 0 ? x : 2 * Math.expm1(x / 2)), kinks: [[0, 1]] },
  selu: {
    f: (x) => ops.selu(x),
    value: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  },
  sigmoid: { f: (x) => ops.sigmoid(x), value: sigmoid },
  softplus: { f: (x) => ops.softplus(x), value: softplus },
  logSigmoid: { f: (x) => ops.logSigmoid(x), value: (x) => -softplus(-x) },
  silu: { f: (x) => ops.silu(x), value: (x) => x * sigmoid(x) },
  gelu: { f: (x) => ops.gelu(x), value: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)) },
  'gelu, tanh': {
    f: (x) => ops.gelu(x, 'tanh'),
    value: (x) => 0.5 * x * (1 + Math.tanh(c * (x + 0.044715 * x ** 3))),
  },
  mish: { f: (x) => ops.mish(x), value: (x) => x * Math.tanh(softplus(x)) },
  softsign: { f: (x) => ops.softsign(x), value: (x) => x / (1 + Math.abs(x)), kinks: [[0, 1]] },
  hardSigmoid: {
    f: (x) => ops.hardSigmoid(x),
    value: hardSigmoid,
    kinks: [
      [-3, 0],
      [3, 0],
    ],
  },
  hardSwish: {
    f: (x) => ops.hardSwish(x),
    value: (x) => x * hardSigmoid(x),
    kinks: [
      [-3, 0],
      [3, 1],
    ],
  },
  clip: {
    f: (x) => ops.clip(x, -1, 2),
    value: (x) => Math.min(Math.max(x, -1), 2),
    kinks: [
      [-1, 1],
      [2, 1],
    ],
  },
  square: { f: (x) => ops.square(x), value: (x) => x * x },
  reciprocal: { f: (x) => ops.reciprocal(x), value: (x) => 1 / x, positiveOnly: true },
  rsqrt: { f: (x) => ops.rsqrt(x), value: (x) => 1 / Math.sqrt(x), positiveOnly: true },
  log2: { f: (x) => ops.log2(x), value: Math.log2, positiveOnly: true },
  sinh: { f: (x) => ops.sinh(x), value: Math.sinh },
  cosh: { f: (x) => ops.cosh(x), value: Math.cosh },
  atan: { f: (x) => ops.atan(x), value: Math.atan },
  tan: { f: (x) => ops.tan(x), value: Math.tan },
};

const points = [-5.5, -2.6, -1.3, -0.4, -0.05, 0.07, 0.3, 1.2, 2.7, 4.9];

/** Values and gradients in f32, as training would have them. */
function gradientsAt(f: (x: Node) => Node, at: readonly number[]): { value: number[]; gradient: number[] } {
  const x = ops.input('x', [at.length]);
  const y: Node = f(x);
  const [dx] = grad(ops.sum(y), [x]);
  const graph = makeGraph('g', {
    inputs: [x],
    outputs: [
      { name: 'y', node: y },
      { name: 'dx', node: dx },
    ],
  });
  const { outputs } = interpretGraph(graph, { inputs: { x: at } }, { mode: 'f32' });
  return { value: [...outputs['y']!.data], gradient: [...outputs['dx']!.data] };
}

for (const [name, row] of Object.entries(rows)) {
  t.test(name, async (t) => {
    const at = row.positiveOnly ? points.map((x) => Math.abs(x) + 0.2) : points;
    const x = ops.input('x', [at.length]);
    const y = row.f(x);
    for (const [i, v] of evaluate(y, { x: at }).entries()) {
      const want = row.value(at[i]!);
      t.ok(Math.abs(v - want) <= 1e-14 * (1 + Math.abs(want)), `f(${at[i]}) = ${v}, expected ${want}`);
    }
    const values: Record<string, HostTensor> = { x: { type: x.type, data: Float64Array.from(at) } };
    for (const order of [1, 2] as const) {
      const check = { outputs: [y], inputs: [x], values, random: seededRandom(order), order };
      t.same(checkGradients(check), [], `gradients of order ${order}`);
    }
    for (const [x, gradient] of row.kinks ?? []) {
      const got = gradientsAt(row.f, [x]).gradient[0]!;
      t.ok(Math.abs(got - gradient) < 1e-6, `the gradient at ${x} is ${got}, expected ${gradient}`);
    }
    t.same(evaluate(row.f(ops.constant(Number.NaN))), [Number.NaN], 'NaN passes through');
  });
}

t.test('very large arguments give finite values and gradients', async (t) => {
  const large = [50, 88, 100, 1e4, 1e10, 1e18, 1e30, 3e38];
  const bounded =
    'relu relu6 leakyRelu elu celu selu sigmoid softplus logSigmoid silu gelu mish softsign'.split(' ');
  for (const name of [...bounded, 'gelu, tanh', 'hardSigmoid', 'hardSwish', 'clip']) {
    // selu scales: 3e38 leaves the range.
    const at = large
      .filter((x) => x < 3e38 || (name !== 'selu' && name !== 'hardSwish'))
      .flatMap((x) => [x, -x]);
    const { value, gradient } = gradientsAt(rows[name]!.f, at);
    t.ok(value.every(Number.isFinite), `${name}: ${value}`);
    t.ok(
      gradient.every((v) => Math.abs(v) < 1.2),
      `${name}, gradient: ${gradient}`,
    );
  }
});

t.test('sigmoid keeps its relative precision in f32', async (t) => {
  for (const x of [-80, -40, -20, -5, 5, 20]) {
    const { value, gradient } = gradientsAt((v) => ops.sigmoid(v), [x]);
    t.ok(Math.abs(value[0]! / sigmoid(x) - 1) < 4e-7, `sigmoid(${x}) = ${value[0]}`);
    const slope = Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2;
    t.ok(Math.abs(gradient[0]! / slope - 1) < 1e-6, `sigmoid'(${x}) = ${gradient[0]}, expected ${slope}`);
  }
  t.equal(gradientsAt((v) => ops.sigmoid(v), [0]).gradient[0], 0.25);
  t.equal(gradientsAt((v) => ops.softplus(v), [0]).gradient[0], 0.5);
});

t.test('arc sine and arc cosine', async (t) => {
  const at = [-1, -0.9, -0.3, 0, 1e-4, 0.5, 0.999, 1];
  const near = (got: number[], f: (x: number) => number): boolean =>
    got.every((v, i) => Math.abs(v - f(at[i]!)) < 1e-14 * (1 + Math.abs(v)));
  t.ok(near(evaluate(ops.asin(ops.constant(at))), Math.asin));
  t.ok(near(evaluate(ops.acos(ops.constant(at))), Math.acos));
  const { gradient } = gradientsAt((x) => ops.asin(x), [0, 0.5]);
  t.ok(Math.abs(gradient[1]! - 2 / Math.sqrt(3)) < 1e-6, `asin'(0.5) = ${gradient[1]}`);
});

t.test('prelu learns its slope', async (t) => {
  const slope = ops.constant([0.25, 0.5]);
  t.same(
    evaluate(
      ops.prelu(
        ops.constant([
          [-4, -4],
          [3, 0],
        ]),
        slope,
      ),
    ),
    [-1, -2, 3, 0],
  );
  t.same(gradientsAt((x) => ops.prelu(x, slope), [-1, 2]).gradient, [0.25, 1]);
  t.same(gradientsAt((s) => ops.prelu(ops.constant([-4, 3]), s), [1, 1]).gradient, [-4, 0]);
});

t.test('powers are safe to differentiate where calculus is', async (t) => {
  const at = [-2, 0, 3];
  t.same(gradientsAt((x) => ops.pow(x, 2), at).gradient, [-4, 0, 6]);
  t.same(gradientsAt((x) => ops.pow(x, 3), at).gradient, [12, 0, 27]);
  t.same(gradientsAt((x) => ops.pow(x, 1), at).gradient, [1, 1, 1]);
  t.same(gradientsAt((x) => ops.pow(x, 0), at).gradient, [0, 0, 0]);
  const exponent = ops.constant([2, 0, 1]);
  t.same(gradientsAt((x) => ops.pow(x, exponent), at).gradient, [-4, 0, 1], 'exponents in a tensor');
  t.same(gradientsAt((y) => ops.pow(ops.constant([-1, 0, 1]), y), [2, 3, 4]).gradient, [0, 0, 0], 'd/dy');
  const second = (x: Node): Node => grad(ops.sum(ops.pow(x, ops.constant([2, 2, 2]))), [x])[0];
  t.same(gradientsAt(second, at).gradient, [2, 2, 2], 'second derivative of x²');
});

t.test('ties of minimum and maximum share the gradient', async (t) => {
  const other = ops.constant([1, 2, 3]);
  t.same(gradientsAt((x) => ops.maximum(x, other), [2, 2, 2]).gradient, [1, 0.5, 0]);
  t.same(gradientsAt((x) => ops.minimum(x, other), [2, 2, 2]).gradient, [0, 0.5, 1]);
  t.same(gradientsAt((x) => ops.maximum(x, x), [2, -2, 0]).gradient, [1, 1, 1]);
});
