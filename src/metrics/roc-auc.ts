// The area under the ROC curve.

import type { Metric, MetricOptions } from './metric.ts';
import { rankingMetric } from './ranking.ts';

/**
 * How likely a positive has a larger score than a negative; equal scores count half. Exact: all scores are kept until the
 * end. Scores are f32 of the answers' shape, or f32[N, 2] with labels i32[N]. NaN when one kind is missing or a score is NaN.
 *
 * @formula (Σ mid-ranks of positives − P(P + 1) / 2) / (P · N)
 * @source Hanley and McNeil, 1982
 * @example metrics.rocAuc()
 */
export function rocAuc(options: MetricOptions = {}): Metric {
  return rankingMetric('rocAuc', options.name ?? 'rocAuc', (ties) => {
    let [positives, negatives, wins] = [0, 0, 0];
    for (const tie of ties) {
      const others = tie.count - tie.positives;
      // Negatives of this score lose against the positives before and draw with those beside them.
      wins += others * (positives + tie.positives / 2);
      positives += tie.positives;
      negatives += others;
    }
    return wins / (positives * negatives);
  });
}
