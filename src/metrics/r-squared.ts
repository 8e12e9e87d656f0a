// R²: how much of the variance of the target a prediction explains.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { full, mean, reshape, square, sub, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import type { Metric, MetricOptions } from './metric.ts';
import { expectValues } from './targets.ts';

/**
 * The coefficient of determination of each output, averaged over outputs. f32[N, …] of one shape. Each batch contributes its mean
 * and its squares about that mean, which are put together without loss (Chan et al., 1979). NaN where the target does not vary.
 *
 * @formula 1 − Σ (t − x)² / Σ (t − mean t)²
 * @source Wright, 1921
 * @example metrics.rSquared()
 */
export function rSquared(options: MetricOptions = {}): Metric {
  return {
    name: options.name ?? 'rSquared',
    collects: ['counts', 'means', 'squares', 'outputs'],
    measure: (prediction, target) => {
      const [x, y] = expectValues('rSquared', prediction, target);
      const rows = y.type.shape[0] ?? 1;
      const outputs = y.type.shape.slice(1).reduce((n, d) => n * d, 1);
      return scope('rSquared', (): Record<string, Tensor> => {
        const [p, t] = [reshape(x, [rows, outputs]) as Floats, reshape(y, [rows, outputs]) as Floats];
        const means = mean(t, 0) as Floats;
        return {
          counts: full([1], rows),
          outputs: full([1], outputs),
          means,
          squares: sum(square(sub(t, means) as Floats) as Floats, 0),
          errors: sum(square(sub(p, t) as Floats) as Floats, 0),
        };
      });
    },
    result: ({ counts, means, squares, errors, outputs }) => {
      const width = outputs![0]!;
      let total = 0;
      for (let k = 0; k < width; k++) {
        let [n, center, about] = [0, 0, 0];
        for (let b = 0; b < counts!.length; b++) {
          const m = counts![b]!;
          const apart = means![b * width + k]! - center;
          about += squares![b * width + k]! + (apart * apart * n * m) / (n + m);
          center += (apart * m) / (n + m);
          n += m;
        }
        total += about === 0 ? Number.NaN : 1 - errors![k]! / about;
      }
      return total / width;
    },
  };
}
