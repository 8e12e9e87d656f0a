// Checked numerics: the first op that makes a NaN is named, not the one in which it ends.

import t from 'tap';
import { named } from '../../compiler/graph/build.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, div, mul } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { transpose } from '../../compiler/ops/shape.ts';
import { log } from '../../compiler/ops/unary.ts';
import { checkNumerics } from '../../compiler/passes/check-numerics.ts';
import { graphOf, mismatches } from '../support/passes.ts';
import { errorOf } from '../support/tiny-ops.ts';

const x = input('x', [2, 2]);
const y = scope('head', () => named(log(x), 'logits'));
const graph = graphOf(sum(mul(transpose(div(y, y)), x)), add(input('n', [], 'i32'), 1));
const checked = checkNumerics.run(graph);

t.test('every computed f32 value is checked; leaves, views and integers are not', async (t) => {
  const labels = checked.nodes.filter((n) => n.op.name === 'checkFinite').map((n) => n.attrs['label']);
  t.same(labels, ["'logits' (log f32[2, 2])", 'div f32[2, 2]', 'mul f32[2, 2]', 'reduceSum f32[]']);
});

t.test('values stay while all is well', async (t) => {
  t.same(mismatches(graph, checked, { inputs: { x: [2, 3, 4, 5], n: 3 } }, 0), []);
});

t.test('the first culprit is named', async (t) => {
  const run = (v: number): string =>
    errorOf(() => interpretGraph(checked, { inputs: { x: [2, 3, v, 5], n: 3 } }));
  t.match(run(-1), "HDL1005: 'logits' (log f32[2, 2]) has an element that is NaN");
  t.match(run(1), 'HDL1005: div f32[2, 2] has an element that is NaN');
});
