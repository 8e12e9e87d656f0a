// Identities of arithmetic that hold to the bit in IEEE 754 (NaN stays NaN, whatever its payload). What is missing is missing
// on purpose:
//
//   x·0 → 0, x − x → 0        x may be NaN or infinite
//   x + 0 → x                 −0 + 0 is +0; only where x is never −0
//   Σ −x → −Σ x               the sum of +0s is +0 on one side and −0 on the other
//   (x·a)·b → x·(a·b)         the first product may overflow, or round as a subnormal, also for powers of two
//   pow(x, 0.5) → sqrt(x)     they differ at −0 and −∞
//   x / 3 → x·(1/3)           1/3 is rounded

import { makeNode } from '../../graph/build.ts';
import type { Node } from '../../graph/ir.ts';
import { add, div, mul, neg, sub } from '../../ops/arithmetic.ts';
import { full } from '../../ops/leaf.ts';
import { splatOf } from '../rewrite.ts';
import type { Rule } from './rule.ts';

const isFloat = (n: Node): boolean => n.type.dtype === 'f32';
const is = (n: Node, op: string): boolean => n.op.name === op;
const inner = (n: Node): Node => n.operands[0]!;

/** Like `n`, with all elements equal to `value`. */
function splat(n: Node, value: number): Node {
  return full(n.type.shape, value, n.type.dtype);
}

/** Whether no element can be −0. */
function isNeverNegativeZero(x: Node): boolean {
  if (!isFloat(x) || is(x, 'abs') || is(x, 'exp')) return true;
  if (is(x, 'mul')) return x.operands[0] === x.operands[1];
  return is(x, 'convert') && !isFloat(inner(x));
}

/** Whether x + c is x, to the bit. */
function isNeutralToAdd(c: number | null, x: Node): boolean {
  return c === 0 && (Object.is(c, -0) || isNeverNegativeZero(x));
}

/** 1/c when both are powers of two that f32 holds without loss: then dividing and multiplying round the same number. */
function exactReciprocal(c: number): number | null {
  const exponent = Math.log2(Math.abs(c));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126 && 2 ** exponent === Math.abs(c)
    ? 1 / c
    : null;
}

const rounded: readonly string[] = ['floor', 'ceil', 'trunc', 'round'];

