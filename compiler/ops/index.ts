// Every public function of ops, for `src/` and for those who build graphs without it. What a file exports is public, and
// its records are its default export, which a star leaves out: a new op needs no mention here. Files that stand here without
// a star also export what other ops are made of.

export * from './activations.ts';
export { argmax, argmin } from './argmax.ts';
export * from './arithmetic.ts';
export * from './atan2.ts';
export * from './attention.ts';
export * from './averages.ts';
export * from './axes.ts';
export * from './batch-norm.ts';
export * from './binary.ts';
export * from './bins.ts';
export { broadcastTo, expand, expandDims, sum } from './broadcast.ts';
export { checkFinite, checkIndex } from './check.ts';
export * from './checkpoint.ts';
export { isFinite, isInf, isNaN } from './classify.ts';
export * from './close.ts';
export * from './compare.ts';
export * from './composite.ts';
export * from './concat.ts';
export * from './constant.ts';
export * from './contract.ts';
export * from './conv-transpose.ts';
export * from './convert.ts';
export * from './covariance.ts';
export * from './ctc-decode.ts';
export * from './cumulative.ts';
export * from './custom-gradient.ts';
export * from './define.ts';
export { bernoulli, normal, randomKey, uniform } from './distributions.ts';
export * from './draws.ts';
export * from './einsum.ts';
export * from './erf-inverse.ts';
export * from './erfc.ts';
export * from './gamma.ts';
export * from './global-pool.ts';
export * from './grid-sample.ts';
export * from './indexing.ts';
export * from './inverse-hyperbolic.ts';
export * from './inverse-trig.ts';
export { full, input, iota, ones, onesLike, variableNode, zeros, zerosLike } from './leaf.ts';
export * from './loop.ts';
export * from './masks.ts';
export {
  clip,
  cosh,
  log2,
  log10,
  type NanToNumOptions,
  nanToNum,
  reciprocal,
  rsqrt,
  sinh,
  square,
  tan,
} from './math.ts';
export * from './matrix.ts';
export * from './normalize.ts';
export * from './norms.ts';
export * from './pad.ts';
export * from './pairs.ts';
export * from './patches.ts';
export * from './pool.ts';
export type { PoolOptions } from './pool-window.ts';
export * from './power.ts';
export { prod } from './prod.ts';
export * from './products.ts';
export * from './quantile.ts';
export * from './random.ts';
export * from './ranges.ts';
export * from './recurrent.ts';
export * from './reduce.ts';
export * from './remainder.ts';
export * from './repeat.ts';
export * from './resize.ts';
export * from './scatter-extremes.ts';
export * from './shape.ts';
export * from './shrink.ts';
export * from './sigmoid.ts';
export { slice } from './slice.ts';
export * from './sort.ts';
export * from './space-depth.ts';
export * from './special.ts';
export * from './triangle.ts';
export * from './unary.ts';
export * from './vectors.ts';
