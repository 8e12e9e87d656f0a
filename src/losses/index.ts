// Losses: functions of a prediction and a target.

export type { Loss, LossOptions, Reduction } from './loss.ts';
export { meanSquaredError } from './mean-squared-error.ts';
export { softmaxCrossEntropy } from './softmax-cross-entropy.ts';
