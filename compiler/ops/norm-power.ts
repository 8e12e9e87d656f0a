// The two halves of a p-norm: powers of magnitudes, and the root of their sum, with a gradient of 0 at 0.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { Shape } from '../graph/types.ts';
import { eq, where } from './compare.ts';
import { square } from './math.ts';
import { pow } from './power.ts';
import { abs, sqrt } from './unary.ts';

type Floats = Node<Shape, 'f32'>;

/** |x|ᵖ. */
export function powerOf(x: Floats, p: number): Floats {
  if (p === 2) return square(x) as Floats;
  return p === 1 ? (abs(x) as Floats) : (pow(abs(x), p) as Floats);
}

/** x^(1/p) of x ≥ 0. */
export function rootOf(x: Floats, p: number): Floats {
  if (p === 1) return x;
  const isZero = eq(x, 0);
  const safe = where(isZero, 1, x) as Floats;
  return where(isZero, 0, p === 2 ? sqrt(safe) : pow(safe, 1 / p)) as Floats;
}

/** Throws HDL0003 unless p is a finite number of at least 1. */
export function checkPower(fn: string, x: Node, p: number): void {
  if (Number.isFinite(p) && p >= 1) return;
  throw compilerError('HDL0003', {
    what: `${fn}(${describeNode(x)}, p: ${p})`,
    rule: 'p is a number of at least 1',
    hint: 'p: 1 sums magnitudes, p: 2 is the Euclidean norm; for the largest element use a maximum',
    loc: callerLocation(),
  });
}
