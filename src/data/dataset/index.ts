// Data sets: examples on their way to training.

export { Dataset, type Example, type ShuffleOptions, type SplitOptions } from './dataset.ts';
export type { AnyIterable } from './sources.ts';
export type { Place } from './transforms.ts';
