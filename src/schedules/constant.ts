// A rate that stays.

import { checkOptions, type Schedule } from './schedule.ts';

/**
 * The same rate at each step. Throws HDL0003.
 *
 * @formula η
 * @source —
 * @example model.fit(data, { learningRate: schedules.constant(0.01) })
 */
export function constant(rate: number): Schedule {
  checkOptions('constant', { rate }, 'a rate is a number of at least 0', (_, v) => v >= 0);
  return () => rate;
}
