// The root of the mean squared error.

import { scope } from '../../compiler/graph/scope.ts';
import { square, sub, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { countOf } from './accuracy.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectValues } from './targets.ts';

/**
 * The root of the mean of squared differences over all elements of all batches. f32 of one shape.
 *
 * @formula √(Σ (x − t)² / n)
 * @source Legendre, 1805
 * @example metrics.rootMeanSquaredError()
 */
export function rootMeanSquaredError(options: MetricOptions = {}): Metric {
  return {
    name: options.name ?? 'rootMeanSquaredError',
    measure: (prediction, target) => {
      const [x, y] = expectValues('rootMeanSquaredError', prediction, target);
      return scope('rootMeanSquaredError', () => ({
        sum: sum(square(sub(x, y) as Floats) as Floats),
        count: countOf(x),
      }));
    },
    result: (sums) => Math.sqrt(sums['sum']![0]! / sums['count']![0]!),
  };
}
