// Looking into what a program computes: the first NaN, statistics while it trains, how a value came to be, gradients checked.

export { type Explained, type ExplainOptions, explainNode, findValue, formatExplanation } from './explain.ts';
export {
  type CheckedElement,
  type CheckedValue,
  checkGraphGradients,
  formatGradCheck,
  type GradCheck,
  type GradCheckOptions,
} from './grad-check.ts';
export {
  explainFailure,
  findNotFinite,
  formatNumerics,
  type NotFinite,
  type NumericsReport,
  type RangedValue,
} from './numerics.ts';
export { formatRange, type Range } from './range.ts';
export type { Statistics } from './statistics.ts';
export { stepInputs } from './step-inputs.ts';
export type { Subject } from './values.ts';
export { Watch, type WatchedValue, type WatchOptions, watchOutput } from './watch.ts';
