// Attention layers over f32[N, T, features].

import type { Heads } from '../../compiler/graph/shape-types-sequence.ts';
import {
  add,
  attention as attentionOp,
  dense as denseOp,
  gelu,
  joinHeads,
  rotary as rotaryOp,
  sinusoidalPositions,
  splitHeads,
} from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import { zeros } from '../initializers/constant.ts';
import { glorotUniform } from '../initializers/scaled.ts';
import { checkCount } from './check.ts';
import { dropout } from './dropout.ts';
import { expectRank, type Layer, type LayerOptions, layer, refuse } from './layer.ts';
import { layerNorm } from './norm.ts';
import type { InputShape, SameShape } from './shape-rule.ts';

const layout = '[batch, steps, features]';

export interface AttentionLayerOptions extends LayerOptions {
  /** Each step looks at itself and at steps before it only; default false. */
  readonly causal?: boolean;
  /** Turns queries and keys by their positions (Su et al., 2021); default false. */
  readonly rotary?: boolean;
  /** Probability of dropping a weight in training; default 0. */
  readonly dropout?: number;
}

/** [N, T, D] → [N, T, D], where H heads divide D. */
export interface HeadsRule<H extends number> extends SameShape {
  readonly check: Heads<'attention', InputShape<this>, H>;
}

/**
 * Multi-head self-attention: queries, keys and values are dense layers of the input, cut into heads; what the heads give is
 * joined and goes through a last dense layer. f32[N, T, D] → f32[N, T, D]. Variables `query/w`, `query/b`, and so on for
 * `key`, `value` and `output`. Vaswani et al., 2017. Throws HDL0003 (options), HDL0015 (input; heads that do not divide D).
 *
 * @example nn.multiHeadAttention(4, { causal: true })
 */
export function multiHeadAttention<const H extends number>(
  heads: H,
  options: AttentionLayerOptions = {},
): Layer<HeadsRule<H>> {
  checkCount('multiHeadAttention', 'heads', heads);
  const drop = dropout(options.dropout ?? 0, { name: 'dropout' });
  return layer(
    'attention',
    (x, ctx) => {
      expectRank('multiHeadAttention', x, 3, layout);
      const features = x.type.shape[2]!;
      if (features % heads !== 0) {
        refuse('multiHeadAttention', x, `${heads} heads divide its ${features} features`, 'choose a divisor');
      }
      const part = (name: string): Floats =>
        splitHeads(project(x, features, ctx.scope(name)), heads as number) as Floats;
      const turn = (v: Floats): Floats => (options.rotary ? rotaryOp(v) : v);
      const mixed = attentionOp(turn(part('query')), turn(part('key')), part('value'), {
        causal: options.causal ?? false,
        transform: (weights) => drop.apply(weights, ctx),
      });
      return project(joinHeads(mixed), features, ctx.scope('output'));
    },
    options,
  );
}

export interface TransformerBlockOptions extends AttentionLayerOptions {
  /** Features of the inner dense layer; default four times those of the input. */
  readonly hidden?: number;
}

/**
 * A block of a transformer, normalized before each part: x + attention(norm(x)), then y + dense(gelu(dense(norm(y)))). Both
 * sums are of what went through dropout. f32[N, T, D] → f32[N, T, D]. Throws HDL0003, HDL0015.
 *
 * @example nn.sequential([nn.embedding(256, 64), nn.positions(), nn.transformerBlock(4, { causal: true })])
 */
export function transformerBlock<const H extends number>(
  heads: H,
  options: TransformerBlockOptions = {},
): Layer<HeadsRule<H>> {
  const { name: _, hidden, ...own } = options;
  if (hidden !== undefined) checkCount('transformerBlock', 'hidden', hidden);
  const attend = multiHeadAttention(heads, own);
  const norms = [layerNorm(), layerNorm()] as const;
  const drops = [dropout(options.dropout ?? 0), dropout(options.dropout ?? 0)] as const;
  return layer(
    'transformer',
    (x, ctx) => {
      expectRank('transformerBlock', x, 3, layout);
      const features = x.type.shape[2]!;
      const y = add(x, drops[0].apply(attend.apply(norms[0].apply(x, ctx), ctx), ctx)) as Floats;
      const inner = project(norms[1].apply(y, ctx), hidden ?? 4 * features, ctx.scope('inner'));
      const outer = project(gelu(inner) as Floats, features, ctx.scope('outer'));
      return add(y, drops[1].apply(outer, ctx)) as Floats;
    },
    options,
  );
}

/**
 * Adds a code of sines and cosines for each step. f32[N, T, D], D even; no variables. Throws HDL0015.
 *
 * @example nn.positions()
 */
export function positions(options: LayerOptions = {}): Layer<SameShape> {
  return layer(
    'positions',
    (x) => {
      expectRank('positions', x, 3, layout);
      const [, length, features] = x.type.shape as [number, number, number];
      if (features % 2 !== 0) refuse('positions', x, 'its features come in pairs', 'choose an even number');
      return add(x, sinusoidalPositions(length, features)) as Floats;
    },
    options,
  );
}

/** A dense layer along the last dimension. */
function project(x: Floats, units: number, ctx: Context): Floats {
  const w = ctx.variable('w', [x.type.shape.at(-1)!, units], glorotUniform());
  return denseOp(x, w, ctx.variable('b', [units], zeros())) as Floats;
}
