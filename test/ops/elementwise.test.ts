// Public elementwise functions: broadcasting, numbers as operands, the semantics of integers and of special numbers, and
// the texts of errors.

import t from 'tap';
import type { Node } from '../../compiler/graph/ir.ts';
import {
  add,
  bitcast,
  bitwiseAnd,
  bitwiseNot,
  cast,
  constant,
  div,
  eq,
  erf,
  exp,
  floorMod,
  gt,
  input,
  logicalAnd,
  logicalNot,
  lt,
  maximum,
  minimum,
  mod,
  mul,
  neg,
  pow,
  round,
  shl,
  shr,
  sign,
  stopGradient,
  sub,
  where,
} from '../../compiler/ops/index.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { evaluate } from '../support/evaluate.ts';

const i32 = (...v: number[]): Node => constant(v, [v.length], 'i32');
const u32 = (...v: number[]): Node => constant(v, [v.length], 'u32');
const f32 = (...v: number[]): Node => constant(v, [v.length], 'f32');
const bool = (...v: boolean[]): Node => constant(v, [v.length], 'bool');

/** Code, what and rule of the error; the line is the caller's. */
function errorOf(t: { fail: (m: string) => unknown }, f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (!(e instanceof HeddleError)) throw e;
    if (!e.parts.loc?.file.includes('elementwise.test')) t.fail(`located in ${e.parts.loc?.file}`);
    return `${e.code}: ${e.parts.what}: ${e.parts.rule}`;
  }
  return 'no error';
}

t.test('shapes broadcast by inserting broadcast nodes', async (t) => {
  const x = input('x', [2, 3]);
  const row = input('row', [3]);
  const y = add(x, row);
  t.same(y.type, { dtype: 'f32', shape: [2, 3] });
  t.same(
    y.operands.map((o) => o.op.name),
    ['input', 'broadcastInDim'],
  );
  t.same(evaluate(y, { x: [1, 2, 3, 4, 5, 6], row: [10, 20, 30] }), [11, 22, 33, 14, 25, 36]);

  const column = input('column', [2, 1]);
  t.same(sub(row, column).type.shape, [2, 3], 'both sides stretch');
  t.same(evaluate(sub(row, column), { row: [1, 2, 3], column: [1, 10] }), [0, 1, 2, -9, -8, -7]);
  t.equal(add(x, x).operands[0], x, 'nothing is inserted when shapes are equal');
});

t.test('numbers take the dtype of the other operand', async (t) => {
  const x = input('x', [2], 'i32');
  t.same(evaluate(mul(x, 3), { x: [2, -5] }), [6, -15]);
  t.same(evaluate(sub(1, x), { x: [2, -5] }), [-1, 6]);
  t.same(add(1, 2).type, { dtype: 'f32', shape: [] }, 'two numbers are f32 scalars');
  t.equal(mul(input('y', [4]), 0.1).operands[1]!.attrs['value'], 0.1, 'kept in float64');
  t.match(
    errorOf(t, () => add(x, 0.5)),
    /^HDL0003: constant\(dtype: "i32", shape: \[2\], value: 0\.5\): 0\.5 is not a value of i32$/,
  );
});

t.test('errors name the call, the operands and the rule', async (t) => {
  const x = input('x', [64, 10]);
  const b: Node = input('b', [12]);
  const i: Node = input('i', [10], 'i32');
  const p: Node = input('p', [10], 'u8');
  t.equal(
    errorOf(t, () => add(x, b)),
    "HDL0001: add('x' (input f32[64, 10]), 'b' (input f32[12])): dimensions 10 and 12 (from the right: 0) do not broadcast",
  );
  t.equal(
    errorOf(t, () => mul(i, x as Node)),
    "HDL0002: mul(broadcastInDim i32[64, 10], 'x' (input f32[64, 10])): dtypes i32 and f32 differ",
  );
  t.equal(
    errorOf(t, () => exp(i)),
    "HDL0002: exp('i' (input i32[10])): the operand has dtype i32; accepted are f32",
  );
  t.equal(
    errorOf(t, () => add(p, 1)),
    "HDL0002: add('p' (input u8[10]), constant u8[10]): the operand has dtype u8; accepted are f32, i32, u32",
  );
  t.equal(
    errorOf(t, () => logicalAnd(i, i)),
    "HDL0002: logicalAnd('i' (input i32[10]), 'i' (input i32[10])): dtype i32 is not accepted, only bool",
  );
  t.equal(
    errorOf(t, () => where(gt(x, 0), b, 0)),
    "HDL0001: where(gt bool[64, 10], 'b' (input f32[12]), 0): dimensions 10 and 12 (from the right: 0) do not broadcast",
  );
});

