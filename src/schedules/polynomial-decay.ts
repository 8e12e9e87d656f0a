// A line, or a power of one, down to a last rate.

import { checkOptions, type Schedule } from './schedule.ts';

export interface PolynomialDecayOptions {
  readonly rate: number;
  /** Steps until the last rate is reached. */
  readonly steps: number;
  /** Default 1: a line. */
  readonly power?: number | undefined;
  /** Default 0. */
  readonly final?: number | undefined;
}

/**
 * Falls to `final` over T steps and stays there. Throws HDL0003.
 *
 * @formula η₁ + (η − η₁)(1 − min(t, T) / T)ᵖ
 * @source Chen et al., 2018 (as used there)
 * @example schedules.polynomialDecay({ rate: 0.01, steps: 10_000, power: 0.9 })
 */
export function polynomialDecay({ rate, steps, power = 1, final = 0 }: PolynomialDecayOptions): Schedule {
  checkOptions(
    'polynomialDecay',
    { rate, steps, power, final },
    'rates are numbers of at least 0, steps is an integer of at least 1, power is above 0',
    (name, v) => (name === 'steps' ? Number.isInteger(v) && v >= 1 : name === 'power' ? v > 0 : v >= 0),
  );
  return (step) => final + (rate - final) * (1 - Math.min(step, steps) / steps) ** power;
}
