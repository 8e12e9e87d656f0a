// The fully connected layer.

import type { IsTuple, ShapeError } from '../../compiler/graph/shape-types.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { dense as denseOp } from '../../compiler/ops/index.ts';
import { zeros } from '../initializers/constant.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount } from './check.ts';
import { expectRows, type Layer, type LayerOptions, layer } from './layer.ts';
import type { InputShape, ShapeRule } from './shape-rule.ts';

export interface DenseOptions extends LayerOptions {
  /** Adds a bias; default true. */
  readonly bias?: boolean;
  /** First weight; default Glorot uniform. */
  readonly init?: Initializer;
  readonly biasInit?: Initializer;
}

/** [N, in] → [N, units], [N, T, in] → [N, T, units]. */
export interface DenseRule<U extends number> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [...infer Head extends Shape, number]
    ? readonly [...Head, U]
    : Shape;
  readonly check: IsTuple<InputShape<this>> extends false
    ? unknown
    : InputShape<this>['length'] extends 2 | 3
      ? unknown
      : ShapeError<`dense: the input has ${InputShape<this>['length']} dimensions; put flatten() before it`>;
  readonly dtype: 'f32';
}

/**
 * y = x · w + b for each row of features. f32[N, in] → f32[N, units], and at each step of a sequence f32[N, T, in] →
 * f32[N, T, units]; variables `w` [in, units] and `b` [units]. The input's features are known at the first application. Throws
 * HDL0003 (units), HDL0015 (another input: pictures want `flatten` first).
 *
 * @example nn.dense(10, { init: initializers.heNormal() })
 */
export function dense<const U extends number>(units: U, options: DenseOptions = {}): Layer<DenseRule<U>> {
  checkCount('dense', 'units', units);
  const outputs: number = units;
  const { bias = true, init = glorotUniform(), biasInit = zeros() } = options;
  return layer(
    'dense',
    (x, ctx) => {
      expectRows(`dense(${units})`, x);
      const w = ctx.variable('w', [x.type.shape.at(-1)!, outputs], init);
      return bias ? denseOp(x, w, ctx.variable('b', [outputs], biasInit)) : denseOp(x, w);
    },
    options,
  );
}
