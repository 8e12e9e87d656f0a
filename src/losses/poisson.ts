// Poisson regression: counts.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, exp, log, mul, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface PoissonOptions extends LossOptions {
  /** Whether the prediction is the logarithm of the rate, default true, or the rate itself. */
  readonly fromLog?: boolean | undefined;
}

/** Keeps the logarithm of a rate of 0 finite. */
const least = 1e-8;

/**
 * Negative log-likelihood of counts under a Poisson distribution, up to a term of the target alone. Predictions are log-rates
 * x, or rates r with `fromLog: false`. Both f32 and of one shape → f32[], or their shape with `reduction: 'none'`. Throws
 * HDL0001, HDL0002.
 *
 * @formula eˣ − t · x; of rates: r − t · log(r + 1e-8)
 * @source Nelder and Wedderburn, 1972
 * @example const loss = losses.poisson(logRates, counts);
 */
export function poisson(prediction: Tensor, target: Tensor, options: PoissonOptions = {}): Floats {
  const { fromLog = true } = options;
  expectSameShape('poisson', prediction, target);
  return scope('poisson', () => {
    const [x, t] = [prediction as Floats, target as Floats];
    const rate = fromLog ? (exp(x) as Floats) : x;
    const logRate = fromLog ? x : (log(add(x, least) as Floats) as Floats);
    return reduceLoss('poisson', sub(rate, mul(t, logRate) as Floats) as Floats, options);
  });
}
