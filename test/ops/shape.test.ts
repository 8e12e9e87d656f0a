// Broadcasts, views, slices, padding and concatenation: values by hand, round trips, and the texts of errors.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { drawPermutation } from '../../compiler/ops/draw.ts';
import {
  broadcastTo,
  concat,
  expandDims,
  flatten,
  input,
  iota,
  pad,
  reshape,
  reverse,
  slice,
  split,
  squeeze,
  stack,
  sum,
  transpose,
} from '../../compiler/ops/index.ts';
import { padBy } from '../../compiler/ops/slice.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';
import { seededRandom } from '../support/random.ts';

/** 0, 1, 2, … in a shape. */
const counting = (...shape: number[]): Node => reshape(iota([elementCount(shape)], 0), shape) as Node;

t.test('broadcasting aligns at the right and repeats dimensions of 1', async (t) => {
  t.same(evaluate(broadcastTo(counting(3), [2, 3])), [0, 1, 2, 0, 1, 2]);
  t.same(evaluate(broadcastTo(counting(2, 1), [2, 2])), [0, 0, 1, 1]);
  t.same(evaluate(broadcastTo(counting(), [3])), [0, 0, 0]);
  t.same(expandDims(counting(3), [0, -1]).type.shape, [1, 3, 1]);
  const x = counting(2, 3);
  t.equal(broadcastTo(x, [2, 3]), x, 'nothing to do makes no node');
  t.equal(
    errorOf(() => broadcastTo(input('x', [2, 3]), [2, 4])),
    "HDL0001: broadcastTo('x' (input f32[2, 3]), [2, 4]): dimension 1 is 3 and cannot become 4 (dimensions are aligned at the right, and only a dimension of size 1 repeats)",
  );
  t.equal(
    errorOf(() => broadcastTo(input('x', [2, 3]), [3])),
    "HDL0001: broadcastTo('x' (input f32[2, 3]), [3]): a value with 2 dimensions does not fit into 1 (dimensions are aligned at the right, and only a dimension of size 1 repeats)",
  );
});

t.test('sums over axes', async (t) => {
  const x = counting(2, 3);
  t.same(evaluate(sum(x)), [15]);
  t.same(evaluate(sum(x, 0)), [3, 5, 7]);
  t.same(evaluate(sum(x, -1)), [3, 12]);
  t.same(sum(x, [0, 1], { keepDims: true }).type.shape, [1, 1]);
  t.equal(sum(x, []), x, 'no axes, no node');
  t.equal(
    errorOf(() => sum(input('x', [2, 3]), 2)),
    "HDL0003: sum('x' (input f32[2, 3]), axis: 2): axis 2 does not exist (axes lie in [-2, 1])",
  );
  t.equal(
    errorOf(() => sum(input('x', [2, 3]), [1, -1])),
    "HDL0003: sum('x' (input f32[2, 3]), axes: [1, -1]): axis 1 is named twice (name each axis once; -1 is the last axis)",
  );
  t.equal(
    errorOf(() => sum(input('m', [2], 'bool') as Node)),
    "HDL0002: reduceSum('m' (input bool[2]), axes: [0]): the operand has dtype bool; accepted are f32, i32, u32 (convert it: cast(x, 'f32'))",
  );
});

t.test('reshape keeps the order of elements and computes one dimension', async (t) => {
  t.same(reshape(counting(2, 6), [3, -1]).type.shape, [3, 4]);
  t.same(flatten(counting(2, 3, 4)).type.shape, [2, 12]);
  t.same(flatten(counting(2, 3, 4), 0).type.shape, [24]);
  t.same(flatten(counting(2), 1).type.shape, [2, 1]);
  t.same(flatten(counting(2, 3, 4), -2).type.shape, [2, 12]);
  t.same(flatten(counting(2, 3, 4), -1).type.shape, [2, 3, 4]);
  t.same(squeeze(counting(1, 3, 1)).type.shape, [3]);
  t.same(squeeze(counting(1, 3, 1), -1).type.shape, [1, 3]);
  const x = input('x', [2, 6]) as Node;
  t.equal(
    errorOf(() => reshape(x, [5, 2])),
    "HDL0001: reshape('x' (input f32[2, 6]), shape: [5, 2]): [2, 6] has 12 elements, [5, 2] has 10 (the number of elements must stay; one dimension of -1 is computed from the others)",
  );
  t.equal(
    errorOf(() => reshape(x, [5, -1])),
    "HDL0001: reshape('x' (input f32[2, 6]), [5, -1]): 12 elements do not divide into rows of 5 (the number of elements must stay; write the dimensions out)",
  );
  t.equal(
    errorOf(() => squeeze(x, 1)),
    "HDL0001: squeeze('x' (input f32[2, 6]), axis: 1): dimension 1 is 6, not 1 (only dimensions of size 1 can go; to join dimensions use reshape or flatten)",
  );
});

