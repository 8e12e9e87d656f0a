// The fully connected layer.

import { dense as denseOp } from '../../compiler/ops/index.ts';
import { zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount } from './check.ts';
import { expectRows, type Layer, type LayerOptions, layer } from './layer.ts';

export interface DenseOptions extends LayerOptions {
  /** Adds a bias; default true. */
  readonly bias?: boolean;
  /** First weight; default Glorot uniform. */
  readonly init?: Initializer;
  readonly biasInit?: Initializer;
}

/**
 * y = x · w + b for each row of features. f32[N, in] → f32[N, units], and at each step of a sequence f32[N, T, in] →
 * f32[N, T, units]; variables `w` [in, units] and `b` [units]. The input's features are known at the first application. Throws
 * HDL0003 (units), HDL0015 (another input: pictures want `flatten` first).
 *
 * @example nn.dense(10, { init: initializers.heNormal() })
 */
export function dense(units: number, options: DenseOptions = {}): Layer {
  checkCount('dense', 'units', units);
  const { bias = true, init = glorotUniform(), biasInit = zeros() } = options;
  return layer(
    'dense',
    (x, ctx) => {
      expectRows(`dense(${units})`, x);
      const w = ctx.variable('w', [x.type.shape.at(-1)!, units], init);
      return bias ? denseOp(x, w, ctx.variable('b', [units], biasInit)) : denseOp(x, w);
    },
    options,
  );
}
