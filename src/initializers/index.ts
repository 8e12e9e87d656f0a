// Initializers: first values of variables.

export { constant, fromArray, ones, zeros } from './constant.ts';
export { normal, truncatedNormal, uniform } from './distributions.ts';
export { type Fan, fanOf, type Initializer } from './initializer.ts';
export {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  type VarianceScalingOptions,
  varianceScaling,
} from './scaled.ts';
export { dirac, identity, orthogonal } from './structured.ts';
