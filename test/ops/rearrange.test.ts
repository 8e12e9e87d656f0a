// Functions that move elements: running sums, repeats, paddings, triangles, blocks. Values by hand, and one gradient each of
// the kinds that are not obvious.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  constant,
  cumprod,
  cumsum,
  depthToSpace,
  input,
  iota,
  mul,
  pad,
  repeat,
  reshape,
  roll,
  spaceToDepth,
  sum,
  tile,
  tril,
  triu,
} from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';

const f32 = (values: number[], shape: number[] = [values.length]): Node<Shape, 'f32'> =>
  constant(values, shape, 'f32');

t.test('running sums and products', async (t) => {
  const x = f32([1, 2, 3, 4, 5]);
  t.same(evaluate(cumsum(x)), [1, 3, 6, 10, 15]);
  t.same(evaluate(cumsum(x, 0, { exclusive: true })), [0, 1, 3, 6, 10]);
  t.same(evaluate(cumsum(x, 0, { reverse: true })), [15, 14, 12, 9, 5]);
  t.same(evaluate(cumsum(x, 0, { reverse: true, exclusive: true })), [14, 12, 9, 5, 0]);
  t.same(evaluate(cumprod(x)), [1, 2, 6, 24, 120]);
  t.same(evaluate(cumprod(x, 0, { exclusive: true })), [1, 1, 2, 6, 24]);
  t.same(evaluate(cumsum(f32([1, 2, 3, 4, 5, 6], [2, 3]), 0)), [1, 2, 3, 5, 7, 9], 'along the first axis');
  t.same(evaluate(cumsum(constant([2147483647, 1], [2], 'i32'))), [2147483647, -2147483648]);
  t.same(evaluate(cumsum(f32([], [0]), 0, { exclusive: true })), []);
  t.same(evaluate(cumsum(f32([7]), 0, { exclusive: true })), [0]);
});

t.test('the gradient of a running product does not divide by its elements', async (t) => {
  const x = input('x', [3]);
  const [dx] = grad(sum(cumprod(x)), [x]);
  // x0 + x0 x1 + x0 x1 x2
  t.same(evaluate(dx!, { x: [2, 0, 3] }), [1, 2 + 2 * 3, 0]);
});

t.test('tile, repeat, roll', async (t) => {
  const x = f32([1, 2, 3, 4], [2, 2]);
  t.same(evaluate(tile(x, [1, 2])), [1, 2, 1, 2, 3, 4, 3, 4]);
  t.same(evaluate(tile(x, [2, 1])), [1, 2, 3, 4, 1, 2, 3, 4]);
  t.same(tile(x, [3, 1, 2]).type.shape, [3, 2, 4], 'new dimensions in front');
  t.same(evaluate(tile(x, [2])), [1, 2, 1, 2, 3, 4, 3, 4], 'the last dimension, as NumPy has it');
  t.same(evaluate(repeat(x, 2)), [1, 1, 2, 2, 3, 3, 4, 4]);
  t.same(evaluate(repeat(x, 2, 0)), [1, 2, 1, 2, 3, 4, 3, 4]);
  t.same(evaluate(roll(f32([1, 2, 3]), 1)), [3, 1, 2]);
  t.same(evaluate(roll(f32([1, 2, 3]), -4)), [2, 3, 1]);
  t.match(
    errorOf(() => tile(x, [-1])),
    /HDL0003: tile.*at least 0/,
  );
  t.match(
    errorOf(() => roll(x, 0.5)),
    /HDL0003: roll.*whole number/,
  );
});

t.test('pad by the elements themselves', async (t) => {
  const x = f32([1, 2, 3]);
  t.same(evaluate(pad(x, [[2, 1]], 'edge')), [1, 1, 1, 2, 3, 3]);
  t.same(evaluate(pad(x, [[2, 1]], 'reflect')), [3, 2, 1, 2, 3, 2]);
  t.same(evaluate(pad(x, [[2, 1]], 'wrap')), [2, 3, 1, 2, 3, 1]);
  t.same(evaluate(pad(x, [[-1, 1]], 'reflect')), [2, 3, 2], 'what is removed goes first');
  t.same(
    evaluate(
      pad(
        f32([1, 2, 3, 4], [2, 2]),
        [
          [1, 0],
          [0, 1],
        ],
        'reflect',
      ),
    ),
    [3, 4, 3, 1, 2, 1, 3, 4, 3],
  );
  t.match(
    errorOf(() => pad(x, [[3, 0]], 'reflect')),
    /HDL0003: pad.*'reflect' adds at most 2 on a side/,
  );
  t.match(
    errorOf(() => pad(x, [], 'edge')),
    /HDL0003: pad.*0 pairs for 1 dimensions/,
  );
});

t.test('triangles', async (t) => {
  const x = f32([1, 2, 3, 4, 5, 6], [2, 3]);
  t.same(evaluate(tril(x)), [1, 0, 0, 4, 5, 0]);
  t.same(evaluate(triu(x)), [1, 2, 3, 0, 5, 6]);
  t.same(evaluate(tril(x, 1)), [1, 2, 0, 4, 5, 6]);
  t.same(evaluate(triu(x, -1)), [1, 2, 3, 4, 5, 6]);
  t.match(
    errorOf(() => tril(f32([1]))),
    /HDL0001: tril.*two dimensions/,
  );
});

t.test('blocks of pixels are channels', async (t) => {
  const x = reshape(iota([1, 8, 1, 1], 1), [1, 8, 1, 1]);
  t.same(evaluate(depthToSpace(x, 2)), [0, 2, 4, 6, 1, 3, 5, 7]);
  t.same(evaluate(depthToSpace(x, 2, 'CRD')), [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const order of ['DCR', 'CRD'] as const) {
    const picture = reshape(iota([48], 0), [1, 3, 4, 4]);
    t.same(evaluate(depthToSpace(spaceToDepth(picture, 2, order), 2, order)), evaluate(picture), order);
  }
  t.match(
    errorOf(() => depthToSpace(x, 3)),
    /HDL0001: depthToSpace.*8 channels do not divide/,
  );
});

t.test('gradients of copies add up', async (t) => {
  const x = input('x', [3]);
  const weights = f32([1, 10, 100, 1000, 10000, 100000]);
  t.same(evaluate(grad(sum(mul(pad(x, [[2, 1]], 'reflect'), weights)), [x])[0]!), [100, 101010, 10001]);
  t.same(evaluate(grad(sum(mul(tile(x, [2]), weights)), [x])[0]!), [1001, 10010, 100100]);
});
