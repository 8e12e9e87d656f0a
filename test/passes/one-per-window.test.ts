// The gradient of pooling in sums and in gradients to weights: one product in each window, and values stay, in the graph and
// in kernels, on one lane and on four.

import t from 'tap';
import { elementCount } from '../../compiler/graph/types.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { onePerWindow } from '../../compiler/passes/one-per-window.ts';
import * as kernels from '../support/lower-graph.ts';
import { graphOf, mismatches } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const seed = 12;

/** Gradients to the weights and the bias of a convolution below a pool. */
function gradients(
  x: readonly number[],
  w: readonly number[],
  pool: Parameters<typeof h.maxPool2d>[1],
  padding: readonly [number, number] = [0, 0],
) {
  const [picture, weights] = [h.input('x', x), h.input('w', w)];
  const bias = h.input('b', [1, w[0]!, 1, 1]);
  const y = h.maxPool2d(h.add(h.conv2d(h.exp(picture), weights, { padding }), bias), pool);
  return grad(h.sum(h.mul(y, y)), [weights, bias]);
}

const ops = (graph: ReturnType<typeof graphOf>, name: string): number =>
  graph.nodes.filter((n) => n.op.name === name).length;

t.test('nothing reads the spread gradient any more', async (t) => {
  const before = graphOf(...gradients([2, 2, 10, 10], [4, 2, 3, 3], { kernel: 2 }));
  const after = onePerWindow.run(before);
  t.same(
    [ops(before, 'windowScatter'), ops(before, 'convolution'), ops(before, 'windowConvolution')],
    [1, 2, 0],
  );
  t.same(
    [ops(after, 'windowScatter'), ops(after, 'convolution'), ops(after, 'windowConvolution')],
    [0, 1, 1],
  );
});

t.test('windows that overlap, leave gaps or a rest, or are padded stay', async (t) => {
  for (const pool of [
    { kernel: 3, strides: 2 },
    { kernel: 2, strides: 3 },
    { kernel: 3 },
    { kernel: 2, padding: 1 },
  ] as const) {
    const before = graphOf(...gradients([2, 2, 10, 10], [4, 2, 3, 3], pool));
    t.equal(ops(onePerWindow.run(before), 'windowConvolution'), 0, JSON.stringify(pool));
  }
});

t.test('without neighbours for lanes nothing changes', async (t) => {
  const before = graphOf(...gradients([2, 1, 10, 10], [4, 1, 3, 3], { kernel: 2 }));
  t.equal(ops(onePerWindow.run(before), 'windowConvolution'), 0);
});

t.test(`values stay, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  for (let i = 0; i < 20; i++) {
    const [k, l] = [random.int(1, 3), random.int(2, 3)];
    const taps = [random.int(1, 5), random.int(1, 5)] as const;
    const [n, c, o] = [random.int(1, 9), random.int(4, 7), random.int(1, 6)];
    const padding = [random.int(0, (taps[0] - 1) >> 1), random.int(0, (taps[1] - 1) >> 1)] as const;
    const size = (k: number, d: 0 | 1): number => k * random.int(1, 4) + taps[d] - 1 - 2 * padding[d];
    const x = [n, c, size(k, 0), size(l, 1)];
    const before = graphOf(...gradients(x, [o, c, ...taps], { kernel: [k, l] }, padding));
    const what = `${x.join(' × ')}, ${o} filters of ${taps.join(' × ')}, windows of ${k} × ${l}`;
    t.equal(ops(onePerWindow.run(before), 'windowConvolution'), 1, what);
    const leaves = Object.fromEntries(
      before.inputs.map((v) => [
        v.name!,
        Float64Array.from({ length: elementCount(v.type.shape) }, () => random.uniform(-1, 1)),
      ]),
    );
    t.same(mismatches(before, onePerWindow.run(before), { inputs: leaves }, 1e-12), []);
    t.same(kernels.differences(before, kernels.leavesOf(before), 1e-4), [], 'kernels');
  }
});
