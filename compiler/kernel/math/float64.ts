// The unary functions of Kernel IR on f32 in float64, as exact as JavaScript has them: what interpreters compute, and what
// the polynomials of this folder are measured against.

import { erf } from '../../ops/erf.ts';
import type { UnaryFunction } from '../expr.ts';

export const float64Functions: Readonly<
  Record<Exclude<UnaryFunction, 'neg' | 'round' | 'not'>, (x: number) => number>
> = {
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  sqrt: Math.sqrt,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
};
