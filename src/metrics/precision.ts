// Precision: how many of those that were taken for a class are of it.

import { type CountOptions, countMetric, ratio } from './counts.ts';
import type { Metric } from './metric.ts';

/**
 * Of classes (f32[N, K] with i32[N] or one-hot f32[N, K]) or of yes-or-no answers (f32 of one shape): of what was taken for a class, the share that is of it.
 * Throws HDL0003.
 *
 * @formula p = TP / (TP + FP); 0 of nothing
 * @source van Rijsbergen, 1979
 * @example metrics.precision({ average: 'micro' })
 */
export function precision(options: CountOptions = {}): Metric {
  return countMetric('precision', options, ({ found, taken }) => ratio(found, taken));
}
