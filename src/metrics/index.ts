// Metrics: what is measured beside the loss.

export { accuracy, binaryAccuracy, countCorrect, type ThresholdOptions } from './accuracy.ts';
export { confusionMatrix, countConfusions } from './confusion-matrix.ts';
export type { CountOptions } from './counts.ts';
export { f1 } from './f1.ts';
export { meanAbsoluteError } from './mean-absolute-error.ts';
export type { Metric, MetricOptions } from './metric.ts';
export { type PerplexityOptions, perplexity } from './perplexity.ts';
export { prAuc } from './pr-auc.ts';
export { precision } from './precision.ts';
export { rSquared } from './r-squared.ts';
export { recall } from './recall.ts';
export { rocAuc } from './roc-auc.ts';
export { rootMeanSquaredError } from './root-mean-squared-error.ts';
export { topKAccuracy } from './top-k-accuracy.ts';
