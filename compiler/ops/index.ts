// Every public function of ops, for `src/` and for those who build graphs without it.

export {
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  silu,
  softplus,
  softsign,
} from './activations.ts';
export { argmax, argmin } from './argmax.ts';
export { add, div, mul, neg, sub } from './arithmetic.ts';
export { atan2 } from './atan2.ts';
export {
  type AttentionOptions,
  attention,
  joinHeads,
  type RotaryOptions,
  rotary,
  sinusoidalPositions,
  splitHeads,
} from './attention.ts';
export { type BatchNormOptions, batchNorm, batchStatistics, type Statistics } from './batch-norm.ts';
export {
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  shl,
  shr,
} from './binary.ts';
export { broadcastTo, expandDims, sum } from './broadcast.ts';
export { checkFinite, checkIndex } from './check.ts';
export { checkpoint } from './checkpoint.ts';
export { isFinite, isInf, isNaN } from './classify.ts';
export { eq, ge, gt, le, lt, ne, where } from './compare.ts';
export { logSoftmax, logSumExp, mean, softmax, type VarianceOptions, variance } from './composite.ts';
export { concat, split, stack } from './concat.ts';
export { type ConstantValues, constant } from './constant.ts';
export { type ConvOptions, conv1d, conv2d, conv3d, dense, matmul } from './contract.ts';
export {
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from './conv-transpose.ts';
export { bitcast, cast, stopGradient } from './convert.ts';
export { type CumulativeOptions, cumprod, cumsum } from './cumulative.ts';
export { customGradient } from './custom-gradient.ts';
export { defineOp } from './define.ts';
export { bernoulli, normal, randomKey, uniform } from './distributions.ts';
export { categorical, permutation, randint, shuffle, truncatedNormal } from './draws.ts';
export { einsum } from './einsum.ts';
export { erfc } from './erfc.ts';
export {
  adaptiveAvgPool,
  adaptiveMaxPool,
  globalAvgPool,
  globalLpPool,
  globalMaxPool,
} from './global-pool.ts';
export {
  gather,
  gatherElements,
  type OneHotOptions,
  oneHot,
  scatterAdd,
  scatterAddElements,
  scatterUpdate,
} from './indexing.ts';
export { acosh, asinh, atanh } from './inverse-hyperbolic.ts';
export { acos, asin, atan } from './inverse-trig.ts';
export { full, input, iota, ones, onesLike, variableNode, zeros, zerosLike } from './leaf.ts';
export { type RowsOf, type ScanOptions, type ScanResult, scan } from './loop.ts';
export { clip, cosh, log2, reciprocal, rsqrt, sinh, square, tan } from './math.ts';
export {
  type AxisNormOptions,
  groupNorm,
  instanceNorm,
  type LocalResponseOptions,
  layerNorm,
  localResponseNorm,
  type NormOptions,
  rmsNorm,
} from './normalize.ts';
export { l1, l2, std } from './norms.ts';
export { type PadMode, pad } from './pad.ts';
export {
  type AvgPool,
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPool,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  type MaxPool,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from './pool.ts';
export type { PoolOptions } from './pool-window.ts';
export { cbrt, exp2, pow } from './power.ts';
export { prod } from './prod.ts';
export { foldIn, randomBits, splitKey } from './random.ts';
export {
  type GruOptions,
  gru,
  type LstmOptions,
  type LstmResult,
  lstm,
  type Recurrence,
  type RecurrentOptions,
  type RecurrentWeights,
  type RnnOptions,
  rnn,
} from './recurrent.ts';
export { all, any, max, min } from './reduce.ts';
export { floorMod, mod } from './remainder.ts';
export { repeat, roll, tile } from './repeat.ts';
export {
  type ResizeCoordinates,
  type ResizeMode,
  type ResizeOptions,
  type ResizeRounding,
  resize,
} from './resize.ts';
export { flatten, flip, reshape, reverse, squeeze, transpose, unsqueeze } from './shape.ts';
export { sigmoid } from './sigmoid.ts';
export { slice } from './slice.ts';
export { argsort, type SortOptions, sort, type TopK, type TopKOptions, topK } from './sort.ts';
export { type DepthOrder, depthToSpace, spaceToDepth } from './space-depth.ts';
export { tril, triu } from './triangle.ts';
export {
  abs,
  ceil,
  cos,
  erf,
  exp,
  expm1,
  floor,
  log,
  log1p,
  round,
  sign,
  sin,
  sqrt,
  tanh,
  trunc,
} from './unary.ts';
