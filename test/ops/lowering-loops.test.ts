// Lowering rules of views, reductions, contractions and windows say the same as their reference semantics, and read no
// element outside of their operands.

import t from 'tap';
import { makeNode } from '../../compiler/graph/build.ts';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { formatType } from '../../compiler/graph/types.ts';
import concatOps from '../../compiler/ops/concat.ts';
import contractOps from '../../compiler/ops/contract.ts';
import gatherOps from '../../compiler/ops/gather.ts';
import {
  broadcastTo,
  concat,
  expandDims,
  input,
  pad,
  reshape,
  slice,
  sum,
} from '../../compiler/ops/index.ts';
import reduceOps from '../../compiler/ops/reduce.ts';
import shapeOps from '../../compiler/ops/shape.ts';
import sliceOps from '../../compiler/ops/slice.ts';
import windowOps from '../../compiler/ops/window.ts';
import { lowerNode } from '../support/lower-node.ts';
import { seededRandom } from '../support/random.ts';

const ops = [
  ...shapeOps,
  ...sliceOps,
  ...concatOps,
  ...reduceOps,
  ...contractOps,
  ...windowOps,
  ...gatherOps,
];

/** Where both differ by more than rounding. */
function difference(node: Node, operands: readonly HostTensor[]): string[] {
  const reference = node.op.reference(operands, node.attrs, node.type);
  const lowered = lowerNode(node, operands);
  const close = (a: number, b: number): boolean =>
    Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a), Math.abs(b));
  const at = [...reference].findIndex((v, i) => !close(v, lowered[i]!));
  if (lowered.length === reference.length && at < 0) return [];
  const what = `${node.op.name}(${operands.map((o) => formatType(o.type)).join(', ')}) ${JSON.stringify(node.attrs)}`;
  return [`${what}: element ${at} is ${lowered[at]}, by the reference ${reference[at]}`];
}

for (const op of ops) {
  t.test(op.name, async (t) => {
    const problems: string[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const { operands, attrs } = op.sample!(seededRandom(seed));
      const node = makeNode(
        op,
        operands.map((o, i) => input(`x${i}`, o.type.shape, o.type.dtype)),
        attrs,
      );
      for (const p of difference(node, operands)) problems.push(`seed ${seed}: ${p}`);
    }
    t.same(problems, []);
  });
}

t.test('values without elements', async (t) => {
  const none = input('none', [0, 3]);
  const nothing: HostTensor = { type: none.type, data: new Float64Array(0) };
  const some = input('some', [2, 3]);
  const six: HostTensor = { type: some.type, data: Float64Array.of(1, 2, 3, 4, 5, 6) };
  const zero: HostTensor = { type: { dtype: 'f32', shape: [] }, data: Float64Array.of(0) };
  const cases: readonly (readonly [
    node: Node,
    operands: readonly HostTensor[],
    elements: readonly number[],
  ])[] = [
    [sum(none, 0), [nothing], [0, 0, 0]],
    [sum(none, 1), [nothing], []],
    [reshape(none, [3, 0, 2]), [nothing], []],
    [broadcastTo(none, [2, 0, 3]), [nothing], []],
    [expandDims(none, 0), [nothing], []],
    [slice(some, [1, 0], [1, 3]), [six], []],
    [
      pad(none, [
        [1, 1],
        [0, 0],
      ]),
      [nothing, zero],
      [0, 0, 0, 0, 0, 0],
    ],
    [concat([none, some]), [nothing, six], [1, 2, 3, 4, 5, 6]],
    [concat([none, none]), [nothing, nothing], []],
  ];
  for (const [node, operands, elements] of cases) {
    t.same([...node.op.reference(operands, node.attrs, node.type)], elements, `${node.op.name}: reference`);
    t.same(lowerNode(node, operands), elements, `${node.op.name}: lowered`);
  }
});
