// tanh in f32 arithmetic. What it errs by is measured in docs/math.md.

import { binary, type Expr } from '../expr.ts';
import { abs, add, div, f32, withSignOf } from './arithmetic.ts';
import { expm1OfDouble } from './exponential.ts';

export function tanh(x: Expr): Expr {
  // tanh t = (e²ᵗ − 1) / (e²ᵗ + 1); 1 in f32 from 9.02 on. Small t lose no digits, since e²ᵗ − 1 does not.
  const t = expm1OfDouble(binary('min', abs(x), f32(10)));
  return withSignOf(x, div(t, add(t, f32(2))));
}
