// Questions about single numbers. Results are bool and have no gradient. Inside of this file the functions do not bear the
// names of JavaScript's own.

import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { requireFloats } from './attrs.ts';
import { eq, lt, ne } from './compare.ts';
import { bitcast } from './convert.ts';
import { abs } from './unary.ts';

/** Whether the sign bit is set, also that of -0. For compositions; not public. */
export function isMinus(x: Node<Shape, 'f32'>): Node<Shape, 'bool'> {
  return lt(bitcast(x, 'i32') as Node<Shape, 'i32'>, 0) as Node<Shape, 'bool'>;
}

/** Whether elements are not a number. f32 → bool: `any(isNaN(x))`. */
function nan<X extends Node>(x: X & Accepts<'isNaN', X, 'f32'>): Node<ShapeOf<X>, 'bool'> {
  requireFloats('isNaN', x);
  return scope('isNaN', () => ne(x as Node, x as Node)) as Node as Node<ShapeOf<X>, 'bool'>;
}

/** Whether elements are ∞ or -∞. f32 → bool: `isInf(x)`. */
function inf<X extends Node>(x: X & Accepts<'isInf', X, 'f32'>): Node<ShapeOf<X>, 'bool'> {
  requireFloats('isInf', x);
  const y = scope('isInf', () => eq(abs(x as Node<readonly number[], 'f32'>), Number.POSITIVE_INFINITY));
  return y as Node as Node<ShapeOf<X>, 'bool'>;
}

/** Whether elements are neither infinite nor NaN. f32 → bool: `all(isFinite(x))`. */
function finite<X extends Node>(x: X & Accepts<'isFinite', X, 'f32'>): Node<ShapeOf<X>, 'bool'> {
  requireFloats('isFinite', x);
  const y = scope('isFinite', () => lt(abs(x as Node<readonly number[], 'f32'>), Number.POSITIVE_INFINITY));
  return y as Node as Node<ShapeOf<X>, 'bool'>;
}

export { finite as isFinite, inf as isInf, nan as isNaN };
