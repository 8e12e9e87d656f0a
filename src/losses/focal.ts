// The focal loss: binary cross-entropy that looks past what is answered well already.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { add, exp, mul, neg, softplus, sub } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkFraction, checkNotNegative } from './check.ts';
import { expectSameShape, type LossOptions, reduceLoss } from './loss.ts';

export interface FocalOptions extends LossOptions {
  /** How strongly what is answered well is looked past; 0 is cross-entropy. Default 2. */
  readonly gamma?: number | undefined;
  /** Weight of the positive answers, 1 − alpha that of the others; default 0.25. */
  readonly alpha?: number | undefined;
}

/**
 * Focal loss of logits x and targets t in [0, 1], with p = σ(x); stable for logits of any size. Both f32 and of one shape →
 * f32[], or their shape with `reduction: 'none'`. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula −α · t · (1 − p)ᵞ · log p − (1 − α) · (1 − t) · pᵞ · log(1 − p)
 * @source Lin et al., 2017
 * @example const loss = losses.focal(logits, answers, { gamma: 1 });
 */
export function focal(logits: Tensor, target: Tensor, options: FocalOptions = {}): Floats {
  const { gamma = 2, alpha = 0.25 } = options;
  expectSameShape('focal', logits, target);
  checkNotNegative('focal', 'gamma', gamma);
  checkFraction('focal', 'alpha', alpha);
  return scope('focal', () => {
    const [x, t] = [logits as Floats, target as Floats];
    // −log p and −log(1 − p); their exponentials are powers of p and 1 − p without a kink.
    const missed = softplus(neg(x) as Floats) as Floats;
    const raised = softplus(x) as Floats;
    const power = (surprise: Floats): Floats => exp(mul(surprise, -gamma) as Floats) as Floats;
    const yes = mul(mul(t, alpha) as Floats, mul(power(raised), missed) as Floats) as Floats;
    const no = mul(
      mul(sub(1, t) as Floats, 1 - alpha) as Floats,
      mul(power(missed), raised) as Floats,
    ) as Floats;
    return reduceLoss('focal', add(yes, no) as Floats, options);
  });
}
