// Given small graphs, when they are lowered, then these values share these kernels: the outcome of fusion as text.

import t from 'tap';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { differences, graphOf, kernelLines, lower } from '../support/lower-graph.ts';

const show = (graph: Graph): string[] => kernelLines(lower(graph));

t.test('dense, bias and relu are one kernel', async (t) => {
  const x = h.input('x', [32, 48]);
  const w = h.input('w', [48, 64]);
  const b = h.input('b', [64]);
  t.same(show(graphOf({ y: h.relu(h.add(h.matmul(x, w), b)) })), [
    'relu: dotGeneral + select + le + add (x, w, b) → y',
  ]);
});

t.test('an activation and the mask that its gradient needs leave the sum of products together', async (t) => {
  const x = h.input('x', [32, 48]);
  const w = h.input('w', [48, 64]);
  const b = h.input('b', [64]);
  const y = h.relu(h.add(h.matmul(x, w), b));
  const graph = graphOf({ y, dw: grad(h.sum(h.square(y)), [w])[0]! });
  t.same(show(graph), [
    'relu: dotGeneral + select + le + add (x, w, b) → y, grad/relu/select',
    'grad: dotGeneral (x, grad/relu/select) → dw',
  ]);
  t.same(differences(graph), []);
});

t.test('a sum of products that is read much later again runs once', async (t) => {
  const x = h.input('x', [32, 48]);
  const w = h.input('w', [48, 32]);
  const z = h.add(h.matmul(x, w), h.input('b', [32]));
  const scale = h.sum(h.relu(z));
  t.same(show(graphOf({ y: h.mul(z, scale) })), [
    'top: dotGeneral + add (x, w, b) → add',
    'top: reduceSum + select + le (add) → reduceSum',
    'top: mul (add, reduceSum) → y',
  ]);
});

t.test('sums over the same traversal share a kernel', async (t) => {
  const x = h.input('x', [8, 6, 6, 16]);
  const d = h.input('d', [8, 6, 6, 16]);
  const graph = graphOf({ a: h.sum(d, [0, 1, 2]), b: h.sum(h.mul(d, x), [0, 1, 2]) });
  t.same(show(graph), ['top: reduceSum + mul (d, x) → a, b']);
  t.same(differences(graph), []);
});

t.test('momentum and the parameter that it moves share a kernel', async (t) => {
  const g = h.input('g', [40, 40]);
  const w = h.variableNode('w', [40, 40], 'f32', true);
  const v = h.variableNode('v', [40, 40], 'f32', false);
  const next = h.add(h.mul(v, 0.9), g);
  const graph = graphOf({}, [
    { variable: v, value: next },
    { variable: w, value: h.sub(w, h.mul(next, 0.1)) },
  ]);
  t.same(show(graph), ['top: add + mul + sub (v, g, w) → v (next), w (next)']);
  t.same(differences(graph), []);
});

t.test('so do they below the gradient itself', async (t) => {
  const x = h.input('x', [64, 24]);
  const d = h.input('d', [64, 40]);
  const w = h.variableNode('w', [24, 40], 'f32', true);
  const v = h.variableNode('v', [24, 40], 'f32', false);
  const next = h.add(h.mul(v, 0.9), h.matmul(h.transpose(x, [1, 0]), d));
  const graph = graphOf({}, [
    { variable: v, value: next },
    { variable: w, value: h.sub(w, h.mul(next, 0.1)) },
  ]);
  t.same(show(graph), ['top: dotGeneral + add + mul + sub (v, x, d, w) → v (next), w (next)']);
  t.same(differences(graph), []);
});

t.test('padding fuses with its producer', async (t) => {
  const x = h.input('x', [2, 8, 8, 8]);
  const w = h.input('w', [16, 8, 3, 3]);
  const graph = graphOf({ y: h.conv2d(h.relu(x), w, { padding: 1 }) });
  t.same(show(graph), [
    'top: pad + select + le (x) → pad',
    'top: convolution (pack) (w) → w packed',
    'top: convolution (pad, w packed) → y',
  ]);
  t.same(differences(graph), []);
});

