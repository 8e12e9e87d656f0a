// The order of a sort, as positions: which element comes first, which second, along the last axis. In: a value of any
// dtype. Out: an i32 permutation of each row. Elements become i32 keys that compare as the elements do; equal keys are
// told apart by position, so that every order is total and every sort is stable. Two ways, both compositions:
//
//   counting   rank[i] = number of j that come before i; the permutation is the inverse of the ranks. n² comparisons.
//   network    log₂ n (log₂ n + 1) / 2 rounds of compare-and-exchange with a partner that is a view away (Batcher, 1968,
//              in the form where every merge begins with a mirrored round, so that all comparisons point the same way).
//
// A row of up to `mostCounted` elements is counted. Measured on one worker, 64 rows of f32 (ms, counting against network):
// n = 16 0.07/0.05, 64 0.16/0.28, 128 0.53/0.73, 256 2.1/1.9, 512 20/4.6, 1024 94/32. Networks have more kernels, 10 to 66 at
// these lengths, and take 0.2 to 0.4 s to compile.

import type { Node } from '../graph/ir.ts';
import type { Shape } from '../graph/types.ts';
import { bitwiseAnd, bitwiseNot, bitwiseXor, logicalAnd, logicalOr, logicalXor, shr } from './binary.ts';
import { broadcastTo, expandDims, sum } from './broadcast.ts';
import { eq, lt, ne, where } from './compare.ts';
import { bitcast, cast } from './convert.ts';
import { iota } from './leaf.ts';
import { reshape, reverse } from './shape.ts';
import { padBy, slice } from './slice.ts';

type Ints = Node<Shape, 'i32'>;
type Bools = Node<Shape, 'bool'>;

const mostCounted = 256;
const largest = 2147483647;

/**
 * For each row along the last axis the positions of its elements in ascending order, or descending; equal elements stay in
 * their order. NaN counts as largest, and −0 equals 0. x has at least one dimension.
 */
export function sortedPositions(x: Node, descending: boolean): Ints {
  const ascending = sortKeys(x);
  const keys = (descending ? bitwiseNot(ascending) : ascending) as Ints;
  const n = x.type.shape.at(-1)!;
  if (n < 2) return iota(x.type.shape, x.type.shape.length - 1);
  return n <= mostCounted ? countedPositions(keys) : networkPositions(keys);
}

/** i32 numbers that compare as the elements of x do. */
function sortKeys(x: Node): Ints {
  switch (x.type.dtype) {
    case 'i32':
      return x as Ints;
    case 'u32':
      return bitcast(bitwiseXor(x as Node<Shape, 'u32'>, 2147483648) as Node, 'i32') as Ints;
    case 'f32': {
      const v = x as Node<Shape, 'f32'>;
      const plain: Node = where(eq(v, 0), 0, v);
      const bits = bitcast(plain, 'i32') as Ints;
      // Magnitudes of negative numbers count backwards.
      const signed = bitwiseXor(bits, bitwiseAnd(shr(bits, 31) as Ints, largest) as Ints);
      return where(ne(v, v) as Bools, largest, signed as Ints) as Ints;
    }
    default:
      return cast(x, 'i32') as Ints;
  }
}

/** By the number of elements that come before each one. */
function countedPositions(keys: Ints): Ints {
  const shape = keys.type.shape;
  const last = shape.length - 1;
  const n = shape[last]!;
  const square = [...shape, n];
  // [..., i, j]: whether j comes before i.
  const mine = expandDims(keys, last + 1) as Ints;
  const other = expandDims(keys, last) as Ints;
  const isEarlier = lt(iota([n, n], 1), iota([n, n], 0)) as Bools;
  const precedes = logicalOr(lt(other, mine) as Bools, logicalAnd(eq(other, mine) as Bools, isEarlier));
  const ranks = sum(cast(precedes as Node, 'i32') as Ints, last + 1) as Ints;
  // [..., r, i]: the element whose rank is r; one term of each sum is not 0.
  const isAt = eq(expandDims(ranks, last) as Ints, expandDims(iota([n], 0), 1) as Ints) as Bools;
  return sum(where(isAt, iota(square, last + 1), 0) as Ints, last + 1) as Ints;
}

/** By a merge-sorting network over pairs of key and position. */
function networkPositions(keys: Ints): Ints {
  const shape = keys.type.shape;
  const last = shape.length - 1;
  const n = shape[last]!;
  let size = 2;
  while (size < n) size *= 2;
  // What fills up the row has the largest key, and a position behind all others.
  const hi = shape.map((_, d) => (d === last ? size - n : 0));
  let pairs: Pairs = {
    keys: padBy(keys, { hi }, largest),
    positions: iota([...shape.slice(0, last), size], last),
  };
  for (let half = 1; half < size; half *= 2) {
    pairs = exchange(pairs, half, true);
    for (let d = half / 2; d >= 1; d /= 2) pairs = exchange(pairs, d, false);
  }
  return slice(
    pairs.positions,
    shape.map(() => 0),
    shape,
  );
}

interface Pairs {
  readonly keys: Ints;
  readonly positions: Ints;
}

/**
 * One round: each element of the first half of every block of 2 · `half` meets one of the second half, at the same place
 * in its half or, mirrored, at the opposite one; the lesser of both stays in the first half.
 */
function exchange({ keys, positions }: Pairs, half: number, mirrored: boolean): Pairs {
  const row = keys.type.shape;
  const head = row.slice(0, -1);
  const blocks = [...head, row.at(-1)! / (2 * half), 2, half];
  const [side, place] = [head.length + 1, head.length + 2];
  const partnerOf = (x: Ints): Ints => reverse(x, mirrored ? [side, place] : [side]) as Ints;
  const [key, position] = [reshape(keys, blocks) as Ints, reshape(positions, blocks) as Ints];
  const [otherKey, otherPosition] = [partnerOf(key), partnerOf(position)];
  const isLess = logicalOr(
    lt(key, otherKey) as Bools,
    logicalAnd(eq(key, otherKey) as Bools, lt(position, otherPosition) as Bools),
  ) as Bools;
  const isSecond = broadcastTo(eq(expandDims(iota([2], 0), 1) as Ints, 1) as Bools, blocks);
  const stays = logicalXor(isLess, isSecond as Bools) as Bools;
  return {
    keys: reshape(where(stays, key, otherKey) as Ints, row) as Ints,
    positions: reshape(where(stays, position, otherPosition) as Ints, row) as Ints,
  };
}

/** Used by tests to hold both ways equal. */
export const sortingWays: Readonly<Record<'counting' | 'network', (x: Node) => Ints>> = {
  counting: (x) => countedPositions(sortKeys(x)),
  network: (x) => networkPositions(sortKeys(x)),
};
