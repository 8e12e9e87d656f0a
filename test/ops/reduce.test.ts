// Reductions and what is made of them: values by hand, NaN and infinities, ties, and gradients where elements are zero.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import {
  all,
  any,
  argmax,
  argmin,
  constant,
  full,
  input,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  prod,
  softmax,
  sum,
  variance,
} from '../../compiler/ops/index.ts';
import { vjp } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';

const f32 = (values: number[], shape: number[] = [values.length]): Node => constant(values, shape, 'f32');
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Gradient of Σ f(x) at some values. */
function gradientAt(f: (x: Node) => Node, values: number[], shape: number[] = [values.length]): number[] {
  const x = input('x', shape) as Node;
  const y = sum(f(x));
  const [dx] = vjp([y], [full([], 1)], [x]);
  const graph = makeGraph('gradient', { inputs: [x], outputs: [{ name: 'dx', node: dx! }] });
  return [...interpretGraph(graph, { inputs: { x: values } }).outputs['dx']!.data];
}

t.test('extremes, products, any and all', async (t) => {
  const x = f32([3, -1, 2, 5, 0, 4], [2, 3]);
  t.same(evaluate(max(x, 1)), [3, 5]);
  t.same(evaluate(min(x, 0)), [3, -1, 2]);
  t.same(evaluate(prod(x, 1)), [-6, 0]);
  t.same(max(x, 1, { keepDims: true }).type.shape, [2, 1]);
  const m = constant([1, 0, 1, 1], [2, 2], 'bool');
  t.same(evaluate(any(m, 0)), [1, 1]);
  t.same(evaluate(all(m, 0)), [1, 0]);
  t.same(evaluate(max(full([0, 2], 1), 0)), [-inf, -inf], 'of no elements');
  t.same(evaluate(prod(full([0, 2], 1), 0)), [1, 1]);
});

t.test('NaN goes through', async (t) => {
  t.same(evaluate(max(f32([1, nan, inf]))), [nan]);
  t.same(evaluate(min(f32([1, nan, -inf]))), [nan]);
});

t.test('positions: the first of equals, NaN before all', async (t) => {
  t.same(evaluate(argmax(f32([1, 3, 3, 2]))), [1]);
  t.same(evaluate(argmin(f32([2, 1, 3, 1]))), [1]);
  t.same(evaluate(argmax(f32([1, nan, inf, nan]))), [1]);
  t.same(evaluate(argmin(f32([1, -inf, nan]))), [2]);
  t.same(evaluate(argmin(constant([5, -2147483648, 2147483647], [3], 'i32'))), [1]);
  t.same(evaluate(argmin(constant([5, 0, 4294967295], [3], 'u32'))), [1]);
  t.same(evaluate(argmax(f32([1, 2, 4, 3], [2, 2]), 0)), [1, 1]);
  t.equal(
    errorOf(() => argmax(input('x', [3, 0]), 1)),
    "HDL0001: argMax('x' (input f32[3, 0]), axis: 1): axis 1 has no elements to choose from (search a non-empty axis)",
  );
});

t.test('equal extremes share the gradient', async (t) => {
  t.same(
    gradientAt((x) => max(x), [1, 4, 4, 2]),
    [0, 0.5, 0.5, 0],
  );
  t.same(
    gradientAt((x) => min(x, 1), [1, 2, 3, 3], [2, 2]),
    [1, 0, 0.5, 0.5],
  );
});

t.test('the gradient of a product is right at zeros', async (t) => {
  t.same(
    gradientAt((x) => prod(x), [2, 3, 4, 5, 6]),
    [360, 240, 180, 144, 120],
  );
  t.same(
    gradientAt((x) => prod(x), [2, 0, 4]),
    [0, 8, 0],
  );
  t.same(
    gradientAt((x) => prod(x), [0, 3, 0]),
    [0, 0, 0],
  );
  t.same(
    gradientAt((x) => prod(x, [0, 2]), [1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]),
    [60, 30, 4 * 7 * 8, 3 * 7 * 8, 12, 10, 3 * 4 * 8, 3 * 4 * 7],
  );
});

t.test('mean and variance', async (t) => {
  const x = f32([1, 2, 3, 6]);
  t.same(evaluate(mean(x)), [3]);
  t.same(evaluate(variance(x)), [3.5]);
  t.same(evaluate(variance(x, 0, { ddof: 1 })), [14 / 3]);
  // E[x²] − E[x]² would lose all digits here, even in float64.
  t.same(evaluate(variance(f32([2 ** 23, 2 ** 23 + 1, 2 ** 23 + 2]))), [2 / 3]);
  t.equal(
    errorOf(() => variance(input('x', [1, 8]), 0, { ddof: 1 })),
    "HDL0003: variance('x' (input f32[1, 8]), ddof: 1): 1 elements less ddof 1 leave nothing to divide by (reduce over more elements, or leave ddof out)",
  );
  t.equal(
    errorOf(() => mean(input('labels', [4], 'i32') as Node)),
    "HDL0002: mean('labels' (input i32[4])): mean computes with f32, not i32 (convert it: cast(x, 'f32'))",
  );
});

t.test('softmax and its kin do not overflow', async (t) => {
  const near = (found: number[], wanted: number[]): void => {
    for (const [i, v] of wanted.entries())
      t.ok(Object.is(found[i], v) || Math.abs(found[i]! - v) < 1e-12, `${found[i]} is ${v}`);
  };
  const e = Math.E;
  near(evaluate(softmax(f32([1000, 1001, -inf]))), [1 / (1 + e), e / (1 + e), 0]);
  near(evaluate(logSoftmax(f32([-1000, 0]))), [-1000, 0]);
  near(evaluate(logSumExp(f32([1000, 1000]))), [1000 + Math.LN2]);
  near(evaluate(logSumExp(f32([-inf, -inf]))), [-inf]);
  near(evaluate(logSumExp(f32([inf, 1]))), [inf]);
  t.same(logSumExp(f32([1, 2, 3, 4], [2, 2]), 1, { keepDims: true }).type.shape, [2, 1]);
  near(
    gradientAt((x) => logSumExp(x), [0, Math.log(3)]),
    [0.25, 0.75],
  );
  t.equal(softmax(input('x', [3])).scope, 'softmax', 'a scope of its own name');
});
