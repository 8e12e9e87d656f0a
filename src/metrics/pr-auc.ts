// The area under the precision-recall curve.

import type { Metric, MetricOptions } from './metric.ts';
import { rankingMetric } from './ranking.ts';

/**
 * Average precision: the precision at each score, weighted by the recall that it adds. Exact: all scores are kept until the
 * end. Scores are f32 of the answers' shape, or f32[N, 2] with labels i32[N]. NaN without positives, and when a score is NaN.
 *
 * @formula Σₙ (Rₙ − Rₙ₋₁) · Pₙ over scores from large to small
 * @source Boyd et al., 2013
 * @example metrics.prAuc()
 */
export function prAuc(options: MetricOptions = {}): Metric {
  return rankingMetric('prAuc', options.name ?? 'prAuc', (ties) => {
    let [seen, found, area] = [0, 0, 0];
    for (const { count, positives } of ties) {
      seen += count;
      found += positives;
      area += positives * (found / seen);
    }
    return area / found;
  });
}