t.test('transpose and reverse', async (t) => {
  t.same(evaluate(transpose(counting(2, 3))), [0, 3, 1, 4, 2, 5]);
  t.same(evaluate(reverse(counting(2, 3))), [5, 4, 3, 2, 1, 0]);
  t.same(evaluate(reverse(counting(2, 3), 1)), [2, 1, 0, 5, 4, 3]);
  t.equal(
    errorOf(() => transpose(input('x', [2, 3]) as Node, [0, 0])),
    "HDL0003: transpose('x' (input f32[2, 3]), perm: [0, 0]): perm [0, 0] does not name dimension 1 (name each of the dimensions 0 to 1 once)",
  );
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const x = counting(...random.shape(0, 4));
    const perm = drawPermutation(random, x.type.shape.length);
    const back = transpose(
      transpose(x, perm),
      perm.map((_, i) => perm.indexOf(i)),
    );
    t.same(evaluate(back), evaluate(x), `seed ${seed}: there and back by ${perm}`);
  }
});

t.test('slices and padding', async (t) => {
  t.same(evaluate(slice(counting(3, 4), [1, 0], [3, 4], [1, 2])), [4, 6, 8, 10]);
  t.same(evaluate(pad(counting(2), [[1, 2]], 9)), [9, 0, 1, 9, 9]);
  t.same(evaluate(pad(counting(4), [[-1, 1]], 9)), [1, 2, 3, 9]);
  t.same(evaluate(padBy(counting(3), { interior: [1] }, 9)), [0, 9, 1, 9, 2]);
  t.same(evaluate(padBy(counting(3), { lo: [-1], interior: [1] }, 9)), [9, 1, 9, 2]);
  t.equal(
    errorOf(() => slice(input('x', [4]) as Node, [2], [5])),
    "HDL0003: slice('x' (input f32[4]), starts: [2], limits: [5], strides: [1]): dimension 0 has size 4: [2, 5) is not a part of it (keep 0 ≤ start ≤ limit ≤ size in each dimension)",
  );
  t.equal(
    errorOf(() => pad(input('x', [4]), [[-3, -2]])),
    "HDL0003: pad('x' (input f32[4]), constant f32[], lo: [-3], hi: [-2], interior: [0]): dimension 0 of size 4 would get size -1 (crop no more than there is)",
  );
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const x = counting(...random.shape(1, 3));
    const shape = x.type.shape;
    const lo = shape.map(() => random.int(0, 2));
    const interior = shape.map(() => random.int(0, 2));
    const padded = padBy(x, { lo, interior, hi: shape.map(() => random.int(0, 2)) }, -1);
    const limits = shape.map((n, d) => lo[d]! + n + (n - 1) * interior[d]!);
    const back = slice(
      padded,
      lo,
      limits,
      interior.map((i) => i + 1),
    );
    t.same(evaluate(back), evaluate(x), `seed ${seed}: a slice undoes a pad`);
  }
});

t.test('concatenation, stack and split', async (t) => {
  const [x, y] = [counting(2, 2), counting(2, 1)];
  t.same(evaluate(concat([x, y], 1)), [0, 1, 0, 2, 3, 1]);
  t.same(evaluate(stack([counting(2), counting(2)], -1)), [0, 0, 1, 1]);
  const parts = split(counting(2, 5), [2, 3], 1);
  t.same(parts.map(evaluate1), [
    [0, 1, 5, 6],
    [2, 3, 4, 7, 8, 9],
  ]);
  t.same(evaluate(concat(parts, 1)), evaluate(counting(2, 5)));
  t.equal(
    errorOf(() => concat([input('x', [2, 3]), input('y', [2, 4])] as Node[])),
    "HDL0001: concat('x' (input f32[2, 3]), 'y' (input f32[2, 4]), axis: 0): dimension 1 of operand 1 is 4, of operand 0 3 (all dimensions except axis 0 must be equal)",
  );
  t.equal(
    errorOf(() => split(input('x', [5]) as Node, 2)),
    "HDL0001: split('x' (input f32[5]), 2, axis: 0): dimension 0 of size 5 does not divide into 2 equal parts (list the sizes of the parts)",
  );
});

function evaluate1(x: Node): number[] {
  return evaluate(x);
}
