// Math functions in f32 arithmetic on the WebAssembly target: values at the edges, and where they are easily lost. How much
// they err elsewhere is measured in test/ops/accuracy.test.ts.

import t from 'tap';
import {
  type BinaryFunction,
  binary,
  type Expr,
  type UnaryFunction,
  unary,
} from '../../compiler/kernel/expr.ts';
import { twoOverPi } from '../../compiler/kernel/math/quarter-turns.ts';
import { erf } from '../../compiler/ops/erf.ts';
import { affine, Ids, kernel, load, loop, param, runKernel, store } from '../support/run-kernel.ts';
import { ulps } from '../support/ulps.ts';

function apply(fn: UnaryFunction, x: Float32Array, of: (x: Expr) => Expr = (x) => x): Float32Array {
  const ids = new Ids();
  const unit = ids.loop('unit', 1);
  const i = ids.loop('i', x.length);
  const k = kernel('f', [param('x', 'f32', x.length, 'read'), param('y', 'f32', x.length, 'write')], unit, [
    loop(i, [store(1, affine(0, [1, i]), unary(fn, of(load('f32', 0, affine(0, [1, i]), 1))), 4)], 4),
  ]);
  return runKernel(k, [x, new Float32Array(x.length)], 'wasm')[1] as Float32Array;
}

function apply2(fn: BinaryFunction, x: Float32Array, y: Float32Array): Float32Array {
  const ids = new Ids();
  const unit = ids.loop('unit', 1);
  const i = ids.loop('i', x.length);
  const at = affine(0, [1, i]);
  const k = kernel(
    'f',
    [
      param('x', 'f32', x.length, 'read'),
      param('y', 'f32', x.length, 'read'),
      param('z', 'f32', x.length, 'write'),
    ],
    unit,
    [loop(i, [store(2, at, binary(fn, load('f32', 0, at, 1), load('f32', 1, at, 1)), 4)], 4)],
  );
  return runKernel(k, [x, y, new Float32Array(x.length)], 'wasm')[2] as Float32Array;
}

t.test('exp of what is seen to be negative has the bits of exp', async (t) => {
  const x = Float32Array.from({ length: 40000 }, (_, i) => -i / 350);
  x.set([-0, 1e-40, -1e-40, Number.NaN, Number.NEGATIVE_INFINITY, -103.97, -103.98, -87.336, -87.337], 100);
  const negative = (v: Expr): Expr => unary('neg', unary('abs', v));
  t.same(
    apply('exp', x, negative),
    apply(
      'exp',
      x.map((v) => -Math.abs(v)),
    ),
  );
});

t.test('sin and cos keep their digits next to multiples of π/2', async (t) => {
  const near: number[] = [];
  for (let n = 1; n < 63000; n += 7) near.push((n * Math.PI) / 2, (-n * Math.PI) / 2);
  while (near.length % 4 !== 0) near.push(1);
  const x = Float32Array.from(near);
  for (const [fn, exact] of [
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const) {
    const y = apply(fn, x);
    const worst = Math.max(...Array.from(x, (v, i) => ulps(y[i]!, exact(v))));
    t.ok(worst <= 2, `${fn}: ${worst.toFixed(3)} ulp`);
  }
});

t.test('sin and cos of large arguments: 2/π has enough digits', async (t) => {
  // Of all floats, 16367173 · 2⁷² comes next to a multiple of π/2: 1.6e-9 from it (Muller, Handbook, §10.2).
  const x = Float32Array.from(
    { length: 4096 },
    (_, i) => (1 + (i * 2047 + 5) / 2 ** 23) * 2 ** (11 + (i % 117)),
  );
  x.set([16367173 * 2 ** 72, -16367173 * 2 ** 72, 3.4028234663852886e38, 3000.000244140625]);
  for (const [fn, exact] of [
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const) {
    const y = apply(fn, x);
    const worst = Math.max(...Array.from(x, (v, i) => ulps(y[i]!, exact(v))));
    t.ok(worst <= 2.5, `${fn}: ${worst.toFixed(3)} ulp`);
  }
});

t.test('the words of 2/π are those of 2/π', async (t) => {
  // Machin: π/4 = 4 arctan 1/5 − arctan 1/239, in integers.
  const one = 1n << 300n;
  const arctan = (x: bigint): bigint => {
    let sum = 0n;
    for (let power = one / x, n = 1n; power > 0n; power /= x * x, n += 2n)
      sum += (n % 4n === 1n ? power : -power) / n;
    return sum;
  };
  const pi = 4n * (4n * arctan(5n) - arctan(239n));
  const digits = (2n * one * (1n << 224n)) / pi;
  const words = [0n, ...Array.from({ length: 7 }, (_, i) => (digits >> BigInt(32 * (6 - i))) & 0xffffffffn)];
  t.same(twoOverPi.map(BigInt), words);
});

t.test('edges: zeros, infinities, NaN, subnormals, overflow', async (t) => {
  const edges = Float32Array.from([
    0, -0, 1, -1, Infinity, -Infinity, NaN, 1.4e-45, -1.4e-45, 1e-40, -1e-40, 1.17549435e-38, -1.17549435e-38,
    3.4028234e38, -3.4028234e38, 88.8, -104, -87.5, 0.5, -0.5,
  ]); // biome-ignore format: a list
  const exact: Partial<Record<UnaryFunction, (x: number) => number>> = {
    exp: Math.exp, expm1: Math.expm1, log: Math.log, log1p: Math.log1p, tanh: Math.tanh, erf, sign: Math.sign,
    sin: Math.sin, cos: Math.cos, sqrt: Math.sqrt,
  }; // biome-ignore format: a table
  for (const [fn, f] of Object.entries(exact) as [UnaryFunction, (x: number) => number][]) {
    const y = apply(fn, edges);
    edges.forEach((x, i) => {
      const want = Math.fround(f(x));
      const same = Object.is(want, y[i]) || (want !== 0 && ulps(y[i]!, f(x)) <= 2);
      t.ok(same, `${fn}(${Object.is(x, -0) ? '-0' : x}) = ${Object.is(y[i], -0) ? '-0' : y[i]}, not ${want}`);
    });
  }
});

t.test('pow has the special cases of Math.pow', async (t) => {
  const list = [
    0,
    -0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    0.5,
    -0.5,
    2.5,
    Infinity,
    -Infinity,
    NaN,
    1e10,
    -1e10,
    16777217,
    1e-40,
    3e38,
  ];
  const x = Float32Array.from(list.flatMap((v) => list.map(() => v)).concat([1, 1, 1]));
  const y = Float32Array.from(list.flatMap(() => list).concat([1, 1, 1]));
  const z = apply2('pow', x, y);
  x.forEach((v, i) => {
    const want = Math.fround(v ** y[i]!);
    const same = Object.is(want, z[i]) || (want !== 0 && ulps(z[i]!, v ** y[i]!) <= 2);
    if (!same) t.fail(`pow(${Object.is(v, -0) ? '-0' : v}, ${y[i]}) = ${z[i]}, not ${want}`);
  });
  t.pass(`${x.length} pairs`);
});
