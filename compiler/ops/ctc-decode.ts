// What a net that was trained by `losses.ctc` reads: the most likely class of each frame, repetitions taken as one, blanks left out.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Shape } from '../graph/types.ts';
import { argmax } from './argmax.ts';
import { add, sub } from './arithmetic.ts';
import { requireFloats } from './attrs.ts';
import { logicalAnd } from './binary.ts';
import { expandDims, sum } from './broadcast.ts';
import { eq, lt, ne, where } from './compare.ts';
import { cast } from './convert.ts';
import { cumsum } from './cumulative.ts';
import { iota } from './leaf.ts';
import { refuse } from './refuse.ts';
import { padBy } from './slice.ts';

type Floats = Node<Shape, 'f32'>;
type Ints = Node<Shape, 'i32'>;
type Bools = Node<Shape, 'bool'>;

export interface CtcDecodeOptions {
  /** The class that stands for no label; default 0. */
  readonly blank?: number;
  /** How many frames of each example count: i32[N]. Default all of them. */
  readonly frames?: Node;
}

export interface CtcDecoded<N extends number = number, T extends number = number> {
  /** i32[N, T]: the labels of each example, filled up with the blank. */
  readonly labels: Node<readonly [N, T], 'i32'>;
  /** i32[N]: how many there are. */
  readonly lengths: Node<readonly [N], 'i32'>;
}

type Examples<S extends Shape> = S extends readonly [infer N extends number, ...Shape] ? N : number;
type Frames<S extends Shape> = S extends readonly [number, infer T extends number, ...Shape] ? T : number;

/**
 * The labels along the most likely path: logits f32[N, T, K] → labels i32[N, T], filled up with the blank, and their numbers, i32[N]. It
 * has no gradient. Throws HDL0001, HDL0002, HDL0003.
 *
 * @formula path[t] = argmax logits[t]; labels: path[t] where path[t] ≠ path[t − 1] and path[t] ≠ blank
 * @example ctcGreedyDecode(logits).labels // f32[8, 100, 30] → i32[8, 100]
 */
export function ctcGreedyDecode<X extends Node>(
  logits: X & Accepts<'ctcGreedyDecode', X, 'f32'>,
  options: CtcDecodeOptions = {},
): CtcDecoded<Examples<ShapeOf<X>>, Frames<ShapeOf<X>>> {
  requireFloats('ctcGreedyDecode', logits);
  const { blank = 0, frames } = options;
  const [n, t, k] = logits.type.shape as Shape as [number, number, number];
  const what = `ctcGreedyDecode(${describeNode(logits)})`;
  if (logits.type.shape.length !== 3) {
    refuse('HDL0001', what, 'logits are [examples, frames, classes]', 'of one example: expandDims(x, 0)');
  }
  if (!Number.isInteger(blank) || blank < 0 || blank >= k) {
    refuse('HDL0003', what, `the blank is a class in [0, ${k}), not ${blank}`, 'it is 0 by default');
  }
  if (frames !== undefined && (frames.type.dtype !== 'i32' || frames.type.shape.join() !== `${n}`)) {
    const rule = `frames are i32[${n}], one number for each example, not ${describeNode(frames)}`;
    refuse(frames.type.dtype === 'i32' ? 'HDL0001' : 'HDL0002', what, rule, 'leave them out for all frames');
  }
  const { labels, lengths } = scope('ctcGreedyDecode', () => {
    const best = argmax(logits as Node as Floats, 2) as Ints;
    const before = padBy(best, { lo: [0, 1], hi: [0, -1] }, blank) as Ints;
    const isNew = logicalAnd(ne(best, before) as Bools, ne(best, blank) as Bools) as Bools;
    const isThere = frames && (lt(iota([n, t], 1), expandDims(frames, 1) as Ints) as Bools);
    const isKept = isThere ? (logicalAnd(isNew, isThere) as Bools) : isNew;
    // Label j is the kept frame that has j others before it.
    const place = sub(cumsum(cast(isKept, 'i32') as Ints, 1) as Ints, 1) as Ints;
    const isMeant = eq(expandDims(place, 1) as Ints, iota([t, 1], 0) as Ints) as Bools;
    const taken = logicalAnd(isMeant, expandDims(isKept, 1) as Bools) as Bools;
    const found = sum(where(taken, sub(expandDims(best, 1) as Ints, blank) as Ints, 0) as Ints, 2) as Ints;
    return {
      labels: add(found, blank) as Node,
      lengths: sum(cast(isKept, 'i32') as Ints, 1) as Node,
    };
  });
  return { labels, lengths } as unknown as CtcDecoded<Examples<ShapeOf<X>>, Frames<ShapeOf<X>>>;
}
