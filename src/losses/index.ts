// Losses: functions of a prediction and a target.

export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './binary-cross-entropy.ts';
export type { ClassWeights } from './class-weights.ts';
export { cosineDistance } from './cosine-distance.ts';
export { type FocalOptions, focal } from './focal.ts';
export { hinge } from './hinge.ts';
export { type HuberOptions, huber, type SmoothL1Options, smoothL1 } from './huber.ts';
export { klDivergence } from './kl-divergence.ts';
export type { LabelOptions } from './labels.ts';
export { type Loss, type LossOptions, type Reduction, withOptions } from './loss.ts';
export { meanAbsoluteError } from './mean-absolute-error.ts';
export { meanSquaredError } from './mean-squared-error.ts';
export { negativeLogLikelihood } from './negative-log-likelihood.ts';
export { type PoissonOptions, poisson } from './poisson.ts';
export { type SoftCrossEntropyOptions, softCrossEntropy } from './soft-cross-entropy.ts';
export { type CrossEntropyOptions, softmaxCrossEntropy } from './softmax-cross-entropy.ts';
export { squaredHinge } from './squared-hinge.ts';
export { type TripletOptions, triplet } from './triplet.ts';
