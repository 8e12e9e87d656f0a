// The gradient check itself: right rules pass, wrong rules and kinks do not.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import type { GradientRule, Node, OpDef } from '../../compiler/graph/ir.ts';
import { defineOp } from '../../compiler/ops/define.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { centralDifference, checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';
import { tinyMul } from '../support/tiny-ops.ts';

function unary(f: (x: number) => number, gradient: GradientRule): OpDef {
  return defineOp({
    name: 'tiny_unary',
    family: 'tiny',
    doc: { summary: 'For tests.', formula: 'y = f(x)', types: 'T → T', example: 'f(x)' },
    arity: 1,
    type: ([x]) => x!,
    reference: ([x]) => x!.data.map(f),
    gradient,
    lower: 'leaf',
    sample: null,
  });
}

const product: OpDef = defineOp({
  ...tinyMul,
  name: 'product',
  gradient: ({ operands: [x, y], cotangent: c }) => [makeNode(product, [c, y!]), makeNode(product, [c, x!])],
});
const times = (x: Node, y: Node): Node => makeNode(product, [x, y]);
const sin: OpDef = unary(Math.sin, ({ operands: [x], cotangent }) => [times(cotangent, makeNode(cos, [x!]))]);
const negSin: OpDef = unary(
  (v) => -Math.sin(v),
  ({ operands: [x], cotangent }) => [times(cotangent, makeNode(negCos, [x!]))],
);
const cos: OpDef = unary(Math.cos, ({ operands: [x], cotangent }) => [
  times(cotangent, makeNode(negSin, [x!])),
]);
const negCos: OpDef = unary(
  (v) => -Math.cos(v),
  ({ operands: [x], cotangent }) => [times(cotangent, makeNode(sin, [x!]))],
);

function check(op: OpDef, order: 1 | 2, at = [0.3, -1.2, 2]): string[] {
  const x = input('x', [3]);
  const value = { type: x.type, data: Float64Array.from(at) };
  return checkGradients({
    outputs: [makeNode(op, [x])],
    inputs: [x],
    values: { x: value },
    random: seededRandom(1),
    order,
  });
}

t.test('differences are exact to ten digits for smooth functions', async (t) => {
  const d = centralDifference(Math.exp, 1);
  t.ok(Math.abs(d.value - Math.E) < 1e-10, `${d.value}`);
  t.ok(d.uncertainty < 1e-8, `${d.uncertainty}`);
});

t.test('right rules pass, in first and second order', async (t) => {
  t.same(check(sin, 1), []);
  t.same(check(sin, 2), []);
});

t.test('a wrong rule is found', async (t) => {
  const wrong = unary(Math.sin, ({ operands: [x], cotangent }) => [times(cotangent, makeNode(sin, [x!]))]);
  t.match(check(wrong, 1), [/^d\/d'x' \(input f32\[3\]\)\[0\]: the rule gives .*, differences /]);
});

t.test('a rule that is wrong in second order only is found there', async (t) => {
  const badCos = unary(Math.cos, ({ operands: [x], cotangent }) => [times(cotangent, makeNode(sin, [x!]))]);
  const half = unary(Math.sin, ({ operands: [x], cotangent }) => [times(cotangent, makeNode(badCos, [x!]))]);
  t.same(check(half, 1), []);
  t.match(check(half, 2), [/^second order: /]);
});

t.test('a kink is not mistaken for a wrong rule', async (t) => {
  const sign = unary(Math.sign, ({ cotangent }) => [cotangent]);
  const abs = unary(Math.abs, ({ operands: [x], cotangent }) => [times(cotangent, makeNode(sign, [x!]))]);
  t.same(check(abs, 1), []);
  t.match(check(abs, 1, [1e-5, 1, 1]), [/not smooth here/]);
});
