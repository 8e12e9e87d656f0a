// Constant folding: what is computed, in which precision, and what is left.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { add, div, mul, sub } from '../../compiler/ops/arithmetic.ts';
import { logicalNot } from '../../compiler/ops/binary.ts';
import { broadcastTo, sum } from '../../compiler/ops/broadcast.ts';
import { checkFinite } from '../../compiler/ops/check.ts';
import { gt, where } from '../../compiler/ops/compare.ts';
import { constant } from '../../compiler/ops/constant.ts';
import { cast } from '../../compiler/ops/convert.ts';
import { full, input, iota } from '../../compiler/ops/leaf.ts';
import { transpose } from '../../compiler/ops/shape.ts';
import { exp } from '../../compiler/ops/unary.ts';
import { foldConstants } from '../../compiler/passes/fold.ts';
import { graphOf, mismatches } from '../support/passes.ts';

/** The value of a folded constant: a number for equal elements, a list, or null when the node is something else. */
function folded(node: Node): unknown {
  const made = foldConstants.run(graphOf(node)).outputs[0]!.node;
  return made.op.name === 'constant' ? made.attrs['value'] : null;
}

t.test('scalars keep float64', async (t) => {
  t.equal(folded(sub(1, full([], 0.999))), 1 - 0.999);
  t.equal(folded(exp(div(full([], 1), 3))), Math.exp(1 / 3));
  t.equal(folded(div(full([], 1), 0)), Number.POSITIVE_INFINITY);
});

t.test('equal elements stay one number, whatever the shape', async (t) => {
  t.equal(folded(mul(full([64, 1000], 3), 2)), 6);
  t.equal(folded(where(full([99], 1, 'bool'), full([99], 2), full([99], 3))), 2);
});

t.test('small results are lists; one value that fills them is one number', async (t) => {
  t.same(folded(add(constant([1, 2, 3]), constant([10, 20, 30]))), [11, 22, 33]);
  t.same(
    folded(
      transpose(
        constant([
          [1, 2],
          [3, 4],
        ]),
      ),
    ),
    [1, 3, 2, 4],
  );
  t.equal(
    folded(
      sum(
        constant([
          [1, 4],
          [3, 2],
        ]),
        1,
      ),
    ),
    5,
  );
  const large = constant(Float32Array.from({ length: 100 }, (_, i) => i));
  t.equal(folded(sum(large)), 4950, 'also of a large constant');
});

t.test('other dtypes wrap, and see f32 numbers where f32 becomes another dtype', async (t) => {
  t.equal(folded(add(full([], 2147483647, 'i32'), 1)), -2147483648);
  t.equal(folded(logicalNot(full([], 1, 'bool'))), 0);
  t.equal(folded(cast(full([], 0.99999999), 'i32')), 1);
  t.equal(folded(gt(full([], 1.00000001), 1)), 0);
  t.ok(Object.is(folded(cast(full([], -0.5), 'i32')), 0), 'no −0 among integers');
});

t.test('large results, checks and what depends on inputs stay', async (t) => {
  const kept = [
    broadcastTo(constant([1, 2]), [20, 2]),
    checkFinite(full([], 1)),
    add(input('x', []), 1),
    add(iota([4], 0), 1),
  ];
  for (const node of kept) {
    const before = graphOf(node);
    t.equal(foldConstants.run(before), before, node.op.name);
  }
});

t.test('a chain folds in one sweep, beside what does not', async (t) => {
  const before = graphOf(mul(input('x', [3]), add(exp(constant([1, 2, 3])), 1)));
  const after = foldConstants.run(before);
  t.equal(after.nodes.length, 3);
  t.same(mismatches(before, after, { inputs: { x: [1, 2, 3] } }, 0), []);
});
