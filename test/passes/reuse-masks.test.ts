// Masks of rectifiers: asked of the result where the argument would be lost, with the same bits for NaN and both zeros.

import t from 'tap';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { reuseMasks } from '../../compiler/passes/reuse-masks.ts';
import { graphOf, mismatches } from '../support/passes.ts';

/** What each comparison of a graph compares. */
const compared = (graph: Graph): string[] =>
  graph.nodes.filter((n) => n.op.name === 'le').map((n) => n.operands[0]!.op.name);

t.test('below a sum of products the gradient asks the result', async (t) => {
  const [x, w, b] = [h.input('x', [4, 3]), h.input('w', [3, 5]), h.input('b', [5])];
  const y = h.relu(h.add(h.matmul(x, w), b));
  const graph = graphOf(y, grad(h.sum(h.square(y)), [w])[0]!);
  const after = reuseMasks.run(graph);
  t.same(compared(graph), ['add']);
  t.same(compared(after), ['add', 'select']);
  const bindings = {
    inputs: {
      x: Float32Array.from([1, -2, 0, Number.NaN, 3, -1, 0, 0, 0, 5, -5, 2]),
      w: Float32Array.from({ length: 15 }, (_, i) => Math.sin(i)),
      b: Float32Array.from([0, -0, 1, -1, 0.5]),
    },
  };
  t.same(mismatches(graph, after, bindings, 0), []);
});

t.test(
  'a value that is computed again anyway keeps its mask, and so does a graph without gradients',
  async (t) => {
    const [x, w] = [h.input('x', [4, 3]), h.input('w', [3, 5])];
    const z = h.matmul(x, w);
    const centred = h.sub(z, h.mean(z, 0));
    const y = h.relu(centred);
    const normalized = graphOf(y, grad(h.sum(h.square(y)), [w])[0]!);
    t.equal(reuseMasks.run(normalized), normalized);
    const forward = graphOf(h.relu(z));
    t.equal(reuseMasks.run(forward), forward);
  },
);

t.test('other cuts and other limits are left alone', async (t) => {
  const [x, w, g] = [h.input('x', [4, 3]), h.input('w', [3, 5]), h.input('g', [4, 5])];
  const cut = (limit: number, value: number, kept: (z: Node) => Node): Graph => {
    const z = h.matmul(x, w);
    const mask = h.le(z, limit);
    return graphOf(h.where(mask, value, kept(z)), h.where(mask, 0, g));
  };
  for (const graph of [cut(6, 0, (z) => z), cut(0, 1, (z) => z), cut(0, 0, (z) => h.neg(z))])
    t.equal(reuseMasks.run(graph), graph);
  t.not(reuseMasks.run(cut(0, 0, (z) => z)), undefined);
});
