// Pools and window ops: values by hand, ties, NaN and padding, gradients, and the texts of errors.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import {
  avgPool2d,
  constant,
  full,
  globalAvgPool,
  input,
  maxPool1d,
  maxPool2d,
  mul,
  sum,
} from '../../compiler/ops/index.ts';
import { reduceWindow } from '../../compiler/ops/window.ts';
import type { WindowAttrs } from '../../compiler/ops/window-attrs.ts';
import { windowArgmax, windowGather, windowScatter } from '../../compiler/ops/window-choice.ts';
import { vjp } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

const f32 = (values: readonly number[], shape: readonly number[]): Node => constant(values, shape, 'f32');
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Gradient of Σ f(x). */
function gradientAt(f: (x: Node) => Node, values: number[], shape: number[]): number[] {
  const x = input('x', shape) as Node;
  const [dx] = vjp([sum(f(x))], [full([], 1)], [x]);
  const graph = makeGraph('gradient', { inputs: [x], outputs: [{ name: 'dx', node: dx! }] });
  return [...interpretGraph(graph, { inputs: { x: values } }).outputs['dx']!.data];
}

const square = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3];

t.test('pools', async (t) => {
  const x = f32(square, [1, 1, 4, 4]);
  t.same(evaluate(maxPool2d(x, { kernel: 2 })), [9, 6, 9, 9]);
  t.same(evaluate(maxPool2d(x, { kernel: [1, 4] })), [4, 9, 8, 9]);
  t.same(evaluate(maxPool2d(x, { kernel: 2, dilation: 2, strides: 1 })), [5, 8, 9, 9]);
  t.same(evaluate(avgPool2d(x, { kernel: 2 })), [4.5, 3.25, 6, 6.25]);
  t.same(evaluate(globalAvgPool(x)), [5]);
  t.same(maxPool2d(x, { kernel: 3, strides: 2, padding: 'same' }).type.shape, [1, 1, 2, 2]);
  t.same(evaluate(maxPool1d(f32([1, 3, 2], [1, 1, 3]), { kernel: 2, strides: 1 })), [3, 3]);
});

t.test('padding: −∞ for max, counted or not in a mean', async (t) => {
  const x = f32([-1, -2, -3, -4], [1, 1, 2, 2]);
  t.same(evaluate(maxPool2d(x, { kernel: 2, padding: 1 })), [-1, -2, -3, -4]);
  t.same(evaluate(avgPool2d(x, { kernel: 2, padding: 1 })), [-0.25, -0.5, -0.75, -1]);
  t.same(evaluate(avgPool2d(x, { kernel: 2, padding: 1, countIncludePad: false })), [-1, -2, -3, -4]);
});

t.test('NaN goes through and is chosen', async (t) => {
  const values = [1, nan, inf, 2];
  t.same(evaluate(maxPool1d(f32(values, [1, 1, 4]), { kernel: 2 })), [nan, inf]);
  const attrs: WindowAttrs = { window: [4], strides: [4], padLo: [0], padHi: [0], dilation: [1] };
  t.same(evaluate(windowArgmax(f32(values, [4]), attrs)), [1]);
  t.same(evaluate(reduceWindow(f32(values, [4]), 'min', attrs)), [nan]);
});

t.test('ties go to the first in row-major order', async (t) => {
  t.same(
    gradientAt((x) => maxPool2d(x, { kernel: 2 }), [1, 7, 7, 7], [1, 1, 2, 2]),
    [0, 1, 0, 0],
  );
  t.same(
    gradientAt((x) => maxPool2d(x, { kernel: 2, strides: 1 }), [1, 1, 1, 1, 9, 1, 1, 1, 1], [1, 1, 3, 3]),
    [0, 0, 0, 0, 4, 0, 0, 0, 0],
    'overlapping windows add up',
  );
  const min: WindowAttrs = { window: [3], strides: [1], padLo: [0], padHi: [0], dilation: [1] };
  t.same(
    gradientAt((x) => reduceWindow(x, 'min', min), [2, 1, 1, 5], [4]),
    [0, 2, 0, 0],
  );
});

t.test('scatter is the transpose of gather', async (t) => {
  const attrs: WindowAttrs = {
    window: [2, 2],
    strides: [1, 2],
    padLo: [0, 1],
    padHi: [1, 0],
    dilation: [1, 1],
  };
  const index = constant([0, 3, 2, 1, 1, 3], [3, 2], 'i32');
  const d = f32([1, 2, 3, 4, 5, 6], [3, 2]);
  const x = f32([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
  t.same(evaluate(windowGather(x, index, attrs)), [0, 6, 0, 6, 7, 0]);
  t.same(evaluate(windowScatter(d, index, [3, 3], attrs)), [0, 0, 0, 0, 0, 6, 5, 0, 0]);
  // ⟨gather(x), d⟩ = ⟨x, scatter(d)⟩
  const left = evaluate(sum(mul(windowGather(x, index, attrs), d)));
  const right = evaluate(sum(mul(x, windowScatter(d, index, [3, 3], attrs))));
  t.same(left, right);
});

t.test('gradients to second order', async (t) => {
  const x = input('x', [1, 2, 5, 5]) as Node;
  // All different, neighbours far apart: no ties within a step.
  const data = Float64Array.from({ length: 50 }, (_, i) => ((i * 37) % 50) / 10 - 2.5);
  const values = { x: { type: x.type, data } };
  const outputs = [
    maxPool2d(mul(x, x), { kernel: 3, strides: 2, padding: 1 }),
    avgPool2d(mul(x, x), { kernel: 3, strides: 2, padding: 1, countIncludePad: false }),
    avgPool2d(mul(x, x), { kernel: 2, strides: 3, dilation: 2 }),
    globalAvgPool(mul(x, x)),
  ];
  const random = seededRandom(3);
  for (const [i, y] of outputs.entries()) {
    t.same(
      checkGradients({ outputs: [y], inputs: [x], values, random, order: 2, elements: 8 }),
      [],
      `output ${i}`,
    );
  }
});

t.test('errors', async (t) => {
  t.equal(
    errorOf(() => maxPool2d(input('x', [1, 1, 3, 3]), { kernel: 4 })),
    'HDL0001: reduceWindow(\'x\' (input f32[1, 1, 3, 3]), monoid: "max", window: [1, 1, 4, 4], strides: [1, 1, 4, 4], padLo: [0, 0, 0, 0], padHi: [0, 0, 0, 0], dilation: [1, 1, 1, 1]): the window reaches over 4 elements, but dimension 2 has 3 with its padding (pad more, or use a smaller or less dilated window)',
  );
  t.equal(
    errorOf(() => maxPool2d(input('x', [1, 1, 8, 8]), { kernel: 2, padding: 2 })),
    "HDL0003: maxPool2d('x' (input f32[1, 1, 8, 8]), padding: 2): padding [2, 2] of spatial dimension 0 is as wide as the window, which reaches over 2: some windows would hold padding alone (pad less than the window reaches over)",
  );
  t.equal(
    errorOf(() => maxPool2d(input('x', [8, 8]) as Node, { kernel: 2 })),
    "HDL0001: maxPool2d('x' (input f32[8, 8])): x has 2 dimensions, maxPool2d takes 4 (x is [N, C, H, W]: reshape it, or give it the missing dimensions of 1 by expandDims)",
  );
});