t.test('softmax', async (t) => {
  const graph = graphOf({ y: h.softmax(h.input('x', [16, 40]), -1) });
  t.same(show(graph), [
    'softmax: reduceMax (x) → softmax/reduceMax',
    'softmax: exp + sub (x, softmax/reduceMax) → softmax/exp',
    'softmax: reduceSum (softmax/exp) → softmax/reduceSum',
    'softmax: div (softmax/exp, softmax/reduceSum) → y',
  ]);
  t.same(differences(graph), []);
});

t.test('the end of a residual block: sum and relu below the convolution', async (t) => {
  const x = h.input('x', [2, 8, 6, 6]);
  const w = h.input('w', [8, 8, 1, 1]);
  const graph = graphOf({ y: h.relu(h.add(h.conv2d(x, w), x)) });
  t.same(show(graph), ['relu: convolution + select + le + add (x, w) → y']);
  t.same(differences(graph), []);
});

t.test('x · Wᵀ packs W, so that columns lie side by side', async (t) => {
  const x = h.input('x', [32, 24]);
  const w = h.input('w', [40, 24]);
  const graph = graphOf({ y: h.matmul(x, h.transpose(w, [1, 0])) });
  t.same(show(graph), ['top: dotGeneral (pack) (w) → w packed', 'top: dotGeneral (x, w packed) → y']);
  t.same(differences(graph), []);
});

t.test('a bias that is put together of two does not cost the lanes of the sum', async (t) => {
  const x = h.input('x', [32, 24]);
  const w = h.input('w', [24, 64]);
  const b = h.concat([h.input('b1', [30]), h.input('b2', [34])], 0);
  const graph = graphOf({ y: h.add(h.matmul(x, w), b) });
  const lowered = lower(graph);
  t.same(kernelLines(lowered), [
    'top: dotGeneral + add + concat (sums) (x, w) → top: dotGeneral + add + concat (sums)',
    'top: dotGeneral + add + concat (b2, b1, top: dotGeneral + add + concat (sums)) → y',
  ]);
  t.match(lowered.steps[0]!.kernel.schedule, /lanes across d1/);
  t.same(differences(graph), []);
});

t.test('the largest element and its position come from one traversal', async (t) => {
  const x = h.input('x', [16, 10]);
  const graph = graphOf({ most: h.max(x, [1]), at: h.argmax(x, 1) });
  t.same(show(graph), ['top: reduceMax + argMax (x) → most, at']);
  t.same(differences(graph), []);
});

t.test('inference: batch norm and relu leave the convolution, into what the next one reads', async (t) => {
  const x = h.input('x', [2, 8, 6, 6]);
  const [w, v] = [h.input('w', [8, 8, 3, 3]), h.input('v', [8, 8, 3, 3])];
  const [mean, variance] = [h.input('mean', [8]), h.input('variance', [8])];
  const [scale, shift] = [h.input('scale', [8]), h.input('shift', [8])];
  const along = (p: Node<readonly [8], 'f32'>) => h.reshape(p, [1, 8, 1, 1]);
  const factor = h.mul(h.rsqrt(h.add(variance, 1e-5)), scale);
  const normal = h.add(h.mul(h.sub(h.conv2d(x, w), along(mean)), along(factor)), along(shift));
  const graph = graphOf({ y: h.conv2d(h.relu(normal), v, { padding: 1 }) });
  t.same(show(graph), [
    'top: mul + div + sqrt + add (variance, scale) → mul',
    'relu: convolution + select + le + 3 more (x, w, mean, mul, shift) → pad',
    'top: pad (border) () → pad',
    'top: pad (border) () → pad',
    'top: convolution (pack) (v) → v packed',
    'top: convolution (pad, v packed) → y',
  ]);
  t.same(differences(graph), []);
});
