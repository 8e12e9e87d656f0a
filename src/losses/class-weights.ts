// Weights of classes: one number for each, to count rare classes more than common ones.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { broadcastTo, constant, reshape } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';

/** One factor of at least 0 for each class, in the order of the classes. */
export type ClassWeights = readonly number[];

/** The weights spread over scores of that shape, whose classes lie on axis 1. Throws HDL0003. */
export function weightsLike(fn: string, weights: ClassWeights, shape: Shape): Floats {
  const classes = shape[1]!;
  if (weights.length !== classes || weights.some((w) => !(w >= 0 && Number.isFinite(w)))) {
    throw compilerError('HDL0003', {
      what: `${fn} with classWeights [${weights.join(', ')}]`,
      rule: `there is one number of at least 0 for each of the ${classes} classes`,
      hint: 'a class that occurs n times often gets a weight like examples / (classes · n)',
      loc: callerLocation(),
    });
  }
  const column = reshape(constant([...weights]), [classes, ...shape.slice(2).map(() => 1)]) as Floats;
  return broadcastTo(column, shape) as Floats;
}
