// The reference semantics of Kernel IR: runs a kernel one statement, one lane and one operation at a time, in float32
// (every f32 result is rounded). Slow and obviously right; targets are tested against it. Lanes that a statement leaves
// unspecified hold NaN here, so that reading them shows.

import type { Index } from './affine.ts';
import { type BinaryFunction, type Condition, combiner, type Expr, type ScalarType } from './expr.ts';
import type { Kernel, Lanes, Stmt } from './ir.ts';
import { float64Functions } from './math/float64.ts';

/** Memory of one parameter: any typed array; elements are rounded to the parameter's storage type when stored. */
export type KernelBuffer = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/**
 * Runs units [begin, end) of a kernel on one buffer per parameter. bool is 0 or 1. Throws RangeError when an access
 * leaves its buffer.
 *
 * @example
 * interpretKernel(kernel, [new Float32Array([1, -2]), out], 0, kernel.unit.extent);
 */
export function interpretKernel(
  kernel: Kernel,
  buffers: readonly KernelBuffer[],
  begin: number,
  end: number,
): void {
  const vars = new Map<number, number>();
  const registers = new Map<number, number[]>();
  for (let unit = begin; unit < end; unit++) {
    vars.set(kernel.unit.id, unit);
    run(kernel.body);
  }

  function run(stmts: readonly Stmt[]): void {
    for (const s of stmts) {
      switch (s.kind) {
        case 'for': {
          const limit = indexAt(s.limit);
          for (let v = 0; v < limit; v += s.step) {
            vars.set(s.v.id, v);
            run(s.body);
          }
          break;
        }
        case 'if':
          run(holds(s.conditions) ? s.body : s.otherwise);
          break;
        case 'let':
        case 'set': {
          const lanes = evaluate(s.value, s.lanes);
          registers.set(
            s.reg.id,
            [0, 1, 2, 3].map((l) => lanes[l] ?? Number.NaN),
          );
          break;
        }
        case 'store': {
          const lanes = evaluate(s.value, s.lanes);
          const at = indexAt(s.index);
          const { storage } = kernel.params[s.param]!;
          lanes.forEach((x, l) => {
            const value = storage === 'u8' ? x & 255 : x;
            buffers[s.param]![element(s.param, at + l * s.laneStride)] = value;
          });
          break;
        }
        default:
          s satisfies never;
      }
    }
  }

  function element(param: number, at: number): number {
    const { name, elements } = kernel.params[param]!;
    const size = Math.min(elements, buffers[param]!.length);
    if (at >= 0 && at < size) return at;
    throw new RangeError(`kernel '${kernel.name}': element ${at} of '${name}', which has ${size} elements`);
  }

  function holds(conditions: readonly Condition[]): boolean {
    return conditions.every((c) => {
      const i = indexAt(c.index);
      return c.kind === 'inRange' ? i >= c.lo && i < c.hi : i % c.by === 0;
    });
  }

  /** The value of an index; run-time values in it are those of lane 0. */
  function indexAt(i: Index, values: (e: Expr) => number = (e) => evaluate(e, 1)[0]!): number {
    let sum = i.constant;
    for (const { coeff, atom } of i.terms) {
      let x: number;
      if (atom.kind === 'var') x = vars.get(atom.id)!;
      else if (atom.kind === 'value') x = values(atom.expr);
      else {
        const inner = indexAt(atom.x, values);
        const quotient = Math.floor(inner / atom.by);
        x = atom.kind === 'div' ? quotient : inner - quotient * atom.by;
      }
      sum += coeff * x;
    }
    return sum;
  }

  /** The first `lanes` lanes of an expression. Each object is computed once. */
  function evaluate(root: Expr, lanes: Lanes): number[] {
    const memo = new Map<Expr, number[]>();
    const each = (f: (lane: number) => number): number[] => Array.from({ length: lanes }, (_, l) => f(l));
    const value = (e: Expr): number[] => {
      const seen = memo.get(e);
      if (seen) return seen;
      const result = compute(e);
      memo.set(e, result);
      return result;
    };
    const compute = (e: Expr): number[] => {
      switch (e.kind) {
        case 'const':
          return each(() => roundTo(e.type, e.value));
        case 'load': {
          const at = indexAt(e.index, (x) => value(x)[0]!);
          const { storage } = kernel.params[e.param]!;
          return each((l) => {
            const x = buffers[e.param]![element(e.param, at + l * e.laneStride)]!;
            return storage === 'bool' ? Number(x !== 0) : x;
          });
        }
        case 'index': {
          const at = indexAt(e.index, (x) => value(x)[0]!);
          return each((l) => (at + l * e.laneStride) | 0);
        }
        case 'unary': {
          const x = value(e.x);
          return each((l) => unaryOf(e.fn, e.type, x[l]!));
        }
        case 'binary': {
          const x = value(e.x);
          const y = value(e.y);
          return each((l) => binaryOf(e.fn, e.type, x[l]!, y[l]!));
        }
        case 'compare': {
          const x = value(e.x);
          const y = value(e.y);
          return each((l) => Number(compareOf(e.fn, x[l]!, y[l]!)));
        }
        case 'select': {
          const c = value(e.cond);
          const x = value(e.x);
          const y = value(e.y);
          return each((l) => (c[l] !== 0 ? x[l]! : y[l]!));
        }
        case 'convert': {
          const x = value(e.x);
          return each((l) => convertOf(e.from, e.type, x[l]!));
        }
        case 'bitcast': {
          const x = value(e.x);
          return each((l) => fromBits(e.type, toBits(e.from, x[l]!)));
        }
        case 'guard':
          return value(holds(e.conditions) ? e.value : e.otherwise);
        case 'checkIndex': {
          const x = value(e.x);
          return each((l) => {
            if (x[l]! >= 0 && x[l]! < e.size) return x[l]!;
            flag(e.site, x[l]!);
            return Math.min(Math.max(x[l]!, 0), Math.max(0, e.size - 1));
          });
        }
        case 'checkFinite': {
          const x = value(e.x);
          for (const v of x) if (!Number.isFinite(v)) flag(e.site, 1);
          return x;
        }
        case 'reg':
          return registers.get(e.reg.id)!.slice(0, lanes);
        case 'horizontal': {
          const [a, b, c, d] = value(e.x) as [number, number, number, number];
          const join = (x: number, y: number): number => binaryOf(combiner(e.monoid), e.type, x, y);
          const all = join(join(a, b), join(c, d));
          return each(() => all);
        }
        case 'reduce':
        case 'argmax':
          throw new Error(`kernel '${kernel.name}': a reduction that was not scheduled`);
        default:
          return e satisfies never;
      }
    };
    return value(root);
  }

  function flag(site: number, word: number): void {
    const flags = buffers[kernel.flags!]!;
    flags[site + 1] = word;
    flags[0] = 1;
  }
}

