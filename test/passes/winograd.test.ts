// Convolutions by fewer products: the same values up to rounding, half of the products, and only where that is faster.

import t from 'tap';
import { flopsOf } from '../../compiler/graph/flops.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { mul, sub } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { conv2d } from '../../compiler/ops/contract.ts';
import { type ConvolutionAttrs, convolution } from '../../compiler/ops/convolution.ts';
import { input, variableNode } from '../../compiler/ops/leaf.ts';
import { reverse } from '../../compiler/ops/shape.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { winograd, winogradWhere } from '../../compiler/passes/winograd.ts';
import { fitsWeights } from '../../compiler/passes/winograd-weights.ts';
import { graphOf, mismatches } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const seed = 23;
const always = winogradWhere(() => true);

function draw(random: ReturnType<typeof seededRandom>, shape: readonly number[]): Float64Array {
  return Float64Array.from({ length: elementCount(shape) }, () => random.uniform(-1, 1));
}

const products = (graph: Graph): number =>
  graph.nodes.reduce((n, node) => n + (node.op.name === 'convolution' ? flopsOf(node) : 0), 0);

t.test('four outputs take six products instead of twelve', async (t) => {
  const x = input('x', [1, 16, 12, 16]);
  const before = graphOf(conv2d(x, variableNode('w', [16, 16, 3, 3], 'f32', true), { padding: 1 }));
  const after = winograd.run(before);
  t.equal(products(after), products(before) / 2);
  t.equal(after.nodes.filter((n) => n.op.name === 'convolution').length, 6);
});

t.test('filters that are trained, fed or turned', async (t) => {
  const x = input('x', [1, 16, 12, 16]);
  const w = variableNode('w', [16, 16, 3, 3], 'f32', true);
  const y = conv2d(x, w, { padding: 1 });
  const halved = (graph: Graph, name: string): void => {
    t.equal(products(winograd.run(graph)), products(graph) / 2, name);
  };
  halved(
    makeGraph('g', { outputs: [{ name: 'y', node: y }], updates: [{ variable: w, value: sub(w, 1) }] }),
    'trained',
  );
  halved(graphOf(conv2d(x, input('w', [16, 16, 3, 3]), { padding: 1 })), 'fed');
  halved(graphOf(conv2d(x, reverse(w, [2, 3]), { padding: 1 })), 'turned');
  const before = graphOf(grad(sum(mul(y, y)), [x])[0]!);
  const after = winograd.run(before);
  t.equal(products(after), products(before) / 2, 'in a gradient to its input');
});

t.test('gradients to the weights take half of the products, too', async (t) => {
  const x = input('x', [16, 16, 12, 16]);
  const w = variableNode('w', [16, 16, 3, 3], 'f32', true);
  const y = conv2d(x, w, { padding: 1 });
  const before = graphOf(grad(sum(mul(y, input('e', y.type.shape))), [w])[0]!);
  t.equal(products(winograd.run(before)), products(before) / 2);
});

t.test('what would not be faster, or has other taps, stays', async (t) => {
  const w = (taps: readonly number[], channels: number): Node<readonly number[], 'f32'> =>
    variableNode('w', [16, channels, ...taps], 'f32', true);
  const stays = (name: string, graph: Graph): void => {
    t.equal(winograd.run(graph), graph, name);
  };
  const image = (channels: number): Node<readonly number[], 'f32'> => input('x', [1, channels, 32, 32]);
  stays('three channels', graphOf(conv2d(image(3), w([3, 3], 3), { padding: 1 })));
  stays('a stride', graphOf(conv2d(image(16), w([3, 3], 16), { padding: 1, strides: 2 })));
  stays('five taps', graphOf(conv2d(image(16), w([5, 5], 16), { padding: 2 })));
  stays('a dilation', graphOf(conv2d(image(16), w([3, 3], 16), { padding: 2, dilation: 2 })));
  stays('two columns', graphOf(conv2d(input('x', [1, 16, 64, 2]), w([3, 3], 16), { padding: 1 })));
});

