// The meaning of scalar expressions of Kernel IR, written down once more and independently of every op and target: loops,
// loads and lanes left out. In: an expression whose indices are constants. Out: its value, rounded as its type holds it.

import { constIndex, type Index, indexKey } from '../../compiler/kernel/affine.ts';
import type { Expr, ScalarType } from '../../compiler/kernel/expr.ts';
import { erf } from '../../compiler/ops/erf.ts';

export function evaluateExpr(root: Expr): number {
  // Sub-expressions are shared, 20 rounds deep in random bits: each object is evaluated once.
  const known = new Map<Expr, number>();
  const evaluate = (e: Expr): number => {
    const seen = known.get(e);
    if (seen !== undefined) return seen;
    const result = hold(e.type, value(e, evaluate));
    known.set(e, result);
    return result;
  };
  return evaluate(root);
}

function value(e: Expr, of: (e: Expr) => number): number {
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'index':
      return constantOf(e.index);
    case 'unary':
      return unary(e.fn, e.type, of(e.x));
    case 'binary':
      return binary(e.fn, e.type, of(e.x), of(e.y));
    case 'compare':
      return Number(compare(e.fn, of(e.x), of(e.y)));
    case 'select':
      return of(e.cond) !== 0 ? of(e.x) : of(e.y);
    case 'convert': {
      const x = of(e.x);
      if (e.type === 'bool') return Number(x !== 0);
      if (e.from !== 'f32' || e.type === 'f32') return x;
      if (Number.isNaN(x)) return 0;
      const [lo, hi] = e.type === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
      return Math.min(Math.max(Math.trunc(x), lo), hi);
    }
    case 'bitcast': {
      const view = new DataView(new ArrayBuffer(4));
      const x = of(e.x);
      if (e.from === 'f32') view.setFloat32(0, x);
      else view.setInt32(0, x);
      return e.type === 'f32' ? view.getFloat32(0) : view.getInt32(0);
    }
    case 'checkIndex':
    case 'checkFinite':
      return of(e.x);
    default:
      throw new Error(`expressions of kind ${e.kind} are not for this`);
  }
}

function hold(type: ScalarType, x: number): number {
  if (type === 'f32') return Math.fround(x);
  return type === 'i32' ? x | 0 : type === 'u32' ? x >>> 0 : Number(x !== 0);
}

function constantOf(index: Index): number {
  if (indexKey(index) !== indexKey(constIndex(index.constant))) throw new Error('not a constant index');
  return index.constant;
}

type FunctionOf<K extends Expr['kind']> = Extract<Expr, { kind: K; fn: unknown }>['fn'];

function unary(fn: FunctionOf<'unary'>, type: ScalarType, x: number): number {
  if (fn === 'neg') return -x;
  if (fn === 'not') return type === 'bool' ? 1 - x : ~x;
  if (fn === 'erf') return erf(x);
  if (fn !== 'round') return Math[fn](x);
  // Adding and subtracting 2⁵² leaves the nearest integer, halves to even.
  const rounded = Math.abs(x) < 2 ** 52 ? Math.abs(x) + 2 ** 52 - 2 ** 52 : Math.abs(x);
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

function binary(fn: FunctionOf<'binary'>, type: ScalarType, x: number, y: number): number {
  const isFloat = type === 'f32';
  switch (fn) {
    case 'add':
      return x + y;
    case 'sub':
      return x - y;
    case 'mul':
      return isFloat ? x * y : Math.imul(x, y);
    case 'div':
      return isFloat ? x / y : y === 0 ? 0 : Math.trunc(x / y);
    case 'mod':
      return y === 0 ? 0 : x % y;
    case 'min':
      return Math.min(x, y);
    case 'max':
      return Math.max(x, y);
    case 'pow':
      return x ** y;
    case 'and':
      return x & y;
    case 'or':
      return x | y;
    case 'xor':
      return x ^ y;
    case 'shl':
    case 'shr':
      if (y < 0 || y > 31) throw new Error(`shift by ${y}`);
      return fn === 'shl' ? x << y : type === 'u32' ? x >>> y : x >> y;
    default:
      return fn satisfies never;
  }
}

function compare(fn: FunctionOf<'compare'>, x: number, y: number): boolean {
  switch (fn) {
    case 'eq':
      return x === y;
    case 'ne':
      return x !== y;
    case 'lt':
      return x < y;
    case 'le':
      return x <= y;
    case 'gt':
      return x > y;
    case 'ge':
      return x >= y;
    default:
      return fn satisfies never;
  }
}
