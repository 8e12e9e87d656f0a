// Differentiation, given graphs of arithmetic alone: the rules of the ops have tests of their own.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { HostTensor, Node, OpDef } from '../../compiler/graph/ir.ts';
import { topologicalOrder } from '../../compiler/graph/order.ts';
import { atLocation, scope } from '../../compiler/graph/scope.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { add, div, mul, sub } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { gt, where } from '../../compiler/ops/compare.ts';
import { constant } from '../../compiler/ops/constant.ts';
import { stopGradient } from '../../compiler/ops/convert.ts';
import { defineOp } from '../../compiler/ops/define.ts';
import { input, ones } from '../../compiler/ops/leaf.ts';
import { floor } from '../../compiler/ops/unary.ts';
import { grad, hvp, jvp, vjp } from '../../compiler/passes/grad.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';
import { errorOf } from '../support/tiny-ops.ts';

/** The op without a gradient, and one whose rule is wrong. */
const opaque: OpDef = defineOp({
  name: 'opaque',
  family: 'test',
  doc: { summary: 'For tests.', formula: 'y = x', types: 'T → T', example: 'opaque(x)' },
  arity: 1,
  type: ([x]) => x!,
  reference: ([x]) => x!.data,
  gradient: { none: 'nobody has written it' },
  lower: 'leaf',
  sample: null,
});
const wrong: OpDef = defineOp({ ...opaque, name: 'wrong', gradient: () => [ones([7])] });
const blocks: OpDef = defineOp({ ...opaque, name: 'blocks', gradient: () => [null] });

const loc = { file: 'model.ts', line: 3, column: 7 };

/** The values of nodes; `given` may name inputs that they do not read. */
function run(nodes: readonly Node[], given: Record<string, number | number[]>): number[][] {
  const outputs = nodes.map((node, i) => ({ name: `y${i}`, node }));
  const graph = makeGraph('g', { outputs });
  const inputs = Object.fromEntries(graph.inputs.map((x) => [x.name!, given[x.name!]!]));
  const values = interpretGraph(graph, { inputs }).outputs;
  return nodes.map((_, i) => [...values[`y${i}`]!.data]);
}

function drawn(nodes: readonly Node[]): Record<string, HostTensor> {
  const random = seededRandom(11);
  const element = (): number => random.uniform(0.5, 2);
  return Object.fromEntries(
    nodes.map((n) => [
      n.name!,
      { type: n.type, data: Float64Array.from({ length: elementCount(n.type.shape) }, element) },
    ]),
  );
}

t.test('a value with several uses gets the sum of what they send', async (t) => {
  const x = input('x', []);
  const y = add(mul(x, x), mul(x, 3)); // x² + 3x
  t.same(run(grad(y, [x]), { x: 5 }), [[13]]);
});

t.test('residual branches and shared values, against differences, to second order', async (t) => {
  const [x, w] = [input('x', [2, 3]), input('w', [3])];
  const h = mul(x, w);
  const residual = add(h, div(h, add(mul(x, x), 1)));
  const gate = where(gt(residual, 1), mul(residual, residual), residual);
  const y = add(gate, mul(sub(residual, w), gate));
  const inputs = [x, w];
  const wrongLines = checkGradients({
    outputs: [y, h],
    inputs,
    values: drawn(inputs),
    random: seededRandom(3),
    order: 2,
  });
  t.same(wrongLines, []);
});

t.test('values on the way can be differentiated by, also together with what they are made of', async (t) => {
  const x = input('x', []);
  const y = mul(x, x);
  const z = mul(y, x); // x³
  t.same(run(grad(z, [x, y]), { x: 2 }), [[12], [2]]);
  t.same(run(grad(z, [z]), { x: 2 }), [[1]]);
});

t.test('only what leads from the values to the loss is visited', async (t) => {
  const [x, w] = [input('x', []), input('w', [])];
  const before = makeNode(opaque, [x]); // has no gradient, and none is wanted
  const [dw] = grad(mul(before, w), [w]);
  t.same(run([dw], { x: 4, w: 1 }), [[4]]);
  t.notOk(topologicalOrder([dw]).includes(w));
});

