// Products and turns of matrices and vectors that NumPy has, made of broadcasting, reshapes and one contraction.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import type { Add, Subtract } from '../graph/number-types.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, CommonDType, DTypeOf, IsTuple, SameDType, ShapeOf } from '../graph/shape-types.ts';
import type { AxisOf, DimAt, OfRank, Swapped, Without } from '../graph/shape-types-axis.ts';
import type { Tiled } from '../graph/shape-types-box.ts';
import type { Shape } from '../graph/types.ts';
import { mul } from './arithmetic.ts';
import { normalizeAxis, numeric, requireDType, requireFloats } from './attrs.ts';
import { conv1d } from './contract.ts';
import { refuse } from './refuse.ts';
import { reshape, reverse, transpose } from './shape.ts';
import { slice } from './slice.ts';

type Floats = Node<Shape, 'f32'>;

/**
 * The Kronecker product: each element of x times all of y, a block beside the other. Dimensions are aligned at the right, missing
 * ones count as 1. f32, i32, u32. Throws HDL0002.
 *
 * @formula z[i · m + j] = x[i] y[j] in each dimension, where y has m
 * @example kron(x, y) // f32[2, 3], f32[4, 5] → f32[8, 15]
 */
export function kron<A extends Node, B extends Node>(
  x: A & Accepts<'kron', A, 'f32' | 'i32' | 'u32'>,
  y: B & SameDType<'kron', A, B>,
): Node<Tiled<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>> {
  const operands = [x as Node, y as Node] as const;
  for (const v of operands) requireDType('kron', v, numeric);
  const rank = Math.max(...operands.map((v) => v.type.shape.length));
  const [a, b] = operands.map(({ type: { shape } }) => [
    ...new Array<number>(rank - shape.length).fill(1),
    ...shape,
  ]) as [number[], number[]];
  const z = scope('kron', () => {
    const wide = reshape(
      operands[0],
      a.flatMap((n) => [n, 1]),
    ) as Node;
    const fine = reshape(
      operands[1],
      b.flatMap((n) => [1, n]),
    ) as Node;
    return reshape(
      mul(wide, fine) as Node,
      a.map((n, d) => n * b[d]!),
    );
  });
  return z as Node as Node<Tiled<ShapeOf<A>, ShapeOf<B>>, CommonDType<A, B>>;
}

/** The shape after turning by quarters: axes are exchanged by an odd number. */
type Turned<S extends Shape, K extends number, A extends number, B extends number> = number extends K
  ? OfRank<S>
  : `${K}` extends `${string}${'1' | '3' | '5' | '7' | '9'}`
    ? Swapped<S, A, B>
    : S;

/**
 * Pictures turned by quarters of a circle, from the first of two axes towards the second (0 and 1 by default); negative ones turn
 * back. Any dtype. Throws HDL0003.
 *
 * @formula k = 1: y[i, j] = x[j, n − 1 − i]
 * @example rot90(x, 1, [2, 3]) // f32[8, 3, 28, 20] → f32[8, 3, 20, 28]
 */
export function rot90<
  X extends Node,
  const K extends number = 1,
  const A extends number = 0,
  const B extends number = 1,
>(x: X, quarters?: K, axes?: readonly [A, B]): Node<Turned<ShapeOf<X>, K, A, B>, DTypeOf<X>> {
  const k: number = quarters ?? 1;
  const [from, to] = (axes ?? [0, 1]) as readonly [number, number];
  const [a, b] = [normalizeAxis('rot90', x, from), normalizeAxis('rot90', x, to)];
  if (a === b || !Number.isInteger(k)) {
    const what = `rot90(${describeNode(x)}, ${k}, [${from}, ${to}])`;
    refuse(
      'HDL0003',
      what,
      'a turn is a whole number of quarters, and takes two axes',
      'rot90(x, 1, [2, 3])',
    );
  }
  const turns = ((k % 4) + 4) % 4;
  const exchanged = x.type.shape.map((_, d) => (d === a ? b : d === b ? a : d));
  const y = scope('rot90', (): Node => {
    if (turns === 0) return x as Node;
    if (turns === 2) return reverse(x as Node, [a, b]);
    const turned = transpose(x as Node, exchanged) as Node;
    return reverse(turned, turns === 1 ? a : b);
  });
  return y as Node as Node<Turned<ShapeOf<X>, K, A, B>, DTypeOf<X>>;
}

/** The shapes of the parts of `unstack`: a list of as many, where the dimension is known. */
type Unstacked<S extends Shape, A extends number, D> = Listed<
  Node<IsTuple<S> extends false ? Shape : Without<S, AxisOf<S, A>>, D & DTypeOf<Node>>,
  DimAt<S, A>
>;
type Listed<T, N extends number, Done extends T[] = []> = number extends N
  ? T[]
  : Done['length'] extends N
    ? Done
    : Done['length'] extends 64
      ? T[]
      : Listed<T, N, [T, ...Done]>;

/**
 * The parts of x along an axis (0 by default), without that axis: what `stack` put together. Any dtype. Throws HDL0003.
 *
 * @formula yₖ = x[k]
 * @example const [first, second] = unstack(x) // f32[2, 5] → f32[5], f32[5]
 */
