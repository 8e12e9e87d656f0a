// Where generators of points take their random numbers from: a seed, or a stream that the caller has.

import { type Random, random } from '../random.ts';

/** What a generator draws with; a `Random` is one. */
export type Draws = Pick<Random, 'uniform' | 'normal'>;

/** The stream itself, or the one that belongs to a seed and a name. */
export function drawsOf(seed: number | Draws, name: string): Draws {
  return typeof seed === 'number' ? random(seed, name) : seed;
}
