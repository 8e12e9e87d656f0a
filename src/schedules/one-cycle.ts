// Up and down again, once.

import { checkOptions, type Schedule } from './schedule.ts';

export interface OneCycleOptions {
  /** The largest rate. */
  readonly rate: number;
  /** Steps of the whole training. */
  readonly steps: number;
  /** Part of the steps in which the rate rises; default 0.3. */
  readonly rise?: number | undefined;
  /** The first rate is the largest divided by this; default 25. */
  readonly startDivisor?: number | undefined;
  /** The last rate is the first divided by this; default 10,000. */
  readonly endDivisor?: number | undefined;
}

/**
 * From a small rate to the largest, and on to a much smaller one, both along half a cosine. Throws HDL0003.
 *
 * @formula between a and b: b + (a − b)(1 + cos(πs)) / 2, s from 0 to 1; η / 25 → η over ⌊rT⌋ steps → η / 250,000
 * @source Smith and Topin, 2018
 * @example schedules.oneCycle({ rate: 0.1, steps: 5000 })
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { rate, steps, rise = 0.3, startDivisor = 25, endDivisor = 1e4 } = options;
  checkOptions(
    'oneCycle',
    { rate, steps, rise, startDivisor, endDivisor },
    'rate is a number of at least 0, steps an integer of at least 2, rise in [0, 1], divisors are above 0',
    (name, v) =>
      name === 'rate'
        ? v >= 0
        : name === 'steps'
          ? Number.isInteger(v) && v >= 2
          : name === 'rise'
            ? v >= 0 && v <= 1
            : v > 0,
  );
  const start = rate / startDivisor;
  const end = start / endDivisor;
  const top = rise * steps - 1;
  const last = steps - 1;
  const between = (a: number, b: number, share: number): number =>
    b + ((a - b) * (1 + Math.cos(Math.PI * share))) / 2;
  return (step) => {
    if (step <= top) return top === 0 ? rate : between(start, rate, step / top);
    return between(rate, end, Math.min(1, (step - top) / (last - top)));
  };
}
