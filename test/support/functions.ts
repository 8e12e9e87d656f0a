// What the elementwise functions are held to: the exact value in float64, and how many units in the last place each target
// may err by. docs/math.md is made from this table, and test/ops/accuracy.test.ts measures it.

import type { Node } from '../../compiler/graph/ir.ts';
import { erf, erfc } from '../../compiler/ops/erf.ts';
import * as h from '../../src/index.ts';

type Floats = Node<readonly number[], 'f32'>;

export interface MeasuredFunction {
  readonly name: string;
  readonly apply: (x: Floats, y: Floats) => Node;
  readonly exact: (x: number, y: number) => number;
  /** Where half of the samples lie; the others take all exponents of f32. */
  readonly near: readonly [lo: number, hi: number];
  /** Largest error in units in the last place: rounded products (`wasm`), fused ones, and the js target. */
  readonly ulps: { readonly wasm: number; readonly fused: number; readonly js: number };
  /** Of two operands; `near` is then the range of the first, and of the second this. */
  readonly second?: readonly [lo: number, hi: number];
}

const one =
  (apply: (x: Floats) => Node): MeasuredFunction['apply'] =>
  (x) =>
    apply(x);

/** x Φ(x), without the cancellation in 1 + erf(x/√2). */
const gelu = (x: number): number => 0.5 * x * erfc(-x * Math.SQRT1_2);
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** By the distance to the nearest integer, which is exact. */
const sinc = (x: number): number => {
  const n = Math.round(x);
  return x === 0 ? 1 : ((n % 2 === 0 ? 1 : -1) * Math.sin(Math.PI * (x - n))) / (Math.PI * x);
};
/** By Newton's method, from the last place that is not yet beyond: erf is concave above 0. */
const erfInv = (x: number): number => {
  if (!(Math.abs(x) < 1)) return Math.abs(x) === 1 ? x * Number.POSITIVE_INFINITY : Number.NaN;
  const a = Math.abs(x);
  let y = (a * Math.sqrt(Math.PI)) / 2;
  for (let step = 0; step < 60; step++) {
    const off = a < 0.5 ? erf(y) - a : 1 - a - erfc(y);
    y -= off * Math.exp(y * y) * (Math.sqrt(Math.PI) / 2);
  }
  return Object.is(x, -0) || x < 0 ? -y : y;
};

type Row = readonly [
  name: string,
  apply: MeasuredFunction['apply'],
  exact: MeasuredFunction['exact'],
  near: readonly [number, number],
  wasm: number,
  fused: number,
  js: number,
  second?: readonly [number, number],
];

const rows: readonly Row[] = [
  ['exp', one((x) => h.exp(x)), Math.exp, [-104, 89], 1.2, 0.9, 0.6],
  ['expm1', one((x) => h.expm1(x)), Math.expm1, [-18, 89], 1.6, 1.5, 0.6],
  ['exp2', one((x) => h.exp2(x)), (x) => 2 ** x, [-150, 128], 1.1, 0.9, 0.6],
  ['log', one((x) => h.log(x)), Math.log, [0, 4], 0.9, 0.9, 0.6],
  ['log1p', one((x) => h.log1p(x)), Math.log1p, [-1, 3], 1.5, 1.5, 0.6],
  ['log2', one((x) => h.log2(x)), Math.log2, [0, 4], 1.9, 1.9, 1.5],
  ['log10', one((x) => h.log10(x)), Math.log10, [0, 4], 2.1, 2.1, 1.8],
  ['sqrt', one((x) => h.sqrt(x)), Math.sqrt, [0, 4], 0.6, 0.6, 0.6],
  ['rsqrt', one((x) => h.rsqrt(x)), (x) => 1 / Math.sqrt(x), [0, 4], 1.5, 1.5, 1.5],
  ['cbrt', one((x) => h.cbrt(x)), Math.cbrt, [-4, 4], 0.8, 0.8, 0.8],
  ['pow', (x, y) => h.pow(x, y), (x, y) => x ** y, [0, 4], 3.9, 3.5, 0.6, [-40, 40]],
  ['sin', one((x) => h.sin(x)), Math.sin, [-3200, 3200], 2.3, 1.9, 0.6],
  ['cos', one((x) => h.cos(x)), Math.cos, [-3200, 3200], 2.4, 2, 0.6],
  ['tan', one((x) => h.tan(x)), Math.tan, [-10, 10], 4, 3, 2],
  ['asin', one((x) => h.asin(x)), Math.asin, [-1, 1], 3.6, 3.6, 3.6],
  ['acos', one((x) => h.acos(x)), Math.acos, [-1, 1], 3.3, 3.3, 3.3],
  ['atan', one((x) => h.atan(x)), Math.atan, [-8, 8], 2.8, 2.8, 2.8],
  ['atan2', (x, y) => h.atan2(x, y), Math.atan2, [-4, 4], 3.1, 3.1, 3.1, [-4, 4]],
  ['sinh', one((x) => h.sinh(x)), Math.sinh, [-89.4, 89.4], 2.9, 2.5, 2],
  ['cosh', one((x) => h.cosh(x)), Math.cosh, [-89.4, 89.4], 2.9, 2.5, 2],
  ['tanh', one((x) => h.tanh(x)), Math.tanh, [-10, 10], 2.4, 2.4, 0.6],
  ['asinh', one((x) => h.asinh(x)), Math.asinh, [-8, 8], 2, 2, 1.5],
  ['acosh', one((x) => h.acosh(x)), Math.acosh, [1, 8], 2.6, 2.7, 3],
  ['atanh', one((x) => h.atanh(x)), Math.atanh, [-1, 1], 1.9, 1.9, 1.3],
  ['erf', one((x) => h.erf(x)), erf, [-4, 4], 1.2, 1.1, 1.2],
  ['erfc', one((x) => h.erfc(x)), erfc, [-4, 10.1], 3.9, 3.5, 3.9],
  ['erfInv', one((x) => h.erfInv(x)), erfInv, [-1, 1], 3.8, 3.8, 3.9],
  ['sinc', one((x) => h.sinc(x)), sinc, [-8, 8], 3, 3, 3],
  ['sigmoid', one((x) => h.sigmoid(x)), sigmoid, [-104, 20], 2.3, 2.3, 2.3],
  ['softplus', one((x) => h.softplus(x)), softplus, [-104, 20], 1.9, 2.1, 1.5],
  ['logSigmoid', one((x) => h.logSigmoid(x)), (x) => -softplus(-x), [-20, 104], 1.9, 1.9, 1.5],
  ['silu', one((x) => h.silu(x)), (x) => x * sigmoid(x), [-104, 20], 53, 53, 53],
  ['gelu', one((x) => h.gelu(x)), gelu, [-3, 10], 180, 180, 180],
  ['mish', one((x) => h.mish(x)), (x) => x * Math.tanh(softplus(x)), [-104, 20], 53, 53, 53],
]; // biome-ignore format: a table

export const measuredFunctions: readonly MeasuredFunction[] = rows.map(
  ([name, apply, exact, near, wasm, fused, js, second]) => ({
    name,
    apply,
    exact,
    near,
    ulps: { wasm, fused, js },
    ...(second && { second }),
  }),
);

/** Where every function has a value of its own: the ends of the numbers, both zeros, and NaN. */
export const specialPoints: readonly number[] = [
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  Number.POSITIVE_INFINITY,
  Number.NaN,
];
