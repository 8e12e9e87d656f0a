// Accuracy of the math functions in f32 arithmetic, measured on the WebAssembly target against float64, and their values
// at the edges. The bounds are what was measured, rounded up.

import t from 'tap';
import { type BinaryFunction, binary, type UnaryFunction, unary } from '../../compiler/kernel/expr.ts';
import { erf } from '../../compiler/ops/erf.ts';
import { affine, Ids, kernel, load, loop, param, runKernel, store } from '../support/run-kernel.ts';

const bits = new DataView(new ArrayBuffer(8));

function fromBits(x: number): number {
  bits.setUint32(0, x);
  return bits.getFloat32(0);
}

/** Distance in units of the last place of the exact result (of the smallest subnormal below the normal range). */
function ulps(got: number, exact: number): number {
  if (Object.is(got, exact) || (Number.isNaN(got) && Number.isNaN(exact))) return 0;
  const rounded = Math.fround(exact);
  if (got === rounded) return Number.isFinite(rounded) ? Math.abs(got - exact) / ulp(exact) : 0;
  if (!Number.isFinite(got) || !Number.isFinite(rounded)) {
    // One of them overflows: count from the largest number.
    const limit = (x: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, x));
    return Math.abs(limit(got) - limit(exact)) / 2 ** 104;
  }
  return Math.abs(got - exact) / ulp(exact);
}

function ulp(x: number): number {
  const e = Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)));
  return 2 ** (e - 23);
}

function apply(fn: UnaryFunction, x: Float32Array): Float32Array {
  const ids = new Ids();
  const unit = ids.loop('unit', 1);
  const i = ids.loop('i', x.length);
  const k = kernel('f', [param('x', 'f32', x.length, 'read'), param('y', 'f32', x.length, 'write')], unit, [
    loop(i, [store(1, affine(0, [1, i]), unary(fn, load('f32', 0, affine(0, [1, i]), 1)), 4)], 4),
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

/** `count` numbers over [lo, hi], evenly spaced, and as many spaced evenly in their bits (all magnitudes). */
function sample(lo: number, hi: number, count: number): Float32Array {
  const out: number[] = [];
  for (let i = 0; i < count; i++) out.push(lo + ((hi - lo) * (i + 0.37)) / count);
  for (let i = 0; i < count; i++) {
    const x = fromBits(Math.floor((0x7f800000 * (i + 0.5)) / count));
    for (const s of [x, -x]) if (s >= lo && s <= hi) out.push(s);
  }
  while (out.length % 4 !== 0) out.push(lo);
  return Float32Array.from(out);
}

const functions: readonly (readonly [fn: UnaryFunction, exact: (x: number) => number, lo: number, hi: number, bound: number])[] = [
  ['exp', Math.exp, -110, 92, 1],
  ['expm1', Math.expm1, -30, 92, 1.5],
  ['log', Math.log, 0, 3.4e38, 1],
  ['log', Math.log, 0.25, 4, 1],
  ['log1p', Math.log1p, -1, 3.4e38, 1.6],
  ['log1p', Math.log1p, -1, 3, 1.6],
  ['sin', Math.sin, -1e5, 1e5, 2.8],
  ['sin', Math.sin, -8, 8, 1.6],
  ['cos', Math.cos, -1e5, 1e5, 2.8],
  ['cos', Math.cos, -8, 8, 1.6],
  ['tanh', Math.tanh, -12, 12, 1.4],
  ['erf', erf, -5, 5, 1.2],
]; // biome-ignore format: a table

for (const [fn, exact, lo, hi, bound] of functions) {
  t.test(`${fn} on [${lo}, ${hi}] errs by at most ${bound} ulp`, async (t) => {
    const x = sample(lo, hi, 100_000);
    const y = apply(fn, x);
    let worst = 0;
    let at = 0;
    x.forEach((v, i) => {
      const d = ulps(y[i]!, exact(v));
      if (!(d <= worst)) {
        worst = d;
        at = v;
      }
    });
    t.ok(worst <= bound, `${worst.toFixed(3)} ulp, at ${at}`);
  });
}

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

t.test('pow errs by at most 2.2 ulp', async (t) => {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < 400; i++) {
    const x = fromBits(0x00000100 + Math.floor((0x7f000000 * i) / 400));
    for (let j = 0; j < 400; j++) {
      // Exponents up to where the result overflows.
      const y = ((j - 200) / 200) * (152 / Math.max(Math.abs(Math.log2(x)), 0.01));
      xs.push(j % 5 === 0 ? -x : x);
      ys.push(j % 5 === 0 ? Math.round(y) : y);
    }
  }
  for (let i = 0; i < 80_000; i++) {
    xs.push(0.5 + i / 40_000);
    ys.push(((i * 7919) % 2001) / 10 - 100);
  }
  const x = Float32Array.from(xs);
  const y = Float32Array.from(ys);
  const z = apply2('pow', x, y);
  let worst = 0;
  let at = '';
  x.forEach((v, i) => {
    const d = ulps(z[i]!, v ** y[i]!);
    if (!(d <= worst)) {
      worst = d;
      at = `${v} ** ${y[i]} = ${v ** y[i]!}, got ${z[i]}`;
    }
  });
  t.ok(worst <= 2.2, `${worst.toFixed(3)} ulp, at ${at}`);
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
      if ((fn === 'sin' || fn === 'cos') && Math.abs(x) > 1e5) {
        t.ok(Number.isFinite(x) ? Math.abs(y[i]!) <= 1 : Number.isNaN(y[i]!), `${fn}(${x}) = ${y[i]}`);
        return;
      }
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
