// A rate that falls in steps.

import { checkOptions, type Schedule } from './schedule.ts';

export interface StepDecayOptions {
  readonly rate: number;
  /** Falls after each so many steps, or at these steps. */
  readonly every: number | readonly number[];
  /** What it is multiplied by; default 0.1. */
  readonly factor?: number | undefined;
}

/**
 * The rate times a power of `factor`. Throws HDL0003.
 *
 * @formula η · f^⌊t / n⌋, or η · f^#(steps nᵢ ≤ t)
 * @source He et al., 2015 (as used there)
 * @example schedules.stepDecay({ rate: 0.1, every: 30 * batches })
 */
export function stepDecay({ rate, every, factor = 0.1 }: StepDecayOptions): Schedule {
  const at = typeof every === 'number' ? [every] : every;
  const named = Object.fromEntries(at.map((n, i) => [`every[${i}]`, n]));
  checkOptions(
    'stepDecay',
    { rate, factor, ...named },
    'rate and factor are numbers of at least 0, every is an integer of at least 1, or a list of them',
    (name, v) => (name.startsWith('every') ? Number.isInteger(v) && v >= 1 : v >= 0),
  );
  return (step) =>
    rate *
    factor ** (typeof every === 'number' ? Math.floor(step / every) : every.filter((n) => n <= step).length);
}
