// Dropout (Srivastava et al., 2014), inverted: what stays is scaled in training, so evaluation does nothing.

import { bernoulli, mul, where } from '../../compiler/ops/index.ts';
import { checkRange } from './check.ts';
import { type Layer, type LayerOptions, layer } from './layer.ts';

/**
 * In training, each element is 0 with probability `rate` and else x / (1 − rate); in evaluation it is x. Any f32 input. The
 * mask is another one in every run and follows from the program's seed. Throws HDL0003 (rate), HDL0015 (input).
 *
 * @example nn.dropout(0.2)
 */
export function dropout(rate: number, options: LayerOptions = {}): Layer {
  checkRange('dropout', 'rate', rate, 0, 1);
  return layer(
    'dropout',
    (x, ctx) => {
      if (!ctx.training || rate === 0) return x;
      const kept = bernoulli(ctx.randomKey(), 1 - rate, x.type.shape);
      return where(kept, mul(x, 1 / (1 - rate)), 0);
    },
    options,
  );
}