t.test(`values stay for any width, padding, stride, dilation and groups, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  let rewritten = 0;
  for (let i = 0; i < 80; i++) {
    const groups = random.pick([1, 2]);
    const rank = random.pick([1, 2, 3]);
    const outer = Array.from({ length: rank - 1 }, () => random.int(1, 4));
    const shape = [
      random.int(1, 2),
      2 * groups,
      ...outer.map((k) => k + random.int(0, 3)),
      random.int(3, 11),
    ];
    const taps = [2 * groups, 2, ...outer.map(() => random.int(1, 3)), 3];
    const attrs: ConvolutionAttrs = {
      strides: [...outer.map(() => random.int(1, 2)), 1],
      padLo: [...outer.map(() => random.int(0, 2)), random.int(-1, 3)],
      padHi: [...outer.map(() => random.int(0, 2)), random.int(-1, 3)],
      dilation: [...outer.map(() => random.int(1, 2)), 1],
      inputDilation: [...outer, 1].map(() => 1),
      groups,
    };
    const fits = attrs.padLo.every((lo, d) => {
      const reach = (taps[2 + d]! - 1) * attrs.dilation[d]! + 1;
      return shape[2 + d]! + lo + attrs.padHi[d]! >= reach;
    });
    if (!fits) continue;
    const before = graphOf(convolution(input('x', shape), variableNode('w', taps, 'f32', true), attrs));
    const after = always.run(before);
    t.not(after, before, 'it is rewritten');
    rewritten++;
    t.same(after.outputs[0]!.node.type, before.outputs[0]!.node.type);
    const values = { inputs: { x: draw(random, shape) }, variables: { w: draw(random, taps) } };
    t.same(mismatches(before, after, values, 1e-12).slice(0, 2), [], JSON.stringify({ shape, taps, attrs }));
  }
  t.ok(rewritten >= 50, `${rewritten} convolutions were rewritten`);
});

t.test(
  `gradients to weights stay for any width, padding, stride, dilation and groups, seed ${seed}`,
  async (t) => {
    const random = seededRandom(seed);
    let rewritten = 0;
    for (let i = 0; i < 60; i++) {
      const groups = random.pick([1, 1, 2]);
      const rank = random.pick([1, 2, 2, 3]);
      const sizes = Array.from({ length: rank - 1 }, () => random.int(3, 5));
      const width = random.int(8, 17);
      const [padLo, padHi] = [random.int(-1, 2), random.int(-1, 2)];
      const attrs: ConvolutionAttrs = {
        strides: [...sizes.map(() => random.int(1, 2)), 1],
        padLo: [...sizes.map(() => random.int(0, 1)), padLo],
        padHi: [...sizes.map(() => random.int(0, 1)), padHi],
        dilation: [...sizes.map(() => 1), 1],
        inputDilation: [...sizes, 1].map(() => 1),
        groups,
      };
      const shape = [random.int(1, 3), 2 * groups, ...sizes, width - padLo - padHi];
      const taps = [groups * random.int(1, 2), 2, ...sizes.map(() => random.int(1, 3)), 3];
      const x = input('x', shape);
      const w = variableNode('w', taps, 'f32', true);
      const y = convolution(x, w, attrs);
      const before = graphOf(grad(sum(mul(y, input('e', y.type.shape))), [w])[0]!);
      const weights = before.nodes.some((n) => n.op.name === 'convolution' && fitsWeights(n));
      const after = always.run(before);
      if (weights) rewritten++;
      t.equal(
        after !== before,
        before.nodes.some(
          (n) =>
            n.op.name === 'convolution' &&
            n.type.shape.at(-1) === 3 &&
            n.operands[1]!.type.shape.at(-1)! >= 8,
        ),
        'wide enough',
      );
      t.same(after.outputs[0]!.node.type, before.outputs[0]!.node.type);
      const values = {
        inputs: { x: draw(random, shape), e: draw(random, y.type.shape) },
        variables: { w: draw(random, taps) },
      };
      t.same(
        mismatches(before, after, values, 1e-12).slice(0, 2),
        [],
        JSON.stringify({ shape, taps, attrs }),
      );
    }
    t.ok(rewritten >= 40, `${rewritten} gradients were rewritten`);
  },
);

t.test('what does not stay near lies apart, with the same values', async (t) => {
  const random = seededRandom(seed);
  const counts = [2, 8].map((batch) => {
    const shape = [batch, 4, 40, 44];
    const attrs = {
      strides: [1, 1],
      padLo: [1, 1],
      padHi: [1, 1],
      dilation: [1, 1],
      inputDilation: [1, 1],
      groups: 1,
    };
    const w = variableNode('w', [4, 4, 3, 3], 'f32', true);
    const before = graphOf(convolution(input('x', shape), w, attrs));
    const after = always.run(before);
    const values = { inputs: { x: draw(random, shape) }, variables: { w: draw(random, [4, 4, 3, 3]) } };
    t.same(mismatches(before, after, values, 1e-12).slice(0, 2), [], `${batch} pictures`);
    return after.nodes.filter((n) => n.op.name === 'concat').length;
  });
  t.same(counts, [4, 3], 'sums of inputs are one value, or six');
});
