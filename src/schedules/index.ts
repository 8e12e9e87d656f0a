// Schedules: learning rates by step, for `fit({ learningRate })` and for runs of many steps.

export { constant } from './constant.ts';
export { type CosineDecayOptions, cosineDecay } from './cosine-decay.ts';
export { type ExponentialDecayOptions, exponentialDecay } from './exponential-decay.ts';
export { type OneCycleOptions, oneCycle } from './one-cycle.ts';
export { type PolynomialDecayOptions, polynomialDecay } from './polynomial-decay.ts';
export type { Schedule } from './schedule.ts';
export { type StepDecayOptions, stepDecay } from './step-decay.ts';
