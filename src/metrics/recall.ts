// Recall: how many of those of a class were found.

import { type CountOptions, countMetric, ratio } from './counts.ts';
import type { Metric } from './metric.ts';

/**
 * Of classes (f32[N, K] with i32[N] or one-hot f32[N, K]) or of yes-or-no answers (f32 of one shape): of the examples of a class, the share that was found.
 * Throws HDL0003.
 *
 * @formula r = TP / (TP + FN); 0 of nothing
 * @source van Rijsbergen, 1979
 * @example metrics.recall({ average: 'micro' })
 */
export function recall(options: CountOptions = {}): Metric {
  return countMetric('recall', options, ({ found, actual }) => ratio(found, actual));
}
