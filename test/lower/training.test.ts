// A whole training step, lowered: each parameter is updated in one pass over memory, forward and backward share what they
// both compute, and what no gradient needs is not there.

import t from 'tap';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { differences, graphOf, lower } from '../support/lower-graph.ts';

type Floats = Node<readonly number[], 'f32'>;

const variable = (name: string, shape: readonly number[]): Floats =>
  h.variableNode(name, shape, 'f32', true) as Floats;

/** Two dense layers trained by Adam. */
function adamStep(): Graph {
  const x: Floats = h.input('x', [48, 20]);
  const params = [variable('w', [20, 32]), variable('b', [32]), variable('v', [32, 8])] as const;
  const [w, b, v] = params;
  const y = h.matmul(h.tanh(h.add(h.matmul(x, w), b) as Floats), v);
  const gradients = grad(h.mean(h.square(y as Floats)), [...params]) as readonly Floats[];
  const updates = params.flatMap((p, i) => {
    const [m, s] = ['m', 's'].map((n) => variable(`${n}${i}`, p.type.shape)) as [Floats, Floats];
    const g = gradients[i]!;
    const nextM = h.add(h.mul(m, 0.9), h.mul(g, 0.1)) as Floats;
    const nextS = h.add(h.mul(s, 0.99), h.mul(h.square(g), 0.01)) as Floats;
    const step = h.div(nextM, h.add(h.sqrt(nextS), 1e-8) as Floats);
    return [
      { variable: m as Node, value: nextM as Node },
      { variable: s as Node, value: nextS as Node },
      { variable: p as Node, value: h.sub(p, h.mul(step, 0.01)) as Node },
    ];
  });
  return graphOf({}, updates);
}

t.test(
  'Adam: a parameter and its moments are read and written once, below the gradient itself',
  async (t) => {
    const graph = adamStep();
    const { steps, buffers } = lower(graph);
    const touching = (name: string): string[] => {
      const ids = buffers.filter((b) => b.name === name).map((b) => b.id);
      return steps.filter((s) => s.args.some((id) => ids.includes(id))).map((s) => s.label);
    };
    for (const [i, p] of ['w', 'b', 'v'].entries()) {
      const writers = touching(`${p} (next)`);
      t.equal(writers.length, 1, `${p} is written once`);
      for (const moment of [`m${i}`, `s${i}`]) {
        t.same(touching(moment), writers, `${moment} is read where ${p} is written`);
        t.same(touching(`${moment} (next)`), writers, `and written there`);
      }
      t.match(writers[0], /^grad: (dotGeneral|reduceSum)/, 'below the gradient');
    }
    t.same(differences(graph), []);
  },
);

t.test('forward and backward share what both compute', async (t) => {
  const x: Floats = h.input('x', [32, 16]);
  // Written twice: once for the result, once for the loss, whose gradient asks for it a third time.
  const y = h.exp(h.mul(x, 2) as Floats);
  const dx = grad(h.sum(h.mul(h.exp(h.mul(x, 2) as Floats), x)), [x])[0]!;
  const after = runPasses(graphOf({ y, dx }), standardPasses(), { now: () => 0 });
  t.equal(after.nodes.filter((n) => n.op.name === 'exp').length, 1);
  t.equal(lower(graphOf({ y, dx })).steps.length, 1, 'one kernel with two results');
  t.same(differences(graphOf({ y, dx })), []);
});

t.test('gradients that nobody asked for are not computed', async (t) => {
  const x: Floats = h.input('x', [2, 4, 8, 8]);
  const w = variable('w', [4, 4, 3, 3]);
  const convolutions = (of: readonly Floats[]): number => {
    const gradients = grad(h.sum(h.square(h.conv2d(x, w, { padding: 1 }) as Floats)), [...of]);
    const graph = graphOf(Object.fromEntries(gradients.map((g, i) => [`d${i}`, g as Node])));
    const after = runPasses(graph, standardPasses(), { now: () => 0 });
    return after.nodes.filter((n) => n.op.name === 'convolution').length;
  };
  t.equal(convolutions([x, w]), 3, 'forward, to the picture, to the weights');
  t.equal(convolutions([w]), 2, 'the gradient to the picture is not there');
});

t.test('a sum of a product that was repeated is a product of smaller sums', async (t) => {
  const x: Floats = h.input('x', [64, 32]);
  const s = variable('s', [32]);
  const c = variable('c', []);
  const y = h.mul(h.mul(x, s) as Floats, c);
  const [ds, dc] = grad(h.sum(y as Floats), [s, c]) as readonly [Node, Node];
  const graph = graphOf({ ds, dc });
  const after = runPasses(graph, standardPasses(), { now: () => 0 });
  const large = after.nodes.filter(
    (n) => n.op.name === 'mul' && n.type.shape.length === 2 && n.type.shape[0] === 64,
  );
  t.ok(large.length <= 1, `${large.length} products of the size of x`);
  t.same(differences(graph), []);
});