t.test('an unused value has a gradient of zeros, or is an error', async (t) => {
  const [x, w] = [input('x', [2]), atLocation(loc, () => input('w', [2]))];
  const loss = sum(x);
  t.same(run(grad(loss, [w]), {}), [[0, 0]]);
  t.equal(
    errorOf(() => grad(loss, [w], { unused: 'error' })),
    [
      "HDL0005: the gradient of reduceSum f32[] with respect to 'w' (input f32[2])",
      '  rule: no path of f32 values leads from one to the other, or each has a stopGradient or a derivative of 0',
      '  at:   model.ts:3:7',
      '  try:  take it out of the list, or pass { unused: "zeros" }',
    ].join('\n'),
  );
  t.same(run(grad(sum(makeNode(blocks, [x])), [x]), {}), [[0, 0]], 'a rule may stop the gradient');
  const stairs = div(1, sub(floor(x), floor(x))); // infinite, with an infinite derivative of 1/u
  t.same(run(grad(sum(stairs), [x]), { x: [1, 2] }), [[0, 0]], 'a step function does not multiply by 0');
  t.match(
    errorOf(() => grad(sum(stopGradient(x)), [x], { unused: 'error' })),
    'HDL0005',
  );
});

t.test('the loss is an f32 scalar unless a cotangent is given', async (t) => {
  const x = input('x', [2]);
  const y = mul(x, x);
  const text = errorOf(() => grad(y, [x]));
  t.match(text, 'HDL0005: grad(mul f32[2], …)\n  rule: a loss is one number of type f32[], not f32[2]\n');
  t.match(text, 'try:  use mean or sum to make it a scalar, or pass a cotangent of its type');
  t.match(
    errorOf(() => grad(input('n', [], 'i32'), [x])),
    'not i32[]',
  );
  t.same(run(grad(y, [x], { cotangent: constant([1, 10]) }), { x: [3, 4] }), [[6, 80]]);
  t.match(
    errorOf(() => vjp([y], [ones([3])], [x])),
    'cotangent 0 must be f32[2] as its output is, not f32[3]',
  );
  t.match(
    errorOf(() => vjp([y], [], [x])),
    'each output needs its cotangent: there are 1 and 0',
  );
});

t.test('ops without a gradient and wrong rules are named', async (t) => {
  const x = input('x', []);
  const make = (op: OpDef): Node => scope('block', () => atLocation(loc, () => makeNode(op, [x])));
  t.equal(
    errorOf(() => grad(mul(make(opaque), 2), [x])),
    [
      'HDL0005: the gradient of opaque f32[] in block',
      '  rule: opaque has no gradient: nobody has written it',
      '  at:   model.ts:3:7',
      '  try:  put stopGradient around it, or leave it out of the loss',
    ].join('\n'),
  );
  t.match(
    errorOf(() => grad(make(wrong), [x])),
    "its rule gave f32[7] for operand 0, 'x' (input f32[])",
  );
  const text = errorOf(() => grad(mul(x, 2), [input('n', [], 'i32')]));
  t.match(
    text,
    "HDL0005: the gradient with respect to 'n' (input i32[])\n  rule: only f32 values have gradients, not i32",
  );
});

t.test('backward nodes are labelled by the forward node that they belong to', async (t) => {
  const x = input('x', []);
  const y = scope('dense', () => atLocation(loc, () => mul(x, div(x, 3))));
  const made = topologicalOrder(grad(y, [x])).filter((n) => n.scope.startsWith('grad'));
  const inDense = made.filter((n) => n.scope === 'grad/dense');
  t.ok(inDense.length >= 3);
  for (const n of inDense) t.equal(n.loc, loc);
});

t.test('forward mode and products with the Hessian', async (t) => {
  const [x, w] = [input('x', [2]), input('w', [])];
  const y = mul(mul(x, x), w); // dy = 2xw dx + x² dw
  const tangents = [constant([1, 10]), constant(100)];
  t.same(run(jvp([y, x], [x, w], tangents), { x: [3, 4], w: 2 }), [
    [12 + 900, 160 + 1600],
    [1, 10],
  ]);
  const loss = mul(sum(mul(mul(x, x), x)), w); // H·v: 6xw vx + 3x² vw ;  3x²·vx
  t.same(run(hvp(loss, [x, w], tangents), { x: [3, 4], w: 2 }), [[36 + 2700, 480 + 4800], [27 + 480]]);
});

t.test('a chain of 20,000 nodes', async (t) => {
  const x = input('x', []);
  let y: Node = x;
  atLocation(null, () => {
    for (let i = 0; i < 20000; i++) y = sub(y, x);
  });
  const [dx] = grad(y, [x]);
  t.same(run([dx], { x: 0 }), [[1 - 20000]]);
});

t.test('gradients have the literal types of their values', async (t) => {
  const [x, w] = [input('x', [2, 3]), input('w', [3])];
  const [dx, dw] = grad(sum(mul(x, w)), [x, w]);
  const shapes: readonly [readonly [2, 3], readonly [3]] = [dx.type.shape, dw.type.shape];
  t.same(shapes, [[2, 3], [3]]);
});
