// Given small graphs, when they are lowered, then these values get buffers and those are computed where they are read.

import t from 'tap';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { differences, graphOf, kernelLines, lower } from '../support/lower-graph.ts';

const show = (graph: Graph): string[] => kernelLines(lower(graph));

t.test('a cheap value of one other is computed by each consumer; an expensive one is stored', async (t) => {
  const x = h.input('x', [32, 32]);
  const readers = (v: Node<readonly [32, 32], 'f32'>): Graph =>
    graphOf({ a: h.sum(v, [1]), b: h.sum(h.square(v), [0]), c: h.transpose(v, [1, 0]) });
  t.same(
    show(readers(h.neg(x))),
    ['top: reduceSum + neg (x) → a', 'top: reduceSum + mul (x) → b', 'top: neg (x) → c'],
    'neg',
  );
  t.same(
    show(readers(h.exp(x))),
    [
      'top: exp (x) → exp',
      'top: reduceSum (exp) → a',
      'top: reduceSum + mul (exp) → b',
      'top: copy (exp) → c',
    ],
    'exp',
  );
  for (const f of [h.neg, h.exp]) t.same(differences(readers(f(x))), []);
});

t.test('an expensive value that a broadcast repeats is stored', async (t) => {
  const x = h.input('x', [32]);
  const y = h.input('y', [64, 32]);
  t.same(show(graphOf({ z: h.mul(y, h.exp(x)) })), ['top: exp (x) → exp', 'top: mul (y, exp) → z']);
  t.same(show(graphOf({ z: h.mul(y, h.neg(x)) })), ['top: mul + neg (y, x) → z'], 'a cheap one is not');
});

t.test('what a contraction multiplies lies in memory', async (t) => {
  const x = h.input('x', [32, 32]);
  const w = h.input('w', [32, 32]);
  t.same(show(graphOf({ y: h.matmul(h.relu(x), w) })), [
    'relu: select + le (x) → relu/select',
    'top: dotGeneral (relu/select, w) → y',
  ]);
});

t.test('reductions over the same traversal share a kernel, also below different arithmetic', async (t) => {
  const x = h.input('x', [16, 24]);
  const graph = graphOf({ y: h.add(h.sum(x, [1]), h.max(h.exp(x), [1])) });
  t.same(show(graph), ['top: reduceSum + reduceMax + add + exp (x) → y']);
  t.same(differences(graph), []);
});

t.test('a kernel holds the reductions of one traversal', async (t) => {
  const x = h.input('x', [16, 24]);
  const y = h.input('y', [24, 16]);
  const graph = graphOf({ y: h.add(h.sum(x, [1]), h.max(h.exp(y), [0])) });
  t.same(show(graph), ['top: reduceSum (x) → reduceSum', 'top: reduceMax + add + exp (reduceSum, y) → y']);
  t.same(differences(graph), []);
});

t.test('a reduction that is read in place and transposed is stored between', async (t) => {
  const x = h.input('x', [12, 12]);
  const w = h.input('w', [12, 12]);
  const m = h.mul(h.matmul(x, w), 2);
  const graph = graphOf({ y: h.add(m, h.transpose(m, [1, 0])) });
  t.same(show(graph), ['top: dotGeneral + mul (x, w) → mul', 'top: add (mul) → y']);
  t.same(differences(graph), []);
});

t.test('a kernel reads sixteen values at most', async (t) => {
  const inputs = Array.from({ length: 40 }, (_, i) => h.input(`x${i}`, [64]));
  const graph = graphOf({ y: inputs.reduce((a, b) => h.add(a, h.exp(b))) });
  const { steps } = lower(graph);
  t.same(
    steps.map((s) => s.kernel.params.filter((p) => p.access === 'read').length),
    [16, 16, 10],
  );
  t.same(differences(graph), []);
});

t.test('shared work counts once: forty squares in a row are one kernel', async (t) => {
  let y: Node<readonly [64], 'f32'> = h.input('x', [64]);
  for (let i = 0; i < 40; i++) y = h.mul(y, y);
  t.same(show(graphOf({ y, z: h.add(y, 1) })), ['top: mul + add (x) → y, z']);
});

t.test('what is joined or padded is stored before positions are looked up in it', async (t) => {
  const a = h.input('a', [2, 3]);
  const index = h.input('index', [4], 'i32');
  const joined = graphOf({ y: h.gather(h.exp(h.concat([a, a, h.neg(a)], 0)), index, 0) });
  t.same(show(joined), [
    'top: concat + neg (a) → concat',
    'top: gather + exp + checkIndex (index, concat) → y, flags',
  ]);
  const padded = graphOf({
    y: h.gather(
      h.neg(
        h.pad(a, [
          [1, 1],
          [0, 0],
        ]),
      ),
      index,
      0,
    ),
  });
  t.same(show(padded), ['top: pad (a) → pad', 'top: gather + neg + checkIndex (index, pad) → y, flags']);
});
