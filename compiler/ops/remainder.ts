// Remainders. Of integers: a primitive. Of f32: a composition, x less the whole multiples of y, where the rounding of the
// quotient may leave one multiple too many or too few; that one is put back.

import { makeNode } from '../graph/build.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, Broadcast, Broadcasts, CommonDType, Operand, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { logicalAnd } from './binary.ts';
import { eq, ge, lt, ne, where } from './compare.ts';
import { broadcastOperands } from './elementwise.ts';
import { modOp } from './integer-op.ts';
import { zerosLike } from './leaf.ts';
import { abs, floor, round, trunc } from './unary.ts';

type Floats = Node<Shape, 'f32'>;
type Bools = Node<Shape, 'bool'>;

/**
 * Remainder of x / y, with the sign of x; shapes broadcast. Integers: 0 where y is 0. f32: NaN where y is 0 or x infinite, x
 * where y is infinite; exact while |x / y| < 2²³. The gradient to y is minus the whole quotient. f32, i32, u32.
 * Throws HDL0001, HDL0002.
 *
 *     mod(iota([8], 0), 3);
 */
export function mod<A extends Operand, B extends Operand>(
  x: A & Accepts<'mod', A, 'f32' | 'i32' | 'u32'>,
  y: B & Broadcasts<'mod', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const [a, b] = broadcastOperands('mod', [x, y]) as [Node, Node];
  const z = a.type.dtype === 'f32' ? floatRemainder(a as Floats, b as Floats) : makeNode(modOp, [a, b]);
  return z as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * Remainder with the sign of y, as NumPy's `%`: mod(x, y), plus y where the signs differ. Otherwise as `mod`.
 *
 *     floorMod(x, 3); // [-1, 4] → [2, 1]
 */
export function floorMod<A extends Operand, B extends Operand>(
  x: A & Accepts<'floorMod', A, 'f32' | 'i32' | 'u32'>,
  y: B & Broadcasts<'floorMod', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const [a, b] = broadcastOperands('floorMod', [x, y]) as [Floats, Floats];
  const z = scope('floorMod', () => {
    const r = mod(a, b) as Floats;
    const differ = ne(lt(r, zerosLike(r)) as Node, lt(b, zerosLike(b)) as Node) as Bools;
    return where(logicalAnd(ne(r, zerosLike(r)) as Bools, differ) as Bools, add(r, b), r);
  });
  return z as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/**
 * The quotient rounded down, as Python's `//`: what `floorMod` leaves is taken off before dividing, so that both belong
 * together. Integers: 0 where y is 0. f32: as `div` where y is 0. The gradient is 0. f32, i32, u32.
 *
 *     floorDiv(x, 2); // [-3, 3] → [-2, 1]
 */
export function floorDiv<A extends Operand, B extends Operand>(
  x: A & Accepts<'floorDiv', A, 'f32' | 'i32' | 'u32'>,
  y: B & Broadcasts<'floorDiv', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const [a, b] = broadcastOperands('floorDiv', [x, y]) as [Floats, Floats];
  const z = scope('floorDiv', () => {
    const whole = div(sub(a, floorMod(a, b) as Floats) as Floats, b);
    if (a.type.dtype !== 'f32') return whole;
    // Without a remainder (y is 0, or x infinite) the quotient is infinite or NaN already.
    const r = floorMod(a, b) as Floats;
    return where(ne(r, r) as Bools, floor(div(a, b) as Floats), round(whole as Floats));
  });
  return z as Node as Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

function floatRemainder(x: Floats, y: Floats): Floats {
  return scope('mod', () => {
    const isWide = eq(abs(y), Number.POSITIVE_INFINITY) as Bools;
    const by = where(isWide, 1, y) as Floats;
    const r = sub(x, mul(trunc(div(x, by) as Floats), by)) as Floats;
    // One |y| in the direction of x.
    const step = where(lt(x, 0) as Bools, neg(abs(by) as Floats), abs(by)) as Floats;
    const isBehind = lt(mul(r, step), 0) as Bools;
    const isBeyond = ge(abs(r), abs(by)) as Bools;
    const exact = where(isBehind, add(r, step), where(isBeyond, sub(r, step), r)) as Floats;
    return where(
      logicalAnd(isWide, lt(abs(x), Number.POSITIVE_INFINITY) as Bools) as Bools,
      x,
      exact,
    ) as Floats;
  });
}
