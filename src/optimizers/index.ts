// Optimizers: from gradients to new values of parameters.

export { type AdagradOptions, adagrad } from './adagrad.ts';
export { type AdamOptions, adam, adamw } from './adam.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export {
  movingMean,
  type Optimizer,
  type OptimizerOptions,
  optimizer,
  type Rule,
  type State,
} from './optimizer.ts';
export { type RmspropOptions, rmsprop } from './rmsprop.ts';
export { type SgdOptions, sgd } from './sgd.ts';
