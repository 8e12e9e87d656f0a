// Losses: functions of a prediction and a target.

export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './binary-cross-entropy.ts';
export type { ClassWeights } from './class-weights.ts';
export { cosineDistance } from './cosine-distance.ts';
export { type CosineEmbeddingOptions, cosineEmbedding } from './cosine-embedding.ts';
export { type Ctc, type CtcOptions, ctc } from './ctc.ts';
export { type FocalOptions, focal } from './focal.ts';
export { type GaussianOptions, gaussianNegativeLogLikelihood } from './gaussian-nll.ts';
export { hinge } from './hinge.ts';
export { type HuberOptions, huber, type SmoothL1Options, smoothL1 } from './huber.ts';
export { klDivergence } from './kl-divergence.ts';
export type { LabelOptions } from './labels.ts';
export { logCosh } from './log-cosh.ts';
export { type Loss, type LossOptions, type Reduction, withOptions } from './loss.ts';
export { type MarginRankingOptions, marginRanking } from './margin-ranking.ts';
export { meanAbsoluteError } from './mean-absolute-error.ts';
export { meanSquaredError } from './mean-squared-error.ts';
export { negativeLogLikelihood } from './negative-log-likelihood.ts';
export { type PoissonOptions, poisson } from './poisson.ts';
export { meanAbsolutePercentageError, meanSquaredLogarithmicError } from './relative.ts';
export { type SoftCrossEntropyOptions, softCrossEntropy } from './soft-cross-entropy.ts';
export { type CrossEntropyOptions, softmaxCrossEntropy } from './softmax-cross-entropy.ts';
export { squaredHinge } from './squared-hinge.ts';
export { type TripletOptions, triplet } from './triplet.ts';
