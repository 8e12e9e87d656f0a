// Huber's loss and its other form, smooth L1: squares near zero, magnitudes far from it.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { abs, lt, mul, square, sub, where } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkPositive } from './check.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface HuberOptions extends LossOptions {
  /** Distance from which on the loss is linear; default 1. */
  readonly delta?: number;
}

export interface SmoothL1Options extends LossOptions {
  /** Distance from which on the loss is linear; default 1. */
  readonly beta?: number;
}

/**
 * Huber's loss: squares up to `delta`, a line beyond it. Both f32 and of one shape → f32[], or
 * their shape with `reduction: 'none'`. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula d² / 2 where |d| < δ, else δ · (|d| − δ / 2), d = x − t
 * @source Huber, 1964
 * @example const loss = losses.huber(y, target, { delta: 0.5 });
 */
export function huber(prediction: Tensor, target: Tensor, options: HuberOptions = {}): Floats {
  const { delta = 1 } = options;
  checkPositive('huber', 'delta', delta);
  return bend('huber', prediction, target, delta, delta, options);
}

/**
 * `huber` divided by `beta`: slope 1 far from zero. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula d² / (2β) where |d| < β, else |d| − β / 2, d = x − t
 * @source Girshick, 2015
 */
export function smoothL1(prediction: Tensor, target: Tensor, options: SmoothL1Options = {}): Floats {
  const { beta = 1 } = options;
  checkPositive('smoothL1', 'beta', beta);
  return bend('smoothL1', prediction, target, beta, 1, options);
}

/** Squares up to the bend, from there on a line of that slope. */
function bend(
  fn: string,
  prediction: Tensor,
  target: Tensor,
  at: number,
  slope: number,
  options: LossOptions,
): Floats {
  expectSameShape(fn, prediction, target);
  return scope(fn, () => {
    const d = sub(prediction as Floats, target as Floats) as Floats;
    const size = abs(d) as Floats;
    const near = mul(square(d) as Floats, slope / (2 * at)) as Floats;
    const far = mul(sub(size, at / 2) as Floats, slope) as Floats;
    const values = where(lt(size, at) as Tensor<Shape, 'bool'>, near, far) as Floats;
    return reduceLoss(fn, values, options);
  });
}
