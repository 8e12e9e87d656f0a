// Given convolutions that read pictures with borders of zeros, when they are lowered, then wide borders are left out instead
// of multiplied, and narrow ones lie in memory as they did.

import t from 'tap';
import type { Graph } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { bufferLines, differences, graphOf, leavesOf, lower } from '../support/lower-graph.ts';

type Sizes = readonly [n: number, c: number, o: number, size: number, taps: number];

/** A convolution of n pictures of c × size × size, padded on all sides. */
function padded([n, c, o, size, taps]: Sizes, padding: number): Graph {
  const x = h.input('x', [n, c, size, size]);
  return graphOf({ y: h.conv2d(x, h.input('w', [o, c, taps, taps]), { padding }) });
}

const storesBorder = (graph: Graph): boolean => bufferLines(lower(graph)).some((b) => b.startsWith('pad'));

t.test('wide borders are left out', async (t) => {
  for (const sizes of [
    [5, 9, 7, 4, 5],
    [6, 8, 10, 3, 3],
    [4, 20, 5, 2, 4],
  ] as const) {
    const graph = padded(sizes, sizes[4] - 1);
    t.notOk(storesBorder(graph), `${sizes}: no border in memory`);
    t.same(differences(graph), [], `${sizes}: what the interpreter computes`);
  }
});

t.test('narrow ones stay, and those without which tiles would be too small', async (t) => {
  t.ok(storesBorder(padded([4, 8, 8, 16, 3], 1)), 'a picture that keeps its size');
  t.ok(storesBorder(padded([1, 8, 8, 4, 5], 4)), 'one picture: rows of tiles run through it');
  t.ok(storesBorder(padded([4, 2, 8, 4, 5], 4)), 'two channels: a question every second round');
});

t.test('a weight that is no number reaches only the results that its tap has elements for', async (t) => {
  const graph = padded([4, 8, 4, 2, 3], 2);
  const leaves = leavesOf(graph);
  const w = leaves['w']!;
  const broken = { ...w, data: Float64Array.from(w.data, (v, i) => (i % 9 === 0 ? Number.NaN : v)) };
  t.same(differences(graph, { ...leaves, w: broken }), [], 'as the interpreter has it');
});
