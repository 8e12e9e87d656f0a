// Pads of one value: the largest stays, the others are slices of it.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { padBy } from '../../compiler/ops/slice.ts';
import { simplify } from '../../compiler/passes/algebra.ts';
import { sharePads } from '../../compiler/passes/share-pads.ts';
import { graphOf, mismatches, show } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

const x = h.input('x', [4, 5]);
const values = { x: { type: x.type, data: Float64Array.from({ length: 20 }, (_, i) => i + 1) } };

t.test('one copy holds all windows', async (t) => {
  const before = graphOf(
    padBy(x, { lo: [1, 1], hi: [0, 0] }),
    padBy(x, { lo: [0, 0], hi: [2, -1] }),
    padBy(x, { lo: [0, -2] }),
  );
  const after = sharePads.run(before);
  t.equal(
    show(after).replaceAll(/^%\d = (input|constant).*\n/gm, ''),
    `%2 = pad(%0, %1) {lo = [1, 1], hi = [2, 0], interior = [0, 0]} : f32[7, 6]
%3 = slice(%2) {starts = [0, 0], limits = [5, 6], strides = [1, 1]} : f32[5, 6]
%4 = slice(%2) {starts = [1, 1], limits = [7, 5], strides = [1, 1]} : f32[6, 4]
%5 = slice(%2) {starts = [1, 3], limits = [5, 6], strides = [1, 1]} : f32[4, 3]
output y0 = %3
output y1 = %4
output y2 = %5`,
  );
  t.same(mismatches(before, after, { inputs: values }, 0), []);
});

t.test('what only crops is a slice of the value itself', async (t) => {
  const before = graphOf(padBy(x, { lo: [-1, 0], hi: [0, -2] }));
  const after = sharePads.run(before);
  t.match(show(after), /slice\(%0\) \{starts = \[1, 0\], limits = \[4, 3\]/);
  t.same(mismatches(before, after, { inputs: values }, 0), []);
});

t.test('a single pad, other numbers and gaps between elements stay', async (t) => {
  const graph = graphOf(
    padBy(x, { lo: [1, 0] }),
    padBy(x, { hi: [1, 0] }, Number.NEGATIVE_INFINITY),
    padBy(x, { hi: [0, 1], interior: [1, 0] }),
    padBy(x, { hi: [0, 2] }, -0),
  );
  t.equal(sharePads.run(graph), graph);
});

t.test('pads in a row are one, and values stay, seed 9', async (t) => {
  const random = seededRandom(9);
  const draw = (node: Node): Node => {
    const amounts = (least: number): number[] =>
      node.type.shape.map((n) => random.int(Math.max(least, -((n - 1) >> 1)), 2));
    const interior = node.type.shape.map(() => (random.bool(0.2) ? 1 : 0));
    return padBy(node, { lo: amounts(-2), hi: amounts(-2), interior }, random.pick([0, 0, 0, 1]));
  };
  let merged = 0;
  for (let trial = 0; trial < 80; trial++) {
    const nodes = [x as Node];
    for (let k = 0; k < 5; k++) nodes.push(draw(random.pick(nodes)));
    const before = graphOf(...nodes.slice(1));
    const after = sharePads.run(simplify(before, ({ rule }) => (merged += rule === 'pad-pad' ? 1 : 0)));
    t.same(mismatches(before, after, { inputs: values }, 0), [], `trial ${trial}`);
  }
  t.ok(merged > 20, `${merged} pads of pads`);
});
