// Leaves: one form for each constant, and errors for what is none.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import {
  constant,
  full,
  input,
  iota,
  ones,
  variableNode,
  zeros,
  zerosLike,
} from '../../compiler/ops/index.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { evaluate } from '../support/evaluate.ts';

function errorOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof HeddleError) return `${e.code}: ${e.parts.rule}`;
    throw e;
  }
  return 'no error';
}

const valueAttr = (x: Node): unknown => x.attrs['value'];

t.test('inputs and variables', async (t) => {
  const x = input('x', [64, 784]);
  t.same(x.type, { dtype: 'f32', shape: [64, 784] });
  t.equal(x.name, 'x');
  t.same(input('labels', [64], 'i32').type.dtype, 'i32');
  const w = variableNode('dense/w', [784, 10], 'f32', true);
  t.same(w.attrs, { name: 'dense/w', shape: [784, 10], dtype: 'f32', trainable: true });
  t.equal(
    errorOf(() => input('', [1])),
    'HDL0003: a name is needed',
  );
  t.equal(
    errorOf(() => input('x', [2.5])),
    'HDL0003: shape must be a list of integers, none negative',
  );
  t.match(
    errorOf(() => input('x', [1], 'f64' as 'f32')),
    /^HDL0003: dtype must be one of f32, i32, u32, bool, u8/,
  );
});

t.test('a constant has one form', async (t) => {
  t.equal(valueAttr(constant(3)), 3);
  t.equal(
    valueAttr(
      constant([
        [2, 2],
        [2, 2],
      ]),
    ),
    2,
    'equal elements are one number',
  );
  t.same(
    valueAttr(
      constant([
        [1, 2],
        [3, 4],
      ]),
    ),
    [1, 2, 3, 4],
  );
  t.ok(Array.isArray(valueAttr(constant([0, -0]))), '0 and -0 are not equal');
  t.same(valueAttr(constant([Number.NaN, Number.NaN])), Number.NaN);
  t.equal(valueAttr(constant(0.001)), 0.001, 'float64');
  const large = constant(
    Float32Array.from({ length: 20 }, (_, i) => i),
    [4, 5],
  );
  t.equal(valueAttr(large), null);
  t.same(
    [...large.payload!.values],
    Array.from({ length: 20 }, (_, i) => i),
  );
  t.equal(constant(new Float32Array(1000)).payload, null, 'equal elements need no payload');
  t.same(large.type, { dtype: 'f32', shape: [4, 5] });
});

t.test('dtypes and shapes follow the values', async (t) => {
  t.same(constant([true, false]).type, { dtype: 'bool', shape: [2] });
  t.same(constant(new Int32Array([1, 2])).type, { dtype: 'i32', shape: [2] });
  t.same(constant(new Uint8Array([1, 2, 3, 4]), [2, 2]).type, { dtype: 'u8', shape: [2, 2] });
  t.same(constant([1, 2, 3], [3], 'u32').type, { dtype: 'u32', shape: [3] });
  t.same(constant(7, [2, 3]).type, { dtype: 'f32', shape: [2, 3] });
  t.equal(
    errorOf(() => constant([[1, 2], [3]])),
    'HDL0003: rows have shapes [2] and [1]',
  );
  t.equal(
    errorOf(() => constant([1, 2, 3], [2])),
    'HDL0003: 3 values do not fill 2 elements',
  );
  t.equal(
    errorOf(() => constant([1, 2.5], [2], 'i32')),
    'HDL0003: 2.5 is not a value of i32',
  );
  t.equal(
    errorOf(() =>
      constant(
        Float32Array.from({ length: 20 }, (_, i) => i - 1),
        [20],
        'u32',
      ),
    ),
    'HDL0003: value 0 is -1, which is not a value of u32',
  );
});

t.test('zeros, ones, full, iota', async (t) => {
  t.same(evaluate(zeros([2])), [0, 0]);
  t.same(evaluate(ones([2], 'i32')), [1, 1]);
  t.same(zerosLike(input('x', [3], 'i32')).type, { dtype: 'i32', shape: [3] });
  t.same(evaluate(full([2], 0.5)), [0.5, 0.5]);
  t.same(evaluate(iota([2, 3], 1)), [0, 1, 2, 0, 1, 2]);
  t.same(evaluate(iota([2, 3], 0, 'f32')), [0, 0, 0, 1, 1, 1]);
  t.equal(
    errorOf(() => iota([2, 3], 2)),
    'HDL0003: dim must be an integer in [0, 1], not 2',
  );
});
