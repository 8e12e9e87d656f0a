// Functions of one or two numbers that are compositions or have a polynomial of their own: how far the compiled code lies
// from float64, also at extreme arguments, and gradients at the places where formulas tend to break.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { erfc as erfcOf } from '../../compiler/ops/erf.ts';
import * as ops from '../../compiler/ops/index.ts';
import {
  acosh,
  asinh,
  atan2,
  atanh,
  cbrt,
  cumsum,
  erfc,
  exp2,
  input,
  l1,
  l2,
  std,
  sum,
} from '../../compiler/ops/index.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { runCompiled } from '../support/agree.ts';
import { evaluate } from '../support/evaluate.ts';

type Floats = Node<Shape, 'f32'>;
const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

/** Elements of f(x) on both targets, for float32 numbers. */
async function compiled(f: (...x: Floats[]) => Node, ...values: number[][]): Promise<number[][]> {
  const x = values.map((v, i) => input(`x${i}`, [v.length]) as Node as Floats);
  const graph = makeGraph('special', { inputs: x, outputs: [{ name: 'y', node: f(...x) }] });
  const feeds = Object.fromEntries(
    values.map((v, i) => [`x${i}`, { type: x[i]!.type, data: Float64Array.from(v, Math.fround) }]),
  );
  const found: number[][] = [];
  for (const target of ['wasm', 'js'] as const) {
    const executor = await Executor.create({ threads: 1 });
    try {
      found.push([...Array.from((await runCompiled(graph, feeds, target, executor))['y']!)]);
    } finally {
      await executor.dispose();
    }
  }
  return found;
}

/** Numbers of many magnitudes and both signs. */
const wide = [-34, -20, -9, -4, -2, -1, 0, 1, 2, 4, 9, 20, 34].flatMap((e) => [
  10 ** e,
  -(10 ** e),
  3.3 * 10 ** e,
]);

const cases: readonly (readonly [string, (x: Floats) => Node, (x: number) => number, number[], number])[] = [
  ['exp2', exp2, (x) => 2 ** x, [-126, -20.5, -1, -1e-6, 0, 0.3, 1, 10, 127.5], 3e-7],
  ['cbrt', cbrt, Math.cbrt, wide, 1.5e-6],
  ['asinh', asinh, Math.asinh, wide, 4e-7],
  ['acosh', acosh, Math.acosh, [1, 1.0001, 1.5, 2, 100, 1e6, 1e9, 1e12, 1e38], 4e-7],
  ['atanh', atanh, Math.atanh, [-0.999, -0.9, -0.5, -1e-4, -1e-20, 0, 1e-20, 1e-4, 0.5, 0.9, 0.999], 4e-7],
  ['erfc', erfc, erfcOf, [-9, -3, -1, -0.1, 0, 0.1, 0.5, 1, 2, 3, 5], 3e-6],
];

for (const [name, f, exact, values, limit] of cases) {
  t.test(`${name} to a relative ${limit}`, async (t) => {
    for (const got of await compiled(f, values)) {
      values.forEach((v, i) => {
        const want = exact(Math.fround(v));
        t.ok(
          Math.abs(got[i]! - want) <= limit * Math.abs(want) + 1e-44,
          `${name}(${v}) = ${got[i]}, exactly ${want}`,
        );
      });
    }
  });
}

t.test('atan2 in all quadrants and on the axes', async (t) => {
  const numbers = [0, -0, 1, -1, 2.5, -1e-30, 1e30, -1e30];
  const pairs = numbers.flatMap((y) => numbers.map((x) => [y, x] as const));
  for (const got of await compiled(
    (y, x) => atan2(y, x),
    pairs.map(([y]) => y),
    pairs.map(([, x]) => x),
  )) {
    pairs.forEach(([y, x], i) => {
      t.ok(Math.abs(got[i]! - Math.atan2(y, x)) < 6e-7, `atan2(${y}, ${x}) = ${got[i]}`);
    });
  }
  const [y, x] = [input('y', [5]), input('x', [5])];
  const [dy, dx] = grad(sum(atan2(y, x)), [y, x]);
  const at = { y: [1, 0, -2, 0, 3], x: [1, 2, 0, -4, -3] };
  const r = at.y.map((v, i) => v ** 2 + at.x[i]! ** 2);
  const near = (a: number[], b: number[]): boolean => a.every((v, i) => Math.abs(v - b[i]!) < 1e-12);
  t.ok(
    near(
      evaluate(dy!, at),
      at.x.map((v, i) => v / r[i]!),
    ),
    'x / (x² + y²), at ties and on axes too',
  );
  t.ok(
    near(
      evaluate(dx!, at),
      at.y.map((v, i) => -v / r[i]!),
    ),
    '-y / (x² + y²)',
  );
});

t.test('questions', async (t) => {
  for (const [f, want] of [
    [ops.isNaN, [1, 0, 0, 0]],
    [ops.isInf, [0, 1, 1, 0]],
    [ops.isFinite, [0, 0, 0, 1]],
  ] as const) {
    for (const got of await compiled((x) => f(x), [nan, inf, -inf, 3])) t.same(got, want);
  }
});

t.test('norms at extreme arguments, and their gradients at zero', async (t) => {
  for (const got of await compiled((x) => l2(x), [3e30, 4e30]))
    t.ok(Math.abs(got[0]! / 5e30 - 1) < 1e-6, 'large');
  for (const got of await compiled((x) => l2(x), [3e-30, 4e-30]))
    t.ok(Math.abs(got[0]! / 5e-30 - 1) < 1e-6, 'small');
  const x = input('x', [2]);
  const gradientOf = (y: Node, values: number[]): number[] =>
    evaluate(grad(y as Node<readonly [], 'f32'>, [x])[0]!, { x: values });
  t.same(gradientOf(l2(x), [0, 0]), [0, 0]);
  t.ok(gradientOf(l2(x), [3, -4]).every((v, i) => Math.abs(v - [0.6, -0.8][i]!) < 1e-12));
  t.same(gradientOf(l1(x), [3, 0]), [1, 0]);
  t.same(gradientOf(std(x), [2, 2]), [0, 0]);
  t.same(evaluate(std(x, 0, { ddof: 1 }), { x: [1, 3] }), [Math.SQRT2]);
});

t.test('a long running sum stays accurate', async (t) => {
  const n = 20000;
  const values = Array.from({ length: n }, (_, i) => Math.fround(0.1 + (i % 7) * 0.01));
  for (const got of await compiled((x) => cumsum(x), values)) {
    let total = 0;
    let worst = 0;
    values.forEach((v, i) => {
      total += v;
      worst = Math.max(worst, Math.abs(got[i]! - total) / total);
    });
    t.ok(worst < 5e-7, `relative error ${worst}`);
  }
});
