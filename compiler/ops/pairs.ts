// Functions of two numbers, or of neighbours, that NumPy has and that are compositions.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type {
  Accepts,
  Broadcast,
  Broadcasts,
  CommonDType,
  DTypeOf,
  Operand,
  ShapeOf,
} from '../graph/shape-types.ts';
import type { Differences } from '../graph/shape-types-axis.ts';
import type { Shape } from '../graph/types.ts';
import { softplus } from './activations.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { normalizeAxis, requireFloats } from './attrs.ts';
import { logicalAnd, maximum } from './binary.ts';
import { isFinite as isFiniteElement } from './classify.ts';
import { ge, gt, lt, where } from './compare.ts';
import { stopGradient } from './convert.ts';
import { broadcastOperands } from './elementwise.ts';
import { compositeOfTwo, square } from './math.ts';
import { rootOf } from './norm-power.ts';
import { refuse } from './refuse.ts';
import { slice } from './slice.ts';
import { abs } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * The length of the hypotenuse, without overflow on the way; shapes broadcast. f32. The gradient at (0, 0) is 0. Throws
 * HDL0001, HDL0002.
 *
 * @formula z = √(x² + y²)
 * @example hypot(x, y) // f32[3], f32[3] → f32[3]
 */
export function hypot<A extends Operand, B extends Operand>(
  x: A & Accepts<'hypot', A, 'f32'>,
  y: B & Broadcasts<'hypot', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return compositeOfTwo<A, B>('hypot', x, y, (a, b) => {
    const top = stopGradient(maximum(abs(a), abs(b)) as Floats) as Floats;
    const usable = logicalAnd(gt(top, 0), lt(top, Number.POSITIVE_INFINITY)) as Node<Shape, 'bool'>;
    const scale = where(usable, top, 1) as Floats;
    const part = (v: Floats): Floats => square(div(v, scale) as Floats) as Floats;
    return mul(scale, rootOf(add(part(a), part(b)) as Floats, 2));
  });
}

/**
 * Logarithm of the sum of two exponentials, without overflow on the way: what adds probabilities that are kept as logarithms;
 * shapes broadcast. −∞ stands for a probability of 0. f32. Of many use `logSumExp`. Throws HDL0001, HDL0002.
 *
 * @formula z = ln(eˣ + e^y) = max(x, y) + ln(1 + e^−|x − y|)
 * @example logAddExp(x, y) // f32[3], f32[3] → f32[3]
 */
export function logAddExp<A extends Operand, B extends Operand>(
  x: A & Accepts<'logAddExp', A, 'f32'>,
  y: B & Broadcasts<'logAddExp', A, B>,
): Node<Broadcast<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  return compositeOfTwo<A, B>('logAddExp', x, y, (a, b) => {
    // Chosen, not compared, so that gradients of every order are right where both are equal.
    const isFirst = ge(a, b) as Node<Shape, 'bool'>;
    const [top, other] = [where(isFirst, a, b) as Floats, where(isFirst, b, a) as Floats];
    // ∞ − ∞ is no number: what is infinite outweighs everything.
    const behind = where(isFiniteElement(top) as Node<Shape, 'bool'>, sub(other, top) as Floats, 0) as Floats;
    return add(top, softplus(behind) as Floats);
  });
}

/**
 * From x to y by a share t: x at 0, y at 1, both exactly. t is a number or a tensor; all shapes broadcast. f32. Throws HDL0001,
 * HDL0002.
 *
 * @formula z = x + t (y − x)
 * @example lerp(x, y, 0.9) // f32[3], f32[3] → f32[3]
 */
export function lerp<A extends Operand, B extends Operand, T extends Operand>(
  x: A & Accepts<'lerp', A, 'f32'>,
  y: B & Broadcasts<'lerp', A, B>,
  t: T,
): Node<Broadcast<Broadcast<ShapeOf<A>, ShapeOf<B>>, ShapeOf<T>>, 'f32'> {
  for (const v of [x, y, t]) if (typeof v !== 'number') requireFloats('lerp', v);
  const z = scope('lerp', (): Node => {
    const [a, b] = broadcastOperands('lerp', [x, y]) as [Node, Node];
    const way = sub(b, a) as Node;
    const fromStart = (): Node => add(a, mul(way, t as Operand) as Node) as Node;
    const fromEnd = (): Node => sub(b, mul(way, sub(1, t as Operand) as Node) as Node) as Node;
    if (typeof t === 'number') return t < 0.5 ? fromStart() : fromEnd();
    return where(lt(t, 0.5) as Node<Shape, 'bool'>, fromStart(), fromEnd());
  });
  return z as Node<Broadcast<Broadcast<ShapeOf<A>, ShapeOf<B>>, ShapeOf<T>>, 'f32'>;
}

/**
 * What each element adds to the one before it, along an axis (the last by default); `n` times. One element less each time.
 * f32, i32, u32. Throws HDL0002, HDL0003.
 *
 * @formula y[i] = x[i + 1] − x[i]
 * @example diff(x) // [1, 4, 9] → [3, 5]
 */
export function diff<X extends Node, const A extends number = -1, const N extends number = 1>(
  x: X & Accepts<'diff', X, 'f32' | 'i32' | 'u32'>,
  axis?: A,
  times?: N,
): Node<Differences<ShapeOf<X>, A, N>, DTypeOf<X>> {
  const a = normalizeAxis('diff', x, axis ?? -1);
  const n: number = times ?? 1;
  if (!Number.isInteger(n) || n < 0) {
    refuse('HDL0003', `diff(${describeNode(x)}, n: ${n})`, 'n is an integer of at least 0', 'diff(x, -1, 2)');
  }
  const part = (v: Node, start: number, limit: number): Node =>
    slice(
      v,
      v.type.shape.map((_, d) => (d === a ? start : 0)),
      v.type.shape.map((size, d) => (d === a ? limit : size)),
    );
  const y = scope('diff', () => {
    let v: Node = x as Node;
    for (let i = 0; i < n; i++) {
      const size = v.type.shape[a]!;
      v = size === 0 ? v : sub(part(v, 1, size), part(v, 0, size - 1));
    }
    return v;
  });
  return y as Node<Differences<ShapeOf<X>, A, N>, DTypeOf<X>>;
}
