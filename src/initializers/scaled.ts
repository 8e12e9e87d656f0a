// Initial values whose variance is set by the fan of the weight, so that signals keep their size from layer to layer.
//
//   Glorot   variance 2 / (in + out)   for layers followed by tanh, sigmoid or nothing (Glorot and Bengio, 2010)
//   He       variance 2 / in           for layers followed by ReLU (He et al., 2015)
//
// A uniform distribution in [−b, b) has variance b²/3.

import { type Fan, fanOf, fill, type Initializer } from './initializer.ts';

function scaledUniform(variance: (fan: Fan) => number): Initializer {
  return (shape, random) => {
    const bound = Math.sqrt(3 * variance(fanOf(shape)));
    return fill(shape, () => random.uniform(-bound, bound));
  };
}

function scaledNormal(variance: (fan: Fan) => number): Initializer {
  return (shape, random) => {
    const deviation = Math.sqrt(variance(fanOf(shape)));
    return fill(shape, () => random.normal(0, deviation));
  };
}

const glorot = (fan: Fan): number => 2 / (fan.in + fan.out);
const he = (fan: Fan): number => 2 / fan.in;

/** Uniform in ±√(6 / (in + out)). */
export function glorotUniform(): Initializer {
  return scaledUniform(glorot);
}

/** Normal with deviation √(2 / (in + out)). */
export function glorotNormal(): Initializer {
  return scaledNormal(glorot);
}

/** Uniform in ±√(6 / in). */
export function heUniform(): Initializer {
  return scaledUniform(he);
}

/** Normal with deviation √(2 / in). */
export function heNormal(): Initializer {
  return scaledNormal(he);
}
