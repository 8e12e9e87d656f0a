// Layers.

export * from './activation.ts';
export {
  type AttentionLayerOptions,
  type HeadsRule,
  multiHeadAttention,
  positions,
  type TransformerBlockOptions,
  transformerBlock,
} from './attention.ts';
export * from './batch-norm.ts';
export * from './container.ts';
export * from './conv.ts';
export * from './dense.ts';
export * from './dropout.ts';
export * from './embedding.ts';
export type * from './image-rules.ts';
export { type Layer, type LayerOptions, layer } from './layer.ts';
export * from './norm.ts';
export * from './pool.ts';
export { gru, lstm, type RecurrentLayerOptions, type RecurrentRule, rnn } from './recurrent.ts';
export * from './shape.ts';
export type { InputShape, SameShape, ShapeRule } from './shape-rule.ts';
export * from './shuffle.ts';
