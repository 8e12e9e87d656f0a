// F1: precision and recall in one figure.

import { type CountOptions, countMetric, ratio } from './counts.ts';
import type { Metric } from './metric.ts';

/**
 * The harmonic mean of precision and recall, of classes (f32[N, K] with i32[N] or one-hot f32[N, K]) or of yes-or-no answers (f32
 * of one shape). Throws HDL0003.
 *
 * @formula 2 · TP / (2 · TP + FP + FN); 0 of nothing
 * @source van Rijsbergen, 1979
 * @example metrics.f1()
 */
export function f1(options: CountOptions = {}): Metric {
  return countMetric('f1', options, ({ found, taken, actual }) => ratio(2 * found, taken + actual));
}
