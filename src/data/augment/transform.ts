// A transform of a picture, as data: a name and options, so that it can be sent to a worker. What it does is in the record of that name.
//
// Pictures are f32 [channels, height, width]; bytes have become fractions of 255 before. What is random is drawn from numbers of the
// picture's own, which follow from seed, epoch and place.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { callerLocation } from '../../../compiler/graph/location.ts';
import type { Random } from '../../random.ts';

export interface Transform {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export type PictureShape = readonly [channels: number, height: number, width: number];

/** What a transform of that name does. */
export interface TransformRule {
  readonly name: string;
  /** Returns the changed picture, of the same shape; may write to the given one and return it. */
  readonly apply: (
    picture: Float32Array,
    shape: PictureShape,
    draw: Random,
    options: Transform['options'],
  ) => Float32Array;
}

/** The option is in a range, or HDL0003 is thrown. */
export function expectOption(
  fn: string,
  name: string,
  value: number,
  least: number,
  most: number = Number.POSITIVE_INFINITY,
): void {
  if (value >= least && value <= most) return;
  throw compilerError('HDL0003', {
    what: `${fn} with ${name}: ${String(value)}`,
    rule: `${name} is a number ${most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`}`,
    hint: 'see the options of this transform',
    loc: callerLocation(),
  });
}
