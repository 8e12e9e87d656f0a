// The mean absolute error, as a metric.

import { scope } from '../../compiler/graph/scope.ts';
import { abs, sub, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { countOf } from './accuracy.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectValues } from './targets.ts';

/**
 * The mean of absolute differences over all elements. f32 of one shape.
 *
 * @formula Σ |x − t| / n
 * @source Laplace, 1774
 * @example metrics.meanAbsoluteError()
 */
export function meanAbsoluteError(options: MetricOptions = {}): Metric {
  return {
    name: options.name ?? 'meanAbsoluteError',
    measure: (prediction, target) => {
      const [x, y] = expectValues('meanAbsoluteError', prediction, target);
      return scope('meanAbsoluteError', () => ({
        sum: sum(abs(sub(x, y) as Floats) as Floats),
        count: countOf(x),
      }));
    },
    result: (sums) => sums['sum']![0]! / sums['count']![0]!,
  };
}
