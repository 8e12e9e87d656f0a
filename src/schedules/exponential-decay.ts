// A rate that falls by one factor over and over.

import { checkOptions, type Schedule } from './schedule.ts';

export interface ExponentialDecayOptions {
  readonly rate: number;
  /** What it is multiplied by in `every` steps. */
  readonly factor: number;
  /** Default 1. */
  readonly every?: number | undefined;
}

/**
 * A rate that falls smoothly. Throws HDL0003.
 *
 * @formula η · f^(t / n)
 * @source Senior et al., 2013
 * @example schedules.exponentialDecay({ rate: 0.01, factor: 0.5, every: 1000 })
 */
export function exponentialDecay({ rate, factor, every = 1 }: ExponentialDecayOptions): Schedule {
  checkOptions(
    'exponentialDecay',
    { rate, factor, every },
    'rate is a number of at least 0, factor and every are above 0',
    (name, v) => (name === 'rate' ? v >= 0 : v > 0),
  );
  return (step) => rate * factor ** (step / every);
}
