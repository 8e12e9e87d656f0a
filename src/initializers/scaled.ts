// Initial values whose variance is set by the fan of the weight, so that signals keep their size from layer to layer.
//
//   Glorot   variance 2 / (in + out)   for layers followed by tanh, sigmoid or nothing
//   He       variance 2 / in           for layers followed by ReLU
//   LeCun    variance 1 / in           for layers followed by SELU
//
// A uniform distribution in [−b, b) has variance b²/3. A normal one that is cut at two deviations has 0.7737 of the variance of
// the one that it is cut from.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { truncatedNormal } from './distributions.ts';
import { fanOf, fill, type Initializer } from './initializer.ts';

export interface VarianceScalingOptions {
  /** Factor of the variance; default 1. */
  readonly scale?: number;
  /** What the variance is divided by; default `in`. `average` is (in + out) / 2. */
  readonly fan?: 'in' | 'out' | 'average';
  /** Default `normal`. */
  readonly distribution?: 'uniform' | 'normal' | 'truncatedNormal';
}

/** The deviation of a standard normal distribution that is cut at ±2. */
const deviationWhenCut = 0.8796256610342398;

/**
 * Draws with variance scale / fan: the family that Glorot, He and LeCun belong to. Throws HDL0003.
 *
 * @formula variance s / fan
 * @source Glorot and Bengio, 2010; He et al., 2015
 * @example initializers.varianceScaling({ scale: 0.1, fan: 'out', distribution: 'truncatedNormal' })
 */
export function varianceScaling(options: VarianceScalingOptions = {}): Initializer {
  const { scale = 1, fan = 'in', distribution = 'normal' } = options;
  const fans = ['in', 'out', 'average'];
  const kinds = ['uniform', 'normal', 'truncatedNormal'];
  if (!(scale > 0 && Number.isFinite(scale)) || !fans.includes(fan) || !kinds.includes(distribution)) {
    throw compilerError('HDL0003', {
      what: `varianceScaling({ scale: ${scale}, fan: '${fan}', distribution: '${distribution}' })`,
      rule: `scale is above 0, fan one of ${fans.join(', ')}, distribution one of ${kinds.join(', ')}`,
      loc: callerLocation(),
    });
  }
  return (shape, random) => {
    const { in: from, out: to } = fanOf(shape);
    const size = { in: from, out: to, average: (from + to) / 2 }[fan];
    const deviation = Math.sqrt(scale / size);
    switch (distribution) {
      case 'uniform': {
        const bound = Math.sqrt(3) * deviation;
        return fill(shape, () => random.uniform(-bound, bound));
      }
      case 'normal':
        return fill(shape, () => random.normal(0, deviation));
      case 'truncatedNormal':
        return truncatedNormal(0, deviation / deviationWhenCut)(shape, random);
      default:
        return distribution satisfies never;
    }
  };
}

/**
 * Uniform, for layers followed by tanh, sigmoid or nothing.
 *
 * @formula U(−b, b), b = √(6 / (in + out))
 * @source Glorot and Bengio, 2010
 */
export function glorotUniform(): Initializer {
  return varianceScaling({ fan: 'average', distribution: 'uniform' });
}

/**
 * Normal, for layers followed by tanh, sigmoid or nothing.
 *
 * @formula N(0, σ²), σ = √(2 / (in + out))
 * @source Glorot and Bengio, 2010
 */
export function glorotNormal(): Initializer {
  return varianceScaling({ fan: 'average' });
}

/**
 * Uniform, for layers followed by ReLU.
 *
 * @formula U(−b, b), b = √(6 / in)
 * @source He et al., 2015
 */
export function heUniform(): Initializer {
  return varianceScaling({ scale: 2, distribution: 'uniform' });
}

/**
 * Normal, for layers followed by ReLU.
 *
 * @formula N(0, σ²), σ = √(2 / in)
 * @source He et al., 2015
 */
export function heNormal(): Initializer {
  return varianceScaling({ scale: 2 });
}

/**
 * Uniform, for layers followed by SELU.
 *
 * @formula U(−b, b), b = √(3 / in)
 * @source LeCun et al., 1998; Klambauer et al., 2017
 */
export function lecunUniform(): Initializer {
  return varianceScaling({ distribution: 'uniform' });
}

/**
 * Normal, for layers followed by SELU.
 *
 * @formula N(0, σ²), σ = √(1 / in)
 * @source LeCun et al., 1998; Klambauer et al., 2017
 */
export function lecunNormal(): Initializer {
  return varianceScaling();
}
