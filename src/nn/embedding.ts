// Embedding: a learned vector for each of a number of tokens.

import type { Appended } from '../../compiler/graph/shape-types-matrix.ts';
import { gather } from '../../compiler/ops/index.ts';
import { normal } from '../initializers/distributions.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { checkCount } from './check.ts';
import { type Layer, type LayerOptions, layerOf } from './layer.ts';
import type { InputShape, ShapeRule } from './shape-rule.ts';

export interface EmbeddingOptions extends LayerOptions {
  /** Default normal with deviation 1/√features. */
  readonly init?: Initializer;
}

/** […] → […, features]. */
export interface EmbeddingRule<F extends number> extends ShapeRule {
  readonly output: Appended<InputShape<this>, F>;
  readonly dtype: 'i32';
}

/**
 * The row of a table for each token: i32[…] → f32[…, features], tokens in [0, count). Variable `table` [count, features]. Throws
 * HDL0003 (options), HDL0015 (input is not i32); the run fails with HDL1004 at another token.
 *
 * @example nn.embedding(1000, 64)
 */
export function embedding<const F extends number>(
  count: number,
  features: F,
  options: EmbeddingOptions = {},
): Layer<EmbeddingRule<F>> {
  checkCount('embedding', 'count', count);
  checkCount('embedding', 'features', features);
  const init = options.init ?? normal(0, 1 / Math.sqrt(features));
  return layerOf(
    'i32',
    'embedding',
    (tokens, ctx) => gather(ctx.variable('table', [count, features as number], init), tokens),
    options,
  );
}
