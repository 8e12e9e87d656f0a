// Embedding: a learned vector for each of a number of tokens, alone or together as a bag of them.

import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Appended } from '../../compiler/graph/shape-types-matrix.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import {
  cast,
  div,
  expandDims,
  gather,
  gt,
  max,
  maximum,
  mean,
  ne,
  sum,
  where,
} from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { normal } from '../initializers/distributions.ts';
import type { Initializer } from '../initializers/initializer.ts';
import { checkCount, checkRange } from './check.ts';
import { type Layer, type LayerOptions, layerOf, refuse } from './layer.ts';
import type { InputShape, ShapeRule } from './shape-rule.ts';

type Mask = Tensor<Shape, 'bool'>;

export interface EmbeddingOptions extends LayerOptions {
  /** Default normal with deviation 1/√features. */
  readonly init?: Initializer;
  /** A token that stands for none: its vector is 0 and does not learn; in bags it does not count. Default: there is none. */
  readonly padding?: number;
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
  const { padding } = options;
  if (padding !== undefined) checkRange('embedding', 'padding', padding, 0, count);
  const init = options.init ?? normal(0, 1 / Math.sqrt(features));
  return layerOf(
    'i32',
    'embedding',
    (tokens, ctx) => {
      const rows = gather(ctx.variable('table', [count, features as number], init), tokens) as Floats;
      if (padding === undefined) return rows;
      return where(expandDims(ne(tokens, padding) as Mask, -1) as Mask, rows, 0) as Floats;
    },
    options,
  );
}

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** What becomes of the vectors of a bag; default `mean`. */
  readonly mode?: 'mean' | 'sum' | 'max';
}

/** […, L] → […, features]. */
export interface EmbeddingBagRule<F extends number> extends ShapeRule {
  readonly output: InputShape<this> extends readonly [...infer Bags extends Shape, number]
    ? readonly [...Bags, F]
    : Shape;
  readonly dtype: 'i32';
}

/**
 * The mean, sum or largest elements of the rows of a table for bags of tokens, along the last axis: i32[…, L] → f32[…, features], tokens in
 * [0, count). Shorter bags are filled up with a `padding` token; a bag of it alone is 0. Variable `table` [count, features]. Throws HDL0003 (options),
 * HDL0015 (input is not i32, or a single token); the run fails with HDL1004 at another token.
 *
 * @example nn.embeddingBag(1000, 64, { padding: 0 })
 */
export function embeddingBag<const F extends number>(
  count: number,
  features: F,
  options: EmbeddingBagOptions = {},
): Layer<EmbeddingBagRule<F>> {
  const { mode = 'mean', padding } = options;
  checkCount('embeddingBag', 'count', count);
  checkCount('embeddingBag', 'features', features);
  if (padding !== undefined) checkRange('embeddingBag', 'padding', padding, 0, count);
  const init = options.init ?? normal(0, 1 / Math.sqrt(features));
  return layerOf(
    'i32',
    'embeddingBag',
    (tokens, ctx) => {
      if (tokens.type.shape.length === 0) {
        refuse(
          'embeddingBag',
          tokens,
          'its input is […, tokens of a bag]',
          'a single token is a bag of one: [1]',
        );
      }
      const rows = gather(ctx.variable('table', [count, features as number], init), tokens) as Floats;
      const isToken = padding === undefined ? null : (ne(tokens, padding) as Mask);
      return poolBags(rows, isToken, mode);
    },
    options,
  );
}

/** Rows [..., L, features] pooled over L, without those that are no tokens. */
function poolBags(rows: Floats, isToken: Mask | null, mode: 'mean' | 'sum' | 'max'): Floats {
  const pool = { mean, sum, max }[mode] as (x: Floats, axis: number) => Floats;
  if (isToken === null) return pool(rows, -2);
  const counts = expandDims(isToken, -1) as Mask;
  const sizes = sum(cast(counts, 'f32') as Floats, -2) as Floats;
  if (mode === 'max') {
    const most = max(where(counts, rows, Number.NEGATIVE_INFINITY) as Floats, -2) as Floats;
    return where(gt(sizes, 0) as Mask, most, 0) as Floats;
  }
  const total = sum(where(counts, rows, 0) as Floats, -2) as Floats;
  return mode === 'sum' ? total : (div(total, maximum(sizes, 1) as Floats) as Floats);
}
