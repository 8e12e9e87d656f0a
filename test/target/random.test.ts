// Random expressions give the same bits on every executor, and the text of their kernels is read back.

import fc from 'fast-check';
import t from 'tap';
import { type Index, offsetIndex } from '../../compiler/kernel/affine.ts';
import {
  type BinaryFunction,
  binary,
  type CompareFunction,
  compare,
  constant,
  convert,
  type Expr,
  type ScalarType,
  select,
  type UnaryFunction,
  unary,
} from '../../compiler/kernel/expr.ts';
import type { Kernel } from '../../compiler/kernel/ir.ts';
import { parseKernel } from '../../compiler/kernel/parse.ts';
import { printKernel } from '../../compiler/kernel/print.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import {
  affine,
  type Data,
  Ids,
  kernel,
  load,
  loop,
  param,
  runKernel,
  store,
} from '../support/run-kernel.ts';

const seed = 20240611;
const length = 16;
const types: readonly ScalarType[] = ['f32', 'i32', 'u32', 'bool'];

const unaries: Readonly<Record<ScalarType, readonly UnaryFunction[]>> = {
  f32: ['neg', 'abs', 'sign', 'floor', 'ceil', 'trunc', 'round', 'sqrt'],
  i32: ['neg', 'abs', 'sign', 'not'],
  u32: ['not'],
  bool: ['not'],
};
const whole: readonly BinaryFunction[] = [
  'add', 'sub', 'mul', 'div', 'min', 'max', 'mod', 'and', 'or', 'xor', 'shl', 'shr',
]; // biome-ignore format: a table
const binaries: Readonly<Record<ScalarType, readonly BinaryFunction[]>> = {
  f32: ['add', 'sub', 'mul', 'div', 'min', 'max'],
  i32: whole,
  u32: whole,
  bool: ['and', 'or', 'xor'],
};

/** A recipe: numbers from which `build` makes an expression, so that shrinking shrinks the expression. */
type Recipe = readonly (readonly [op: number, a: number, b: number, c: number])[];

/** Each step makes one expression from earlier ones; later steps may use any of them again, so that objects are shared. */
function build(recipe: Recipe, at: Index, row: Index, lanes: 1 | 4): Expr {
  const stride = lanes === 4 ? 1 : 0;
  const pool: Record<ScalarType, Expr[]> = {
    f32: [load('f32', 0, at, stride), constant('f32', 1.5), load('f32', 0, offsetIndex(row, 2))],
    i32: [
      load('i32', 1, at, stride),
      constant('i32', 3),
      { kind: 'index', type: 'i32', index: at, laneStride: stride },
    ],
    u32: [load('u32', 2, at, stride), constant('u32', 29)],
    bool: [load('bool', 3, at, stride), constant('bool', 1)],
  };
  const pick = (type: ScalarType, n: number): Expr =>
    pool[type][pool[type].length - 1 - (n % pool[type].length)]!;
  const choose = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
  let last: Expr = pool.f32[0]!;
  for (const [op, a, b, c] of recipe) {
    const type = choose(types, op >> 3);
    const other = choose(types, b);
    let e: Expr;
    switch (op % 8) {
      case 0:
        e = unary(choose(unaries[type], a), pick(type, b));
        break;
      case 1:
      case 2:
      case 3:
        e = binary(choose(binaries[type], c), pick(type, a), pick(type, b));
        break;
      case 4:
        e = compare(
          choose<CompareFunction>(['eq', 'ne', 'lt', 'le', 'gt', 'ge'], c),
          pick(type, a),
          pick(type, b),
        );
        break;
      case 5:
        e = select(pick('bool', c), pick(type, a), pick(type, b));
        break;
      case 6:
        e = convert(type, pick(other, a));
        break;
      default:
        e = {
          kind: 'guard',
          type,
          conditions:
            c % 2 === 0
              ? [{ kind: 'inRange', index: row, lo: c % 7, hi: 12 }]
              : [{ kind: 'divisible', index: offsetIndex(row, c), by: 1 + (a % 5) }],
          value: pick(type, a),
          otherwise: pick(type, b),
        };
    }
    pool[e.type].push(e);
    last = e;
  }
  return last;
}

function kernelOf(recipe: Recipe, lanes: 1 | 4): Kernel {
  const ids = new Ids();
  const unit = ids.loop('row', 3);
  const i = ids.loop('i', length);
  const n = 3 * length;
  // Guards ask for the row and, where lanes do not differ in it, for the position.
  const at = affine(0, [length, unit], [1, i]);
  const value = build(recipe, at, affine(0, [5, unit], [1, unit]), lanes);
  const results: Record<ScalarType, number> = { f32: 4, i32: 5, u32: 6, bool: 7 };
  return kernel(
    'random',
    [
      param('x', 'f32', n, 'read'),
      param('i', 'i32', n, 'read'),
      param('u', 'u32', n, 'read'),
      param('b', 'bool', n, 'read'),
      param('of', 'f32', n, 'write'),
      param('oi', 'i32', n, 'write'),
      param('ou', 'u32', n, 'write'),
      param('ob', 'bool', n, 'write'),
    ],
    unit,
    [loop(i, [store(results[value.type], at, value, lanes)], lanes)],
  );
}

function data(): Data[] {
  const n = 3 * length;
  const odd = [0, -0, 1, -1, 0.5, 1e-40, 3e38, Number.NaN, Number.POSITIVE_INFINITY, 2147483648, -7.25, 1e9];
  return [
    Float32Array.from({ length: n }, (_, j) => odd[j % odd.length]! * (j < 24 ? 1 : 1.7)),
    Int32Array.from({ length: n }, (_, j) => Math.imul(j - 9, j % 3 === 0 ? 1 : 0x2545f491)),
    Uint32Array.from({ length: n }, (_, j) => Math.imul(j, j % 4 === 0 ? 1 : 0x9e3779b1)),
    Uint8Array.from({ length: n }, (_, j) => ((j * 5) % 3 === 1 ? 1 : 0)),
    new Float32Array(n),
    new Int32Array(n),
    new Uint32Array(n),
    new Uint8Array(n),
  ];
}

const small = fc.nat({ max: 63 });
const recipes = fc.array(fc.tuple(small, small, small, small), { minLength: 1, maxLength: 14 });

t.test(`random expressions agree (seed ${seed})`, async (t) => {
  const buffers = data();
  fc.assert(
    fc.property(recipes, (recipe) => {
      const scalar = kernelOf(recipe, 1);
      const vector = kernelOf(recipe, 4);
      verifyKernel(scalar);
      verifyKernel(vector);
      const expected = runKernel(scalar, buffers, 'interpreter');
      const dump = (found: Data[], who: string): void => {
        const isSame = found.every((d, n) => d.every((x, j) => Object.is(x, expected[n]![j])));
        if (!isSame) throw new Error(`${who} differs\n${printKernel(who === 'js' ? scalar : vector)}`);
      };
      dump(runKernel(vector, buffers, 'interpreter'), 'interpreter with four lanes');
      dump(runKernel(scalar, buffers, 'js'), 'js');
      dump(runKernel(scalar, buffers, 'wasm'), 'wasm with one lane');
      dump(runKernel(vector, buffers, 'wasm'), 'wasm with four lanes');
      const text = printKernel(vector);
      const back = parseKernel(text);
      if (printKernel(back) !== text)
        throw new Error(`text changes when read back\n${text}\n${printKernel(back)}`);
      dump(runKernel(back, buffers, 'wasm'), 'what was read back');
    }),
    { seed, numRuns: 400 },
  );
  t.pass('400 expressions');
});
