// Transforms applied to pictures: on this thread or in a worker, the same code and the same bits.

import { random } from '../../random.ts';
import { cropRule } from './crop.ts';
import { flipRule } from './flip.ts';
import { noiseRule } from './noise.ts';
import { normalizeRule } from './normalize.ts';
import type { PictureShape, Transform, TransformRule } from './transform.ts';

const rules: ReadonlyMap<string, TransformRule> = new Map(
  [flipRule, cropRule, noiseRule, normalizeRule].map((rule) => [rule.name, rule]),
);

/** Names that transforms may have. */
export const transformNames: readonly string[] = [...rules.keys()];

/** Pictures that follow each other in an epoch. */
export interface Pictures {
  /** One after the other; bytes stand for fractions of 255. */
  readonly data: Uint8Array | Float32Array;
  readonly shape: PictureShape;
  readonly epoch: number;
  /** Place of the first in the epoch. */
  readonly index: number;
}

export function applyTransforms(
  transforms: readonly Transform[],
  seed: number,
  { data, shape, epoch, index }: Pictures,
): Float32Array {
  const size = shape[0] * shape[1] * shape[2];
  const out = new Float32Array(data.length);
  const scale = data instanceof Uint8Array ? 255 : 1;
  const ofEpoch = random(seed, 'augment', epoch);
  for (let i = 0; i * size < data.length; i++) {
    let picture: Float32Array = out.subarray(i * size, (i + 1) * size);
    for (let k = 0; k < size; k++) picture[k] = data[i * size + k]! / scale;
    const draw = ofEpoch.fork(index + i);
    for (const { name, options } of transforms) {
      const { apply } = rules.get(name)!;
      picture = apply(picture, shape, draw, options);
    }
    // A transform may return another array than it was given.
    if (picture.buffer !== out.buffer) out.set(picture, i * size);
  }
  return out;
}
