// Reading and writing at indices: values by hand, repeated indices, what stands in the gradient, and errors. Gradients of
// the primitives against differences are checked with the registry, targets by random graphs.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  constant,
  gather,
  gatherElements,
  input,
  mul,
  oneHot,
  scatterAdd,
  scatterAddElements,
  scatterUpdate,
  sum,
} from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { errorOf } from '../support/error-of.ts';
import { evaluate } from '../support/evaluate.ts';

const f32 = (values: number[], shape: number[] = [values.length]): Node<Shape, 'f32'> =>
  constant(values, shape, 'f32');
const i32 = (values: number[], shape: number[] = [values.length]): Node<Shape, 'i32'> =>
  constant(values, shape, 'i32');

t.test('gather takes rows, columns and single elements', async (t) => {
  const x = f32([1, 2, 3, 4, 5, 6], [2, 3]);
  t.same(evaluate(gather(x, i32([1, 0, 1]))), [4, 5, 6, 1, 2, 3, 4, 5, 6]);
  t.same(evaluate(gather(x, i32([2, 0]), -1)), [3, 1, 6, 4]);
  t.same(gather(x, i32([0, 1, 1, 0], [2, 2]), 1).type.shape, [2, 2, 2]);
  t.same(evaluate(gather(x, i32([1], []), 1)), [2, 5], 'a scalar index takes the axis away');
  t.same(gather(x, i32([], [0])).type.shape, [0, 3]);
});

t.test('gatherElements takes one element for each index', async (t) => {
  const x = f32([1, 2, 3, 4, 5, 6], [2, 3]);
  t.same(evaluate(gatherElements(x, i32([2, 0], [2, 1]))), [3, 4]);
  t.same(evaluate(gatherElements(x, i32([1, 0, 1], [1, 3]), 0)), [4, 2, 6]);
  t.same(evaluate(gatherElements(x, i32([2], [1, 1]))), [3], 'indices may be fewer than rows');
});

t.test('scatterAdd adds all updates of an index', async (t) => {
  const x = f32([10, 20, 30]);
  t.same(evaluate(scatterAdd(x, i32([0, 2, 0]), f32([1, 2, 3]))), [14, 20, 32]);
  const table = f32([0, 0, 0, 0], [2, 2]);
  t.same(evaluate(scatterAdd(table, i32([1, 1]), f32([1, 2, 3, 4], [2, 2]))), [0, 0, 4, 6]);
  t.same(evaluate(scatterAdd(table, i32([1, 1]), f32([1, 2, 3, 4], [2, 2]), 1)), [0, 3, 0, 7]);
  const y = scatterAddElements(
    f32([0, 0, 0, 0, 0, 0], [2, 3]),
    i32([2, 2, 0, 1], [2, 2]),
    f32([1, 2, 3, 4], [2, 2]),
  );
  t.same(evaluate(y), [0, 0, 3, 3, 4, 0]);
});

t.test('scatterUpdate keeps the last update of an index', async (t) => {
  t.same(evaluate(scatterUpdate(f32([10, 20, 30]), i32([2, 0, 2]), f32([1, 2, 3]))), [2, 20, 3]);
  const x = f32([1, 2, 3, 4], [2, 2]);
  t.same(evaluate(scatterUpdate(x, i32([0], [1]), f32([8, 9], [2, 1]), 1)), [8, 2, 9, 4]);
});

t.test('gradients go back to where elements came from', async (t) => {
  const x = input('x', [3]);
  const picked = gather(x, i32([2, 0, 2]));
  t.same(evaluate(grad(sum(mul(picked, f32([1, 2, 3]))), [x])[0]!), [2, 0, 4]);
  const u = input('u', [3]);
  const written = scatterUpdate(x, i32([1, 1, 0]), u);
  const loss = sum(mul(written, f32([10, 20, 30])));
  const [dx, du] = grad(loss, [x, u]);
  t.same(evaluate(dx!), [0, 0, 30], 'only what stayed');
  t.same(evaluate(du!), [0, 20, 10], 'an update that was overwritten has none');
});

t.test('oneHot', async (t) => {
  t.same(evaluate(oneHot(i32([2, 0]), 3)), [0, 0, 1, 1, 0, 0]);
  t.same(evaluate(oneHot(i32([2, 0]), 3, { axis: 0 })), [0, 1, 0, 0, 1, 0]);
  t.same(oneHot(i32([2, 0]), 3, { dtype: 'bool' }).type, { dtype: 'bool', shape: [2, 3] });
});

t.test('wrong indices', async (t) => {
  const x = input('x', [2, 3]);
  t.match(
    errorOf(() => evaluate(gather(x, i32([0, 2])), { x: [1, 2, 3, 4, 5, 6] })),
    /HDL1004: gather indices: index 2/,
  );
  t.match(
    errorOf(() => evaluate(oneHot(i32([-1]), 3))),
    /HDL1004: oneHot indices: index -1/,
  );
  // The editor refuses these too.
  t.match(
    errorOf(() => gather(x, f32([0]) as Node as Node<Shape, 'i32'>)),
    /HDL0002.*indices are i32, not f32/,
  );
  t.match(
    errorOf(() => gather(x, i32([0]), 2)),
    /HDL0003.*axis 2 does not exist/,
  );
  t.match(
    errorOf(() => gatherElements(x, i32([0]))),
    /HDL0001.*as many dimensions as x/,
  );
  t.match(
    errorOf(() => scatterAdd(x, i32([0]), f32([1]))),
    /HDL0001.*updates have shape \[1, 3\], not \[1\]/,
  );
  t.match(
    errorOf(() => scatterAdd(x, i32([0]), i32([1, 2, 3], [1, 3]))),
    /HDL0002.*dtypes f32 and i32 differ/,
  );
});