t.test('integers wrap, divide towards zero and never trap', async (t) => {
  const min = -2147483648;
  t.same(evaluate(add(i32(2147483647), 1)), [min]);
  t.same(evaluate(mul(i32(65537, -3), i32(65537, 5))), [131073, -15]);
  t.same(evaluate(sub(u32(0), 1)), [4294967295]);
  t.same(evaluate(neg(i32(min, 5))), [min, -5]);
  t.same(evaluate(div(i32(7, -7, 7, 5, min), i32(2, 2, -2, 0, -1))), [3, -3, -3, 0, min]);
  t.same(evaluate(div(u32(4294967295, 7), u32(2, 0))), [2147483647, 0]);
  t.same(evaluate(mod(i32(7, -7, 7, 5), i32(3, 3, -3, 0))), [1, -1, 1, 0]);
  t.same(evaluate(floorMod(i32(7, -7, 7, 5), i32(3, 3, -3, 0))), [1, 2, -2, 0]);
  t.same(evaluate(shl(i32(1, 3), i32(31, 33))), [min, 6], 'counts are taken modulo 32');
  t.same(evaluate(shr(i32(-8), 1)), [-4], 'i32 keeps its sign');
  t.same(evaluate(shr(u32(4294967288), 1)), [2147483644], 'u32 does not');
  t.same(evaluate(bitwiseNot(u32(0))), [4294967295]);
  t.same(evaluate(bitwiseAnd(i32(-1), 255)), [255]);
  t.same(evaluate(sign(i32(-3, 0, 9))), [-1, 0, 1]);
});

t.test('truth values', async (t) => {
  const c = bool(true, false, true);
  t.same(evaluate(logicalAnd(c, bool(true, true, false))), [1, 0, 0]);
  t.same(evaluate(logicalNot(c)), [0, 1, 0]);
  t.same(evaluate(eq(c, bool(true, true, false))), [1, 0, 0]);
  t.same(evaluate(where(c, i32(1, 2, 3), -1)), [1, -1, 3]);
  t.same(evaluate(where(c, f32(1, NaN, 3), 0)), [1, 0, 3], 'the side not chosen goes nowhere');
});

t.test('floats: NaN goes through, zeros keep their signs', async (t) => {
  t.same(evaluate(maximum(f32(NaN, 1, -0), f32(1, NaN, 0))), [NaN, NaN, 0]);
  t.same(evaluate(minimum(f32(NaN, 0), f32(1, -0))), [NaN, -0]);
  t.same(evaluate(lt(f32(NaN, 1), f32(1, NaN))), [0, 0]);
  t.same(evaluate(eq(f32(NaN, 0), f32(NaN, -0))), [0, 1]);
  t.same(evaluate(round(f32(0.5, 1.5, 2.5, -0.5, -1.5, NaN))), [0, 2, 2, -0, -2, NaN]);
  t.same(evaluate(sign(f32(-2, 0, NaN))), [-1, 0, NaN]);
  t.same(evaluate(pow(f32(-2, 0, 2), f32(3, 0, -1))), [-8, 1, 0.5]);
});

t.test('erf, to float64 precision', async (t) => {
  // Values of Abramowitz & Stegun table 7.1 and of mpmath.
  const known: readonly (readonly [x: number, y: number])[] = [
    [0, 0],
    [1e-10, 1.1283791670955126e-10],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [-2, -0.9953222650189527],
    [2.9, 0.9999589021219005],
    [3.1, 0.9999883513426328],
    [5, 0.9999999999984626],
    [7, 1],
  ];
  const got = evaluate(
    erf(
      constant(
        known.map(([x]) => x),
        [known.length],
        'f32',
      ),
    ),
  );
  for (const [i, [x, y]] of known.entries()) {
    t.ok(Math.abs(got[i]! - y) <= 4e-16 * Math.abs(y) * 4, `erf(${x}) = ${got[i]}, expected ${y}`);
  }
});

t.test('conversions', async (t) => {
  t.same(evaluate(cast(f32(1.9, -1.9, 3e9, -3e9, NaN), 'i32')), [1, -1, 2147483647, -2147483648, 0]);
  t.same(evaluate(cast(f32(-1, 5e9, 2.5), 'u32')), [0, 4294967295, 2]);
  t.same(evaluate(cast(f32(300, -5, 7.7), 'u8')), [255, 0, 7], 'floats saturate');
  t.same(evaluate(cast(i32(300, -1), 'u8')), [44, 255], 'integers keep their low bits');
  t.same(evaluate(cast(i32(-1), 'u32')), [4294967295]);
  t.same(evaluate(cast(f32(0, -0, NaN, 0.1), 'bool')), [0, 0, 1, 1]);
  t.same(evaluate(cast(bool(true, false), 'f32')), [1, 0]);
  const x = input('x', [2]);
  t.equal(cast(x, 'f32') as Node, x as Node, 'the same dtype changes nothing');
  t.same(evaluate(bitcast(f32(1, -0), 'u32')), [0x3f800000, 0x80000000]);
  t.same(evaluate(bitcast(u32(0x40490fdb), 'f32')), [Math.fround(Math.PI)]);
  t.same(evaluate(stopGradient(f32(1, 2))), [1, 2]);
});

t.test('remainders of numbers', async (t) => {
  const xs = [7.5, -7.5, 7.5, 1, -0.25, 6, 5, Number.POSITIVE_INFINITY, 1e6, 0.3];
  const ys = [2, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3, 0, 2, 7, 0.1].map(Math.fround);
  const got = evaluate(mod(f32(...xs.map(Math.fround)), f32(...ys)));
  got.forEach((v, i) => {
    const want = Math.fround(xs[i]!) % ys[i]!;
    t.ok(
      Object.is(v, want) || Math.abs(v - want) < 1e-6 || v === want,
      `${xs[i]} mod ${ys[i]} = ${v}, not ${want}`,
    );
  });
  t.same(evaluate(floorMod(f32(-7.5, 7.5, 6), f32(2, -2, 3))), [0.5, -0.5, 0]);
});
