// Initial values with a structure: the identity, its form for convolutions, orthogonal rows.

import { compilerError } from '../../compiler/graph/errors.ts';
import { elementCount, formatShape, type Shape } from '../../compiler/graph/types.ts';
import type { Random } from '../random.ts';
import type { Initializer } from './initializer.ts';

/**
 * Ones (times `gain`) on the diagonal of a matrix [in, out], else zeros: the layer passes its input on. Throws HDL0003 for
 * other ranks.
 *
 * @formula wᵢⱼ = gain where i = j, else 0
 * @source Le et al., 2015
 * @example initializers.identity()
 */
export function identity(gain = 1): Initializer {
  return (shape) => {
    const [rows, columns] = matrixOf('identity', shape, shape.length === 2);
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = gain;
    return values;
  };
}

/**
 * The identity of convolutions [out, in, ...kernel]: each output passes on the input of its number, with `groups`, of its number
 * within its group. Throws HDL0003 for ranks below 3, and outputs that do not split into the groups.
 *
 * @formula w[o, i, center] = 1 where i = o mod (out / groups), else 0
 * @source Zagoruyko and Komodakis, 2017
 * @example initializers.dirac()
 */
export function dirac(groups = 1): Initializer {
  return (shape) => {
    matrixOf('dirac', shape, shape.length >= 3);
    const [out, from, ...kernel] = shape as readonly [number, number, ...number[]];
    if (!Number.isInteger(groups) || groups < 1 || out % groups !== 0) {
      throw compilerError('HDL0003', {
        what: `dirac(${groups}) for a weight of shape ${formatShape(shape)}`,
        rule: `the ${out} outputs split into the groups`,
        hint: 'groups is the number of groups of the convolution',
      });
    }
    const taps = elementCount(kernel);
    const center = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
    const perGroup = out / groups;
    const values = new Float32Array(out * from * taps);
    for (let o = 0; o < out; o++) {
      const i = o % perGroup;
      if (i < from) values[(o * from + i) * taps + center] = 1;
    }
    return values;
  };
}

/**
 * Rows or columns, whichever are fewer, of length `gain` and at right angles to each other. A convolution [out, in, ...kernel] counts
 * as a matrix [out, in · kernel]. Throws HDL0003 for ranks below 2.
 *
 * @formula Q of the QR decomposition of a normal matrix, its columns signed by the diagonal of R
 * @source Saxe et al., 2014
 * @example initializers.orthogonal(Math.SQRT2)
 */
export function orthogonal(gain = 1): Initializer {
  return (shape, random) => {
    const [rows, columns] = matrixOf('orthogonal', shape, shape.length >= 2);
    const isTall = rows >= columns;
    const vectors = orthonormal(Math.min(rows, columns), Math.max(rows, columns), random);
    const values = new Float32Array(rows * columns);
    vectors.forEach((v, k) => {
      for (let i = 0; i < v.length; i++) values[isTall ? i * columns + k : k * columns + i] = gain * v[i]!;
    });
    return values;
  };
}

/**
 * `count` random vectors of length 1, at right angles, by Gram and Schmidt's method. Each is orthogonalized twice, which is
 * enough for full accuracy (Giraud et al., 2005).
 */
function orthonormal(count: number, size: number, random: Random): Float64Array[] {
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const v = Float64Array.from({ length: size }, () => random.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const u of vectors) {
        let along = 0;
        for (let i = 0; i < size; i++) along += u[i]! * v[i]!;
        for (let i = 0; i < size; i++) v[i]! -= along * u[i]!;
      }
    }
    const norm = Math.sqrt(v.reduce((s, x) => s + x * x, 0));
    vectors.push(v.map((x) => x / norm));
  }
  return vectors;
}

/** Sizes of the weight as a matrix: the first dimension, and all others. */
function matrixOf(fn: string, shape: Shape, isFit: boolean): readonly [number, number] {
  if (isFit) return [shape[0]!, elementCount(shape.slice(1))];
  throw compilerError('HDL0003', {
    what: `${fn} for a variable of shape ${formatShape(shape)}`,
    rule:
      fn === 'identity'
        ? 'it has two dimensions, [in, out]'
        : fn === 'dirac'
          ? 'it is the weight of a convolution, [out, in, ...kernel]'
          : 'it has at least two dimensions',
    hint: 'use it for weights; biases start with zeros()',
  });
}
