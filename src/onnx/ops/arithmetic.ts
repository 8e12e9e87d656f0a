// Elementwise arithmetic of two and more operands. Broadcasting is NumPy's since opset 7; before, the second operand was
// aligned by the attributes `broadcast` and `axis`.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { elementInfo } from '../elements.ts';
import { type OnnxOp, op } from '../operator.ts';
import { wrapTo } from '../wrap.ts';
import {
  asFloat,
  type B,
  type F,
  filled,
  isInteger,
  like,
  rankOf,
  scalarOf,
  shapeOf,
  type T,
} from './common.ts';

/** Both operands, aligned. */
export function pair(c: Call): readonly [T, T] {
  const [x, y] = [c.x(0), c.x(1)];
  if (c.opset >= 7) return [x, y];
  c.ignore('consumed_inputs');
  if (!c.flag('broadcast') || !c.given('axis')) return [x, y];
  const after = rankOf(x) - c.axis(c.int('axis'), rankOf(x)) - rankOf(y);
  return [x, h.reshape(y, [...shapeOf(y), ...new Array<number>(Math.max(0, after)).fill(1)]) as T];
}

const aligned = { 1: 'the second operand is aligned by `broadcast` and `axis`', 7: 'broadcasts as NumPy' };

const binary = (name: string, f: (x: T, y: T) => T, wraps = false): OnnxOp =>
  op(name, { versions: aligned, wraps }, (c) => f(...pair(c)));

const fold = (name: string, f: (x: T, y: T) => T, wraps = false): OnnxOp =>
  op(name, { versions: { 1: 'operands have one shape', 8: 'broadcasts as NumPy' }, wraps }, (c) => {
    c.ignore('consumed_inputs');
    return like(c, 0, wrapTo(c.rest().reduce(f), wraps ? c.elem(0) : 'float'));
  });

/** Remainder with the sign of the dividend. */
function truncated(x: T, y: T): T {
  if (x.type.dtype !== 'f32') return h.mod(x, y) as T;
  const rest = h.sub(x, h.mul(h.trunc(h.div(x, y) as F) as T, y) as T) as T;
  // Rounding of the quotient may leave one divisor too many or too few.
  const size = h.abs(y) as T;
  const step = h.where(h.ge(x, 0) as B, size, h.neg(size) as T) as T;
  const isOver = h.ge(h.abs(rest) as T, size);
  const isUnder = h.lt(h.mul(rest, step) as T, 0);
  const exact = h.where(
    isOver as B,
    h.sub(rest, step) as T,
    h.where(isUnder as B, h.add(rest, step) as T, rest) as T,
  ) as T;
  const isWhole = h.logicalAnd(h.isInf(y as F) as B, h.isFinite(x as F) as B);
  return h.where(isWhole as B, x, h.where(h.isFinite(rest as F) as B, exact, rest) as T) as T;
}

/** Remainder with the sign of the divisor, also where it is 0. */
function floored(x: T, y: T): T {
  const rest = truncated(x, y);
  const isBelow = h.lt(y, 0) as T;
  const isOff = h.logicalAnd(h.ne(rest, 0) as B, h.ne(h.lt(rest, 0) as T, isBelow) as B);
  const moved = h.where(isOff as B, h.add(rest, y) as T, rest) as T;
  if (x.type.dtype !== 'f32') return moved;
  const zero = h.where(isBelow as B, filled(y, -0), filled(y, 0)) as T;
  return h.where(h.eq(moved, 0) as B, zero, moved) as T;
}

/** Powers of integers: exact for a known exponent of at least 0, else in f32. */
function power(c: Call, x: T, y: T): T {
  if (!isInteger(c, 0)) return h.pow(x as F, asFloat(y)) as T;
  const known = c.peek(1);
  const exponent = known?.[0] ?? -1;
  if (known?.every((k) => k === exponent) && Number.isInteger(exponent) && exponent >= 0) {
    let [result, square] = [filled(x, 1), x];
    for (let k = exponent; k > 0; k = Math.floor(k / 2)) {
      if (k % 2 === 1) result = h.mul(result, square) as T;
      if (k > 1) square = h.mul(square, square) as T;
    }
    return h.broadcastTo(result, [...h.add(x, h.reshape(filled(x, 0), shapeOf(x)) as T).type.shape]) as T;
  }
  return h.cast(h.round(h.pow(asFloat(x), asFloat(y)) as F) as T, x.type.dtype) as T;
}