export const arithmeticRules: readonly Rule[] = [
  {
    name: 'add-zero',
    formula: 'x + (−0) = x;  x + 0 = x where x is never −0',
    ops: ['add'],
    apply({ operands: [x, y] }) {
      if (isNeutralToAdd(splatOf(y!), x!)) return x!;
      return isNeutralToAdd(splatOf(x!), y!) ? y! : null;
    },
  },
  {
    name: 'sub-zero',
    formula: 'x − 0 = x',
    ops: ['sub'],
    apply: ({ operands: [x, y] }) => (Object.is(splatOf(y!), 0) ? x! : null),
  },
  {
    name: 'sub-from-zero',
    formula: '−0 − x = −x;  0 − x = −x for i32',
    ops: ['sub'],
    apply({ type, operands: [x, y] }) {
      const zero = type.dtype === 'i32' ? 0 : -0;
      return type.dtype !== 'u32' && Object.is(splatOf(x!), zero) ? neg(y!) : null;
    },
  },
  {
    name: 'mul-one',
    formula: 'x · 1 = x',
    ops: ['mul'],
    apply({ operands: [x, y] }) {
      if (splatOf(y!) === 1) return x!;
      return splatOf(x!) === 1 ? y! : null;
    },
  },
  {
    name: 'mul-minus-one',
    formula: 'x · (−1) = −x',
    ops: ['mul'],
    apply({ operands: [x, y] }) {
      if (splatOf(y!) === -1) return neg(x!);
      return splatOf(x!) === -1 ? neg(y!) : null;
    },
  },
  {
    name: 'div-one',
    formula: 'x / 1 = x',
    ops: ['div'],
    apply: ({ operands: [x, y] }) => (splatOf(y!) === 1 ? x! : null),
  },
  {
    name: 'div-power-of-two',
    formula: 'x / 2ᵏ = x · 2⁻ᵏ',
    ops: ['div'],
    apply(node) {
      const [x, y] = node.operands;
      const c = splatOf(y!);
      const reciprocal = c === null || !isFloat(node) ? null : exactReciprocal(c);
      return reciprocal === null ? null : mul(x!, splat(node, reciprocal));
    },
  },
  {
    name: 'neg-neg',
    formula: '−(−x) = x',
    ops: ['neg'],
    apply: ({ operands: [x] }) => (is(x!, 'neg') ? inner(x!) : null),
  },
  {
    name: 'add-neg',
    formula: 'x + (−y) = x − y;  −x + y = y − x',
    ops: ['add'],
    apply({ operands: [x, y] }) {
      if (is(y!, 'neg')) return sub(x!, inner(y!));
      return is(x!, 'neg') ? sub(y!, inner(x!)) : null;
    },
  },
  {
    name: 'sub-neg',
    formula: 'x − (−y) = x + y',
    ops: ['sub'],
    apply: ({ operands: [x, y] }) => (is(y!, 'neg') ? add(x!, inner(y!)) : null),
  },
  {
    name: 'neg-times-neg',
    formula: '(−x) · (−y) = x · y;  (−x) / (−y) = x / y',
    ops: ['mul', 'div'],
    apply(node) {
      const [x, y] = node.operands;
      if (!isFloat(node) || !is(x!, 'neg') || !is(y!, 'neg')) return null;
      return is(node, 'mul') ? mul(inner(x!), inner(y!)) : div(inner(x!), inner(y!));
    },
  },
  {
    name: 'neg-into-constant',
    formula: '(−x) · c = x · (−c);  (−x) / c = x / (−c)',
    ops: ['mul', 'div'],
    apply(node) {
      const [x, y] = node.operands;
      if (!isFloat(node)) return null;
      const c = splatOf(y!);
      if (c !== null && is(x!, 'neg')) return (is(node, 'mul') ? mul : div)(inner(x!), splat(node, -c));
      const d = splatOf(x!);
      return d !== null && is(y!, 'neg') ? (is(node, 'mul') ? mul : div)(splat(node, -d), inner(y!)) : null;
    },
  },
  {
    name: 'neg-of-scaled',
    formula: '−(x · c) = x · (−c)',
    ops: ['neg'],
    apply(node) {
      const product = inner(node);
      if (!isFloat(node) || !is(product, 'mul')) return null;
      const [x, y] = product.operands;
      const [c, d] = [splatOf(y!), splatOf(x!)];
      if (c !== null) return mul(x!, splat(node, -c));
      return d === null ? null : mul(y!, splat(node, -d));
    },
  },
  {
    name: 'pow-small-integer',
    formula: 'x² = x · x;  x¹ = x;  x⁰ = 1;  x⁻¹ = 1 / x',
    ops: ['pow'],
    apply(node) {
      const [x, y] = node.operands;
      const exponent = splatOf(y!);
      if (exponent === 2) return mul(x!, x!);
      if (exponent === 1) return x!;
      if (exponent === 0) return splat(node, 1);
      return exponent === -1 ? div(splat(node, 1), x!) : null;
    },
  },
  {
    name: 'abs-of-sign-change',
    formula: '|−x| = |x|;  ||x|| = |x|',
    ops: ['abs'],
    apply(node) {
      const x = inner(node);
      return is(x, 'neg') || is(x, 'abs') ? makeNode(node.op, [inner(x)], node.attrs) : null;
    },
  },
  {
    name: 'round-of-rounded',
    formula: '⌊⌊x⌋⌋ = ⌊x⌋, and so on for floor, ceil, trunc and round in any pairing',
    ops: rounded,
    apply: ({ operands: [x] }) => (rounded.includes(x!.op.name) ? x! : null),
  },
  {
    name: 'extreme-of-same',
    formula: 'minimum(x, x) = x;  maximum(x, x) = x',
    ops: ['minimum', 'maximum'],
    apply: ({ operands: [x, y] }) => (x === y ? x! : null),
  },
];
