// Metrics: what is measured beside the loss.

export { accuracy, countCorrect } from './accuracy.ts';
export type { Metric } from './metric.ts';
