// Further random numbers, as compositions: truncated normals, integers, permutations, choices. As all random numbers, they are
// a function of the key and the position alone. Integers, truth values and uniforms are the same on every target and for
// any number of workers; what goes through a logarithm is so on one target, and agrees on all to a few units in the last place.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, ShapeOf } from '../graph/shape-types.ts';
import type { Reduced } from '../graph/shape-types-view.ts';
import type { Shape } from '../graph/types.ts';
import { argmax } from './argmax.ts';
import { add, mul, neg } from './arithmetic.ts';
import { normalizeAxis, requireFloats } from './attrs.ts';
import { maximum, minimum } from './binary.ts';
import { broadcastTo } from './broadcast.ts';
import { bitcast } from './convert.ts';
import { erfInverse, uniform } from './distributions.ts';
import { erf } from './erf.ts';
import { gatherAt } from './gather.ts';
import { randomBits } from './random.ts';
import { mod } from './remainder.ts';
import { sortedPositions } from './sort-order.ts';
import { log } from './unary.ts';

/**
 * Normal numbers of mean 0 and deviation 1, given that they lie in [lo, hi] (default [−2, 2]): √2 erf⁻¹ of a number that is
 * uniform between erf(lo / √2) and erf(hi / √2). Targets agree to 6 units in the last place. Throws HDL0003 unless lo < hi.
 *
 *     truncatedNormal(key, [784, 128]);
 */
export function truncatedNormal<const S extends Shape>(
  key: Node,
  shape: S,
  lo: number = -2,
  hi: number = 2,
): Node<S, 'f32'> {
  if (!(lo < hi)) throw refuse(`truncatedNormal(…, ${lo}, ${hi})`, 'the interval has an inside: lo < hi');
  return scope('truncatedNormal', () => {
    const [a, b] = [erf(lo * Math.SQRT1_2), erf(hi * Math.SQRT1_2)];
    const inside = 1 - 2 ** -24;
    const u = maximum(minimum(uniform(key, shape, a, b), inside), -inside) as Node;
    const y = mul(erfInverse(u), Math.SQRT2) as Node;
    return maximum(minimum(y, hi), lo) as Node as Node<S, 'f32'>;
  });
}

/**
 * Whole numbers in [lo, hi), i32: the remainder of 32 random bits. For a range that is no power of two some numbers are more
 * likely than others by a part in 2³² / range. Throws HDL0003 unless lo < hi.
 *
 *     randint(key, [64], 0, 10);
 */
export function randint<const S extends Shape>(key: Node, shape: S, lo: number, hi: number): Node<S, 'i32'> {
  const isWord = (v: number): boolean => Number.isInteger(v) && v >= -2147483648 && v <= 2147483648;
  if (!isWord(lo) || !isWord(hi) || lo >= hi) {
    throw refuse(`randint(…, ${lo}, ${hi})`, 'bounds are i32 numbers with lo < hi');
  }
  return scope('randint', () => {
    const range = hi - lo;
    const bits = randomBits(key, shape) as Node<Shape, 'u32'>;
    const offset = (range === 2 ** 32 ? bits : mod(bits, range)) as Node;
    // Sums of i32 wrap, so offsets beyond 2³¹ come out right.
    return add(bitcast(offset, 'i32') as Node, lo) as Node as Node<S, 'i32'>;
  });
}

/**
 * The numbers 0 … n − 1 in random order, i32[n]: the order of n random words. Throws HDL0003.
 *
 *     gather(x, permutation(key, 64)); // rows in random order
 */
export function permutation<const N extends number>(key: Node, n: N): Node<readonly [N], 'i32'> {
  if (!Number.isInteger(n) || n < 0) throw refuse(`permutation(…, ${n})`, 'n is an integer of at least 0');
  return scope('permutation', () => sortedPositions(randomBits(key, [n]), false)) as Node as Node<
    readonly [N],
    'i32'
  >;
}

/**
 * x in random order along an axis (0 by default), the same for all rows. Any dtype. Throws HDL0003.
 *
 *     shuffle(key, x);
 */
export function shuffle<X extends Node>(key: Node, x: X, axis: number = 0): X {
  const a = normalizeAxis('shuffle', x, axis);
  return scope('shuffle', () => {
    const order = permutation(key, x.type.shape[a]!);
    return gatherAt(x, order, { axis: a, batch: 0 }) as X;
  });
}

export interface CategoricalOptions<
  A extends number = number,
  N extends number | undefined = number | undefined,
> {
  /** Along which the logits of one row lie (default -1). */
  readonly axis?: A;
  /** How often each row is drawn; its dimension stands in front (default: once, without a dimension). */
  readonly count?: N;
}

/** A position for each row of S, and for each of N draws. */
type Drawn<S extends Shape, A extends number, N> = N extends number
  ? readonly [N, ...Reduced<S, A, false>]
  : Reduced<S, A, false>;

/**
 * One position along an axis (the last by default) for each row of logits, i32, with probability softmax(logits): the largest
 * of logits + Gumbel noise. Rows that are drawn `count` times give [count, …]. Throws HDL0002, HDL0003.
 *
 *     categorical(key, logits); // f32[64, 10] → i32[64]
 */
export function categorical<
  X extends Node,
  const A extends number = -1,
  const N extends number | undefined = undefined,
>(
  key: Node,
  logits: X & Accepts<'categorical', X, 'f32'>,
  options: CategoricalOptions<A, N> = {},
): Node<Drawn<ShapeOf<X>, A, N>, 'i32'> {
  return drawn(key, logits, options) as Node<Drawn<ShapeOf<X>, A, N>, 'i32'>;
}

function drawn(key: Node, logits: Node, options: CategoricalOptions): Node {
  requireFloats('categorical', logits);
  const a = normalizeAxis('categorical', logits, options.axis ?? -1);
  const { count } = options;
  if (count !== undefined && !(Number.isInteger(count) && count >= 1)) {
    throw refuse(
      `categorical(…, ${describeNode(logits)}, count: ${count})`,
      'count is an integer of at least 1',
    );
  }
  return scope('categorical', () => {
    const lead = count === undefined ? [] : [count];
    const shape = [...lead, ...logits.type.shape];
    // −ln(−ln u), with u in (0, 1): 0 would be −∞ twice over.
    const u = maximum(uniform(key, shape), 2 ** -24) as Node;
    const noise = neg(log(neg(log(u) as Node) as Node) as Node);
    const noisy = add(broadcastTo(logits, shape) as Node, noise) as Node;
    return argmax(noisy as Node<Shape, 'f32'>, a + lead.length) as Node;
  });
}

function refuse(what: string, rule: string): Error {
  return compilerError('HDL0003', {
    what,
    rule,
    hint: 'look at the order of the arguments',
    loc: callerLocation(),
  });
}
