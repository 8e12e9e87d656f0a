// Given nets with convolutions, when they are lowered, then images lie channels-last and weights as HWIO; inputs lie as fed.

import t from 'tap';
import { channelsLast, stridesOf, variableOrder } from '../../compiler/lower/layout.ts';
import * as h from '../../compiler/ops/index.ts';
import { bufferLines, differences, graphOf, lower } from '../support/lower-graph.ts';

t.test('two convolutions with bias and pooling', async (t) => {
  const x = h.input('x', [2, 3, 8, 8]);
  const w1 = h.variableNode('w1', [16, 3, 3, 3], 'f32', true);
  const b1 = h.variableNode('b1', [16], 'f32', true);
  const w2 = h.variableNode('w2', [8, 16, 3, 3], 'f32', true);
  const y1 = h.maxPool2d(h.relu(h.add(h.conv2d(x, w1, { padding: 1 }), h.reshape(b1, [1, 16, 1, 1]))), {
    kernel: 2,
  });
  const graph = graphOf({ y: h.mean(h.conv2d(y1, w2), [2, 3]) });
  t.same(bufferLines(lower(graph)), [
    'x: f32[2, 3, 8, 8] as 0123',
    'w1: f32[16, 3, 3, 3] as 2310',
    'b1: f32[16] as 0',
    'w2: f32[8, 16, 3, 3] as 2310',
    'y: f32[2, 8] as 01',
    'pad: f32[2, 3, 10, 10] as 0231',
    'add: f32[2, 16, 8, 8] as 0231',
    'maxPool2d/reduceWindow: f32[2, 16, 4, 4] as 0231',
    'convolution: f32[2, 8, 2, 2] as 0231',
  ]);
  t.same(differences(graph), []);
});

t.test('dense nets stay row-major', async (t) => {
  const x = h.input('x', [4, 6]);
  const w = h.variableNode('w', [6, 8], 'f32', true);
  t.same(bufferLines(lower(graphOf({ y: h.transpose(h.matmul(x, w), [1, 0]) }))), [
    'x: f32[4, 6] as 01',
    'w: f32[6, 8] as 01',
    'y: f32[8, 4] as 01',
  ]);
});

t.test('few columns of many rows lie one after the other', async (t) => {
  const x = h.input('x', [40, 6]);
  const w = h.variableNode('w', [6, 3], 'f32', true);
  const y = h.softmax(h.matmul(x, w));
  const graph = graphOf({ y, loss: h.mean(h.log(y)) });
  t.same(bufferLines(lower(graph)), [
    'x: f32[40, 6] as 01',
    'w: f32[6, 3] as 01',
    'y: f32[40, 3] as 01',
    'loss: f32[] as ·',
    'dotGeneral: f32[40, 3] as 10',
    'softmax/reduceMax: f32[40] as 0',
    'softmax/exp: f32[40, 3] as 10',
    'softmax/reduceSum: f32[40] as 0',
  ]);
  t.same(differences(graph), []);
  const few = h.softmax(h.matmul(h.input('x', [5, 6]), w));
  t.notOk(
    bufferLines(lower(graphOf({ y: h.mean(few) }))).some((b) => b.includes('10')),
    'five rows are not many',
  );
});

t.test('an output is row-major, also when the value lies otherwise', async (t) => {
  const x = h.input('x', [2, 3, 8, 8]);
  const w = h.variableNode('w', [4, 3, 3, 3], 'f32', true);
  const y = h.conv2d(x, w);
  const graph = graphOf({ y, sum: h.sum(y, [0, 2, 3]) }, [{ variable: w, value: h.mul(w, 2) }]);
  t.same(bufferLines(lower(graph)), [
    'x: f32[2, 3, 8, 8] as 0123',
    'w: f32[4, 3, 3, 3] as 2310',
    'w (next): f32[4, 3, 3, 3] as 2310',
    'y: f32[2, 4, 6, 6] as 0123',
    'sum: f32[4] as 0',
  ]);
  t.same(differences(graph), []);
});

t.test('orders and strides', async (t) => {
  t.same(channelsLast(4), [0, 2, 3, 1]);
  t.same([0, 1, 2, 3, 4, 5].map(variableOrder), [[], [0], [0, 1], [2, 1, 0], [2, 3, 1, 0], [2, 3, 4, 1, 0]]);
  t.same(stridesOf([2, 3, 5, 7], [0, 2, 3, 1]), [105, 1, 21, 3]);
  t.same(stridesOf([], []), []);
});