function roundTo(type: ScalarType, x: number): number {
  if (type === 'f32') return Math.fround(x);
  if (type === 'i32') return x | 0;
  return type === 'u32' ? x >>> 0 : Number(x !== 0);
}

function unaryOf(fn: Extract<Expr, { kind: 'unary' }>['fn'], type: ScalarType, x: number): number {
  if (fn === 'not') return type === 'bool' ? 1 - x : roundTo(type, ~x);
  if (fn === 'neg') return roundTo(type, -x);
  if (fn === 'round') return roundEven(x);
  return roundTo(type, float64Functions[fn](x));
}

/** To the nearest integer, ties to even. */
function roundEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const result = up ? below + 1 : below;
  return result === 0 && x < 0 ? -0 : Number.isFinite(x) && x !== 0 ? result : x;
}

function binaryOf(fn: BinaryFunction, type: ScalarType, x: number, y: number): number {
  switch (fn) {
    case 'add':
      return roundTo(type, x + y);
    case 'sub':
      return roundTo(type, x - y);
    case 'mul':
      return type === 'f32' ? Math.fround(x * y) : roundTo(type, Math.imul(x, y));
    case 'div':
      return type === 'f32' ? Math.fround(x / y) : y === 0 ? 0 : roundTo(type, Math.trunc(x / y));
    case 'mod':
      return y === 0 ? 0 : roundTo(type, x % y);
    case 'pow':
      return Math.fround(x ** y);
    // NaN when either is NaN; x when they are equal, also as +0 and −0.
    case 'min':
      return Number.isNaN(y) || y < x ? y : x;
    case 'max':
      return Number.isNaN(y) || x < y ? y : x;
    case 'and':
      return roundTo(type, x & y);
    case 'or':
      return roundTo(type, x | y);
    case 'xor':
      return roundTo(type, x ^ y);
    case 'shl':
      return roundTo(type, x << y);
    case 'shr':
      return type === 'i32' ? x >> y : x >>> y;
    default:
      return fn satisfies never;
  }
}

function compareOf(fn: Extract<Expr, { kind: 'compare' }>['fn'], x: number, y: number): boolean {
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

function convertOf(from: ScalarType, to: ScalarType, x: number): number {
  if (from !== 'f32' || to === 'f32' || to === 'bool') return roundTo(to, x);
  if (Number.isNaN(x)) return 0;
  const [lo, hi] = to === 'i32' ? [-2147483648, 2147483647] : [0, 4294967295];
  return Math.min(Math.max(Math.trunc(x), lo), hi) + 0;
}

const word = new DataView(new ArrayBuffer(4));

function toBits(type: ScalarType, x: number): number {
  if (type !== 'f32') return x;
  word.setFloat32(0, x);
  return word.getInt32(0);
}

function fromBits(type: ScalarType, bits: number): number {
  if (type !== 'f32') return roundTo(type, bits);
  word.setInt32(0, bits);
  return word.getFloat32(0);
}
