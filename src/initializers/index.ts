// Initializers: first values of variables.

export { constant, fromArray, ones, zeros } from './constant.ts';
export { normal, uniform } from './distributions.ts';
export { type Fan, fanOf, type Initializer } from './initializer.ts';
export { glorotNormal, glorotUniform, heNormal, heUniform } from './scaled.ts';
