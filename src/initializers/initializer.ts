// What an initializer is, and the fan of a weight. An initializer makes the first value of a variable on the host; it
// gets the shape and a random stream that belongs to this variable alone (seed and name), so the value does not depend
// on what else the program holds.

import { elementCount, type Shape } from '../../compiler/graph/types.ts';
import type { Random } from '../random.ts';

/** Makes the first value of a variable: row-major, as many elements as the shape has. */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

export interface Fan {
  /** Values that one output is computed from. */
  readonly in: number;
  /** Outputs that one input takes part in. */
  readonly out: number;
}

/**
 * The fan of a weight: `[in, out]` for dense layers, `[out, in, ...kernel]` for convolutions. A vector counts as
 * `[n, n]`, a scalar as `[1, 1]`.
 *
 * @example fanOf([16, 3, 5, 5]) // { in: 75, out: 400 }
 */
export function fanOf(shape: Shape): Fan {
  const [a = 1, b = a] = shape;
  if (shape.length <= 2) return { in: a, out: b };
  const receptive = elementCount(shape.slice(2));
  return { in: b * receptive, out: a * receptive };
}

/** Fills a new value element by element. */
export function fill(shape: Shape, draw: () => number): Float32Array {
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}