/** Counts that are negative, or not below the bits of the type, leave nothing but the sign. */
function shift(c: Call): T {
  const [x, y] = [c.x(0), c.x(1)];
  const direction = c.text('direction');
  if (direction !== 'LEFT' && direction !== 'RIGHT') {
    c.refuse(`direction '${direction}' is not known`, "use 'LEFT' or 'RIGHT'");
  }
  const isLeft = direction === 'LEFT';
  const bits = Math.min(32, elementInfo(c.elem(0)).bits);
  const isUsual = h.logicalAnd(h.ge(y, 0) as B, h.lt(y, bits) as B) as B;
  const moved = (isLeft ? h.shl(x, y) : h.shr(x, y)) as T;
  const zero = h.sub(moved, moved) as T;
  const sign =
    isLeft || x.type.dtype !== 'i32' ? zero : (h.where(h.lt(x, 0) as B, h.sub(zero, 1) as T, zero) as T);
  return h.where(isUsual, moved, sign) as T;
}

export const arithmeticOps: readonly OnnxOp[] = [
  binary('Add', (x, y) => h.add(x, y) as T, true),
  binary('Sub', (x, y) => h.sub(x, y) as T, true),
  binary('Mul', (x, y) => h.mul(x, y) as T, true),
  binary('Div', (x, y) => h.div(x, y) as T, true),
  op(
    'Pow',
    {
      versions: { ...aligned, 12: 'base and exponent may differ in type' },
      wraps: true,
      limits: 'powers of integers by an exponent that is not known, or negative, are computed in f32',
    },
    (c) => like(c, 0, wrapTo(power(c, ...pair(c)), c.elem(0))),
  ),
  op('Mod', { versions: { 10: 'floats need fmod', 28: 'floats without fmod' }, wraps: true }, (c) =>
    c.flag('fmod') ? truncated(c.x(0), c.x(1)) : floored(c.x(0), c.x(1)),
  ),
  fold('Sum', (x, y) => h.add(x, y) as T, true),
  fold('Max', (x, y) => h.maximum(x, y) as T),
  fold('Min', (x, y) => h.minimum(x, y) as T),
  op('Mean', { versions: { 1: 'operands have one shape', 8: 'broadcasts as NumPy' } }, (c) => {
    c.ignore('consumed_inputs');
    return h.div(
      c.rest().reduce((x, y) => h.add(x, y) as T),
      c.count,
    ) as T;
  }),
  op('BitShift', { wraps: true }, shift),
  op('BitwiseAnd', {}, (c) => h.bitwiseAnd(c.x(0), c.x(1)) as T),
  op('BitwiseOr', {}, (c) => h.bitwiseOr(c.x(0), c.x(1)) as T),
  op('BitwiseXor', {}, (c) => h.bitwiseXor(c.x(0), c.x(1)) as T),
  op('BitwiseNot', { wraps: true }, (c) => h.bitwiseNot(c.x(0)) as T),
  op(
    'Clip',
    { versions: { 1: 'limits are attributes', 11: 'limits are operands', 12: 'integers too' } },
    (c) => {
      c.ignore('consumed_inputs');
      const limit = (i: number, name: string): T | number | undefined => {
        if (c.opset >= 11) return c.has(i) ? scalarOf(c.x(i)) : undefined;
        return c.given(name) ? c.float(name) : undefined;
      };
      const [lo, hi] = [limit(1, 'min'), limit(2, 'max')];
      let y = c.x(0);
      if (lo !== undefined) y = h.maximum(y, lo as T) as T;
      if (hi !== undefined) y = h.minimum(y, hi as T) as T;
      return y;
    },
  ),
];
