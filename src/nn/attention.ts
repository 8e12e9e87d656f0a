// Attention layers over f32[N, T, features].

import { describeNode } from '../../compiler/graph/describe.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Heads } from '../../compiler/graph/shape-types-sequence.ts';
import {
  add,
  attention as attentionOp,
  dense as denseOp,
  gelu,
  joinHeads,
  reshape,
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
  /**
   * Where a step may look, true where it may: bool[N, M] says which of the M steps looked at hold something, as `sequenceMask` makes
   * it; bool[N, T, M] says it for each of the T steps, bool[N, H, T, M] for each head, too; a dimension of 1 stands for all.
   */
  readonly mask?: Tensor;
  /** What is looked at, f32[N, M, …], instead of the input itself. With it, or a mask, the layer is made where these tensors are. */
  readonly memory?: Tensor;
}

/** [N, T, D] → [N, T, D], where H heads divide D. */
export interface HeadsRule<H extends number> extends SameShape {
  readonly check: Heads<'attention', InputShape<this>, H>;
}

/**
 * Multi-head attention: queries, keys and values are dense layers of the input, cut into heads; what the heads give is joined and
 * goes through a last dense layer. With a `memory` keys and values come from there: f32[N, T, D], f32[N, M, …] → f32[N, T, D].
 * Variables `query/w`, `query/b`, and so on for `key`, `value` and `output`. Vaswani et al., 2017. Throws HDL0003 (options),
 * HDL0015 (input, mask or memory; heads that do not divide D).
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
      const memory = memoryOf(x, options.memory);
      const part = (from: Floats, name: string): Floats =>
        splitHeads(project(from, features, ctx.scope(name)), heads as number) as Floats;
      const turn = (v: Floats): Floats => (options.rotary ? rotaryOp(v) : v);
      const mixed = attentionOp(turn(part(x, 'query')), turn(part(memory, 'key')), part(memory, 'value'), {
        causal: options.causal ?? false,
        ...(options.mask !== undefined && { mask: maskOf(x, memory, heads, options.mask) }),
        transform: (weights) => drop.apply(weights, ctx),
      });
      return project(joinHeads(mixed), features, ctx.scope('output'));
    },
    options,
  );
}

/** What attention reads: the input, or a memory for as many examples. */
function memoryOf(x: Floats, memory: Tensor | undefined): Floats {
  if (memory === undefined) return x;
  const { shape, dtype } = memory.type;
  if (shape.length !== 3 || shape[0] !== x.type.shape[0] || dtype !== 'f32') {
    const rule = `its memory is f32[${x.type.shape[0]}, steps, features], not ${describeNode(memory)}`;
    refuse('multiHeadAttention', x, rule, 'it is what an encoder made of the same batch');
  }
  return memory as Floats;
}

/** The mask as bool[N, H, T, M], with dimensions of 1 where all are alike. */
function maskOf(x: Floats, memory: Floats, heads: number, mask: Tensor): Tensor {
  const { shape, dtype } = mask.type;
  const [n, t] = x.type.shape as readonly [number, number, number];
  const wanted = [n, heads, t, memory.type.shape[1]!];
  const spread =
    shape.length === 2 ? [shape[0]!, 1, 1, shape[1]!] : [...shape.slice(0, 1), 1, ...shape.slice(1)];
  const full = shape.length === 4 ? shape : spread;
  if (dtype !== 'bool' || full.length !== 4 || full.some((d, i) => d !== 1 && d !== wanted[i])) {
    const rule = `its mask is bool[${n}, ${wanted[3]}], bool[${n}, ${t}, ${wanted[3]}] or bool[${wanted.join(', ')}], not ${describeNode(mask)}`;
    refuse('multiHeadAttention', x, rule, 'from lengths: sequenceMask(lengths, steps)');
  }
  return reshape(mask, full) as Tensor;
}

export interface TransformerBlockOptions extends AttentionLayerOptions {
  /** Features of the inner dense layer; default four times those of the input. */
  readonly hidden?: number;
  /** What an encoder made, f32[N, M, …]: after the attention to itself, the block attends to it. Default none. */
  readonly memory?: Tensor;
  /** Where steps may look in the memory, as `mask`. */
  readonly memoryMask?: Tensor;
}

/**
 * A block of a transformer, normalized before each part: x + attention(norm(x)), then y + dense(gelu(dense(norm(y)))). Sums are
 * of what went through dropout. With a `memory` it is a decoder's: between both parts comes y + attention(norm(y), memory).
 * f32[N, T, D] → f32[N, T, D]. Throws HDL0003, HDL0015.
 *
 * @example nn.sequential([nn.embedding(256, 64), nn.positions(), nn.transformerBlock(4, { causal: true })])
 */
export function transformerBlock<const H extends number>(
  heads: H,
  options: TransformerBlockOptions = {},
): Layer<HeadsRule<H>> {
  const { name: _, hidden, memory, memoryMask, ...own } = options;
  if (hidden !== undefined) checkCount('transformerBlock', 'hidden', hidden);
  const attend = multiHeadAttention(heads, own);
  // Positions in the memory are none of the input's: neither causal nor turned.
  const { causal: _causal, mask: _mask, rotary: _rotary, ...plain } = own;
  const look =
    memory &&
    multiHeadAttention(heads, { ...plain, name: 'memory', memory, ...(memoryMask && { mask: memoryMask }) });
  const [between, drop] = [
    layerNorm({ name: 'memoryNorm' }),
    dropout(options.dropout ?? 0, { name: 'memoryDropout' }),
  ];
  const norms = [layerNorm(), layerNorm()] as const;
  const drops = [dropout(options.dropout ?? 0), dropout(options.dropout ?? 0)] as const;
  return layer(
    'transformer',
    (x, ctx) => {
      expectRank('transformerBlock', x, 3, layout);
      const features = x.type.shape[2]!;
      const y = add(x, drops[0].apply(attend.apply(norms[0].apply(x, ctx), ctx), ctx)) as Floats;
      const z = look ? (add(y, drop.apply(look.apply(between.apply(y, ctx), ctx), ctx)) as Floats) : y;
      const inner = project(norms[1].apply(z, ctx), hidden ?? 4 * features, ctx.scope('inner'));
      const outer = project(gelu(inner) as Floats, features, ctx.scope('outer'));
      return add(z, drops[1].apply(outer, ctx)) as Floats;
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
