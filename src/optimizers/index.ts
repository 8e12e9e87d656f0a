// Optimizers: from gradients to new values of parameters.

export { accumulate } from './accumulate.ts';
export { type AdadeltaOptions, adadelta } from './adadelta.ts';
export { type AdagradOptions, adagrad } from './adagrad.ts';
export { type AdamOptions, adam, adamw } from './adam.ts';
export { type AverageOptions, average, swapAverages } from './average.ts';
export { type ClipOptions, clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clip.ts';
export { groups, type ParameterGroup } from './groups.ts';
export { type LionOptions, lion } from './lion.ts';
export { type NadamOptions, nadam } from './nadam.ts';
export {
  biasWeight,
  movingMean,
  type Optimizer,
  type OptimizerOptions,
  optimizer,
  type Rule,
  type Shared,
  type State,
  settle,
} from './optimizer.ts';
export { type RadamOptions, radam } from './radam.ts';
export { type RmspropOptions, rmsprop } from './rmsprop.ts';
export { type SgdOptions, sgd } from './sgd.ts';
