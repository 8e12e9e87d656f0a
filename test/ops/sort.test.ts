// Sorting against JavaScript's own stable sort, by both ways of finding the order; NaN, signed zeros, ties, integers, axes,
// and rows of no and one element; compiled and interpreted; gradients go to where elements came from.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { type DType, elementCount, type Shape } from '../../compiler/graph/types.ts';
import { drawDistinct } from '../../compiler/ops/draw.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { argsort, sort, topK } from '../../compiler/ops/sort.ts';
import { sortingWays } from '../../compiler/ops/sort-order.ts';
import { Executor } from '../../runtime/executor.ts';
import { disagreements, runCompiled } from '../support/agree.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

function tensor(dtype: DType, shape: Shape, data: ArrayLike<number>): HostTensor {
  return { type: { dtype, shape }, data: Float64Array.from(data) };
}

/** Positions in ascending order, NaN last, equal elements in their order. */
function expected(row: readonly number[]): number[] {
  const rank = (v: number): number => (Number.isNaN(v) ? Number.POSITIVE_INFINITY : v);
  const before = (a: number, b: number): number => {
    const [x, y] = [row[a]!, row[b]!];
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return rank(x) < rank(y) ? -1 : rank(x) > rank(y) ? 1 : a - b;
  };
  return row.map((_, i) => i).sort(before);
}

function evaluate(make: (x: Node) => Node, x: HostTensor): number[] {
  const node = input('x', x.type.shape, x.type.dtype);
  const graph = makeGraph('sort', { inputs: [node], outputs: [{ name: 'y', node: make(node) }] });
  return [...interpretGraph(graph, { inputs: { x } }, { mode: 'f32' }).outputs['y']!.data];
}

const special = [3, Number.NaN, -0, 0, -1e-40, Number.POSITIVE_INFINITY, -2.5, Number.NEGATIVE_INFINITY, 3];

for (const [way, positions] of Object.entries(sortingWays)) {
  t.test(way, async (t) => {
    const random = seededRandom(5);
    for (const n of [2, 3, 4, 7, 8, 16, 21]) {
      const row = Array.from({ length: n }, () => random.int(-4, 4) / 2);
      t.same(evaluate(positions, tensor('f32', [n], row)), expected(row), `${n} numbers with ties`);
    }
    const rows = tensor('f32', [2, 9], [...special, ...special].map(Math.fround));
    t.same(
      evaluate(positions, rows),
      [special, special].flatMap((r) => expected(r.map(Math.fround))),
      'special numbers',
    );
    const ints = [-2147483648, 2147483647, 0, -1, 2147483647];
    t.same(evaluate(positions, tensor('i32', [5], ints)), expected(ints), 'extreme i32');
    const words = [4294967295, 0, 2147483648, 7, 4294967295];
    t.same(evaluate(positions, tensor('u32', [5], words)), expected(words), 'extreme u32');
    t.same(evaluate(positions, tensor('bool', [4], [1, 0, 1, 0])), [1, 3, 0, 2], 'bool');
  });
}

t.test('sort, argsort and topK along any axis', async (t) => {
  const x = tensor('f32', [2, 3], [3, 1, 2, 0, 5, 4]);
  t.same(
    evaluate((v) => sort(v), x),
    [1, 2, 3, 0, 4, 5],
  );
  t.same(
    evaluate((v) => sort(v, 0), x),
    [0, 1, 2, 3, 5, 4],
  );
  t.same(
    evaluate((v) => sort(v, 1, { descending: true }), x),
    [3, 2, 1, 5, 4, 0],
  );
  t.same(
    evaluate((v) => argsort(v, 0), x),
    [1, 0, 0, 0, 1, 1],
  );
  t.same(
    evaluate((v) => topK(v, 2).values, x),
    [3, 2, 5, 4],
  );
  t.same(
    evaluate((v) => topK(v, 2).indices, x),
    [0, 2, 1, 2],
  );
  t.same(
    evaluate((v) => topK(v, 1, 0, { smallest: true }).values, x),
    [0, 1, 2],
  );
  const ties = tensor('f32', [4], [1, 2, 2, 1]);
  t.same(
    evaluate((v) => argsort(v, 0, { descending: true }), ties),
    [1, 2, 0, 3],
    'descending is stable',
  );
  t.same(
    evaluate((v) => sort(v), tensor('f32', [2, 0], [])),
    [],
  );
  t.same(
    evaluate((v) => sort(v, 0), tensor('f32', [1, 2], [4, 3])),
    [4, 3],
  );
  t.same(
    evaluate((v) => topK(v, 0).values, x),
    [],
  );
});

t.test('errors say what to write', async (t) => {
  const x = input('x', [2, 3]);
  t.throws(() => topK(x as Node, 4), {
    code: 'HDL0003',
    message: /k is an integer in \[0, 3\], the size of the axis/,
  });
  t.throws(() => sort(x, 2), { code: 'HDL0003', message: /axis 2 does not exist/ });
});

t.test('gradients go to where elements came from', async (t) => {
  const random = seededRandom(9);
  const value = drawDistinct(random, [3, 5]);
  const x = input('x', [3, 5]);
  const outputs = [sort(x, 0), topK(x, 3, 1).values];
  t.same(checkGradients({ outputs, inputs: [x], values: { x: value }, random, order: 2 }), []);
});

t.test('targets agree with the interpreter', async (t) => {
  const random = seededRandom(3);
  const executor = await Executor.create({ threads: 2 });
  try {
    for (const shape of [[3, 50], [300]]) {
      const data = Array.from({ length: elementCount(shape) }, () => random.int(-99, 99) / 4);
      const values = { x: tensor('f32', shape, data) };
      const x = input('x', shape);
      const graph = makeGraph('sort', {
        inputs: [x],
        outputs: [
          { name: 'sorted', node: sort(x) },
          { name: 'order', node: argsort(x, -1, { descending: true }) },
        ],
      });
      for (const target of ['wasm', 'js'] as const) {
        if (target === 'js' && elementCount(shape) > 200) continue;
        const got = await runCompiled(graph, values, target, executor);
        t.same(disagreements(graph, values, got), [], `${target} ${shape}`);
      }
    }
  } finally {
    await executor.dispose();
  }
});
