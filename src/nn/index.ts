// Layers.

export { flatten, identity, lambda, relu, sigmoid, softmax, tanh } from './activation.ts';
export {
  type AttentionLayerOptions,
  multiHeadAttention,
  positions,
  type TransformerBlockOptions,
  transformerBlock,
} from './attention.ts';
export { type BatchNormOptions, batchNorm } from './batch-norm.ts';
export { residual, sequential } from './container.ts';
export { type ConvTranspose2dOptions, convTranspose2d } from './conv-transpose2d.ts';
export { type Conv2dOptions, conv2d } from './conv2d.ts';
export { type DenseOptions, dense } from './dense.ts';
export { dropConnect, dropout, gaussianNoise, spatialDropout } from './dropout.ts';
export { type EmbeddingOptions, embedding } from './embedding.ts';
export { type Layer, type LayerOptions, layer } from './layer.ts';
export { groupNorm, instanceNorm, layerNorm, type NormLayerOptions, rmsNorm } from './norm.ts';
export { type AvgPoolOptions, avgPool2d, globalAvgPool, maxPool2d, type PoolOptions } from './pool.ts';
export { gru, lstm, type RecurrentLayerOptions, rnn } from './recurrent.ts';
