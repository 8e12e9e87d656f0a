// Random bits, as a function of a key and a position: no state, no order, the same on every target and for any number of
// workers, and equal to JAX's with `jax_threefry_partitionable` (its default).
//
//   bits[i]       = a ^ b of threefry2x32(key, (0, i)), i the row-major position
//   foldIn(k, d)  = threefry2x32(k, (0, d)): a new key for each d
//
// A key must not be used twice: fold in a counter, or split it.

import { makeNode } from '../graph/build.ts';
import type { Fail, HostTensor, Node, OpDef, SampleSource } from '../graph/ir.ts';
import { elementCount, formatType, type Shape, sameShape, type TensorType } from '../graph/types.ts';
import { constIndex, type Index } from '../kernel/affine.ts';
import { binary, compare, constant, convert, type Expr, indexValue, select } from '../kernel/expr.ts';
import { checkIntegers } from './attrs.ts';
import { cast } from './convert.ts';
import { defineOp } from './define.ts';
import { drawElements } from './elementwise.ts';
import { flatIndex, full } from './leaf.ts';
import { numberWords, threefry2x32, type WordArithmetic } from './threefry.ts';

const exprWords: WordArithmetic<Expr> = {
  word: (value) => constant('u32', value),
  add: (x, y) => binary('add', x, y),
  xor: (x, y) => binary('xor', x, y),
  rotate: (x, by) =>
    binary('or', binary('shl', x, constant('u32', by)), binary('shr', x, constant('u32', 32 - by))),
};

const notSmooth = { none: 'random bits have no derivative' } as const;

function checkKey(key: TensorType, fail: Fail): void {
  if (key.dtype === 'u32' && sameShape(key.shape, [2])) return;
  fail(`a key is u32[2], not ${formatType(key)}`, 'make one with randomKey(seed)', 'HDL0002');
}

function keyWords({ data }: HostTensor): [number, number] {
  return [data[0]!, data[1]!];
}

function keyExprs(read: (operand: number, at: readonly Index[]) => Expr): [Expr, Expr] {
  return [read(0, [constIndex(0)]), read(0, [constIndex(1)])];
}

function drawKey(random: SampleSource): HostTensor {
  return drawElements(random, 'u32', [2], (r) => r.int(0, 4294967295));
}

const randomBitsOp: OpDef = defineOp<{ shape: readonly number[] }>({
  name: 'randomBits',
  family: 'random',
  doc: {
    summary: 'Uniform random bits: Threefry-2x32 of the key and the position, as in JAX.',
    formula: 'y[i] = a ^ b, where (a, b) = threefry2x32(key, (0, i)) and i is row-major',
    types: 'key: u32[2] → u32[shape]',
    attrs: { shape: 'list of dimensions' },
    example: 'randomBits(randomKey(0), [64, 10])',
  },
  arity: 1,
  type: ([key], { shape }, fail) => {
    checkKey(key!, fail);
    checkIntegers(fail, 'shape', shape, Array.isArray(shape) ? shape.length : 0, 0);
    return { dtype: 'u32', shape };
  },
  reference: ([key], _attrs, out) =>
    Float64Array.from({ length: elementCount(out.shape) }, (_, i) => {
      const [a, b] = threefry2x32(numberWords, keyWords(key!), [0, i]);
      return numberWords.xor(a, b);
    }),
  gradient: notSmooth,
  lower: ({ node, at, read }) => {
    const position = convert('u32', indexValue(flatIndex(node.type.shape, at)));
    const [a, b] = threefry2x32(exprWords, keyExprs(read), [constant('u32', 0), position]);
    return binary('xor', a, b);
  },
  sample: (random) => ({ operands: [drawKey(random)], attrs: { shape: random.shape(0, 3, 4) } }),
});

const foldInOp: OpDef = defineOp({
  name: 'foldIn',
  family: 'random',
  doc: {
    summary: 'A new key from a key and a number: Threefry-2x32, as in JAX.',
    formula: 'y = threefry2x32(key, (0, data))',
    types: 'key: u32[2], data: u32[] → u32[2]',
    example: 'foldIn(randomKey(0), 7)',
  },
  arity: 2,
  type: ([key, data], _attrs, fail) => {
    checkKey(key!, fail);
    if (data!.dtype !== 'u32' || data!.shape.length !== 0) {
      fail(`data is u32[], not ${formatType(data!)}`, "reshape and cast it: cast(x, 'u32')", 'HDL0002');
    }
    return key!;
  },
  reference: ([key, data]) =>
    Float64Array.from(threefry2x32(numberWords, keyWords(key!), [0, data!.data[0]!])),
  gradient: notSmooth,
  lower: ({ at, read }) => {
    const [a, b] = threefry2x32(exprWords, keyExprs(read), [constant('u32', 0), read(1, [])]);
    return select(compare('eq', indexValue(at[0]!), constant('i32', 0)), a, b);
  },
  sample: (random) => ({ operands: [drawKey(random), drawElements(random, 'u32', [])], attrs: {} }),
});

const randomOps: readonly OpDef[] = [randomBitsOp, foldInOp];
export default randomOps;

/**
 * Random bits: u32 of any shape from a key u32[2]: `randomBits(key, [64, 10])`. Throws HDL0002 when the key is no key.
 *
 * @example randomBits(randomKey(1), [4]) // u32[4]
 */
export function randomBits<const S extends Shape>(key: Node, shape: S): Node<S, 'u32'> {
  return makeNode(randomBitsOp, [key], { shape: [...shape] }) as Node as Node<S, 'u32'>;
}

/**
 * A new key from a key and a number (a u32 or i32 scalar, or a JavaScript number).
 *
 *     const key = foldIn(programKey, step);
 */
export function foldIn(key: Node, data: Node | number): Node<readonly [2], 'u32'> {
  const word: Node = typeof data === 'number' ? full([], data >>> 0, 'u32') : cast(data, 'u32');
  return makeNode(foldInOp, [key, word]) as Node as Node<readonly [2], 'u32'>;
}

/** `count` keys from one, which is then used up: `const [a, b] = splitKey(key, 2)`. */
export function splitKey(key: Node, count: number): Node<readonly [2], 'u32'>[] {
  return Array.from({ length: count }, (_, i) => foldIn(key, i));
}
