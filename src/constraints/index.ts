// Constraints: what holds for weights after each update.

export { maxNorm } from './max-norm.ts';
export { nonNegative } from './non-negative.ts';
export { unitNorm } from './unit-norm.ts';