export function unstack<X extends Node, const A extends number = 0>(
  x: X,
  axis?: A,
): Unstacked<ShapeOf<X>, A, DTypeOf<X>> {
  const a = normalizeAxis('unstack', x, axis ?? 0);
  const shape = x.type.shape;
  const parts = scope('unstack', () =>
    Array.from({ length: shape[a]! }, (_, k) => {
      const row = slice(
        x as Node,
        shape.map((_, d) => (d === a ? k : 0)),
        shape.map((n, d) => (d === a ? k + 1 : n)),
      );
      return reshape(
        row as Node,
        shape.filter((_, d) => d !== a),
      ) as Node;
    }),
  );
  return parts as readonly Node[] as Unstacked<ShapeOf<X>, A, DTypeOf<X>>;
}

export type ConvolveMode = 'full' | 'same' | 'valid';

/** The lengths of `convolve`. */
export type ConvolvedLength<N extends number, M extends number, Mode> = Mode extends 'full'
  ? Subtract<Add<N, M>, 1>
  : Mode extends 'same'
    ? Longer<N, M>
    : Add<Subtract<Longer<N, M>, Shorter<N, M>>, 1>;
type Longer<N extends number, M extends number> = number extends N | M
  ? number
  : number extends Subtract<N, M>
    ? M
    : N;
type Shorter<N extends number, M extends number> = number extends N | M
  ? number
  : number extends Subtract<N, M>
    ? N
    : M;
type LengthOf<S extends Shape> = S extends readonly [infer N extends number] ? N : number;

/**
 * Convolution of two vectors as signals have it, the second one reversed: of all overlaps (`full`, the default), as many as the
 * longer one has (`same`), or those where the shorter one lies inside (`valid`). f32. For layers see `conv1d`, which does not reverse.
 * Throws HDL0001 for other ranks and for no elements, HDL0002, HDL0003.
 *
 * @formula z[k] = Σ x[i] y[k − i]
 * @example convolve(x, y) // f32[8], f32[3] → f32[10]
 */
export function convolve<A extends Node, B extends Node, const M extends ConvolveMode = 'full'>(
  x: A & Accepts<'convolve', A, 'f32'>,
  y: B & Accepts<'convolve', B, 'f32'>,
  mode?: M,
): Node<readonly [ConvolvedLength<LengthOf<ShapeOf<A>>, LengthOf<ShapeOf<B>>, M>], 'f32'> {
  const z = slideVectors('convolve', x, y, mode ?? 'full', true);
  return z as Node as Node<readonly [ConvolvedLength<LengthOf<ShapeOf<A>>, LengthOf<ShapeOf<B>>, M>], 'f32'>;
}

/**
 * Products of one vector with another that slides along it: where they overlap (`full`), as many places as the longer one has
 * (`same`), or where the shorter one lies inside (`valid`, the default). Otherwise as `convolve`, but not reversed.
 *
 * @formula z[k] = Σ x[k + i] y[i]
 * @example correlate(x, y) // f32[8], f32[3] → f32[6]
 */
export function correlate<A extends Node, B extends Node, const M extends ConvolveMode = 'valid'>(
  x: A & Accepts<'correlate', A, 'f32'>,
  y: B & Accepts<'correlate', B, 'f32'>,
  mode?: M,
): Node<readonly [ConvolvedLength<LengthOf<ShapeOf<A>>, LengthOf<ShapeOf<B>>, M>], 'f32'> {
  const z = slideVectors('correlate', x, y, mode ?? 'valid', false);
  return z as Node as Node<readonly [ConvolvedLength<LengthOf<ShapeOf<A>>, LengthOf<ShapeOf<B>>, M>], 'f32'>;
}

function slideVectors(fn: string, x: Node, y: Node, mode: string, isReversed: boolean): Floats {
  for (const v of [x, y]) requireFloats(fn, v);
  const what = `${fn}(${describeNode(x)}, ${describeNode(y)}, '${mode}')`;
  const [n, m] = [x.type.shape[0]!, y.type.shape[0]!];
  if (x.type.shape.length !== 1 || y.type.shape.length !== 1 || n === 0 || m === 0) {
    refuse(
      'HDL0001',
      what,
      'it takes two vectors of at least one element',
      'of batches and channels: conv1d',
    );
  }
  if (mode !== 'full' && mode !== 'same' && mode !== 'valid') {
    refuse(
      'HDL0003',
      what,
      "the mode is 'full', 'same' or 'valid'",
      'convolve gives all overlaps by default',
    );
  }
  return scope(fn, () => {
    // The shorter one slides. Correlation with the longer one gives the places in the opposite order.
    const [long, short] = n >= m ? [x, y] : [y, x];
    const k = Math.min(n, m);
    const isTurned = !isReversed && n < m;
    const taps = isReversed ? (reverse(short, 0) as Node) : short;
    const before = mode === 'valid' ? 0 : k - 1;
    const signal = reshape(long, [1, 1, Math.max(n, m)]) as Floats;
    const all = conv1d(signal, reshape(taps, [1, 1, k]) as Floats, { padding: [[before, before]] });
    const row = reshape(all as Node, [all.type.shape[2]!]) as Floats;
    const turned = isTurned ? (reverse(row, 0) as Floats) : row;
    if (mode !== 'same') return turned;
    // The middle of all overlaps; what is left over of an odd rest comes behind, and before when the order was turned.
    const start = Math.floor((isTurned ? k : k - 1) / 2);
    return slice(turned, [start], [start + Math.max(n, m)]) as Floats;
  });
}
