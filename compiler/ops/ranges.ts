// Numbers in a row: ranges, and the grids that they span. None of them has an operand, so nothing of them is stored: every
// element is computed where it is read.

import type { Node } from '../graph/ir.ts';
import type { Add, DivideFloor, Subtract } from '../graph/number-types.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf } from '../graph/shape-types.ts';
import type { Grid, LengthsOf } from '../graph/shape-types-box.ts';
import { add, mul, sub } from './arithmetic.ts';
import { broadcastInDim } from './broadcast.ts';
import { lt, where } from './compare.ts';
import { iota } from './leaf.ts';
import { refuse } from './refuse.ts';

/** How many numbers there are from A to B, every S: where they are natural numbers. */
type Counted<A extends number, B extends number, S extends number> = DivideFloor<
  Subtract<Add<Subtract<B, A>, S>, 1>,
  S
>;
type CountDType<N extends number> = number extends N
  ? 'i32' | 'f32'
  : `${N}` extends `${bigint}`
    ? 'i32'
    : 'f32';

/**
 * Numbers from `start` (0 when only one number is given) up to, but without, `stop`, every `step` (default 1). i32 when all
 * three are integers, else f32. Throws HDL0003 for a step of 0 and for numbers that are not finite.
 *
 * @formula y[i] = start + i · step, for i < ⌈(stop − start) / step⌉
 * @example arange(2, 10, 3) // i32: [2, 5, 8]
 */
export function arange<const B extends number>(stop: B): Node<readonly [Counted<0, B, 1>], CountDType<B>>;
export function arange<const A extends number, const B extends number, const S extends number = 1>(
  start: A,
  stop: B,
  step?: S,
): Node<readonly [Counted<A, B, S>], CountDType<A | B | S>>;
export function arange(
  first: number,
  second?: number,
  step: number = 1,
): Node<readonly [number], 'i32' | 'f32'> {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (![start, stop, step].every(Number.isFinite) || step === 0) {
    refuse(
      'HDL0003',
      `arange(${start}, ${stop}, ${step})`,
      'start, stop and step are finite, and the step is not 0',
      'for a number of points between two ends use linspace',
    );
  }
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const dtype = [start, stop, step].every((v) => Number.isInteger(v) && Math.abs(v) < 2 ** 31)
    ? 'i32'
    : 'f32';
  const y = scope('arange', () => {
    const i = iota([count], 0, dtype) as Node;
    const scaled: Node = step === 1 ? i : mul(i, step);
    return start === 0 ? scaled : add(scaled, start);
  });
  return y as Node as Node<readonly [number], 'i32' | 'f32'>;
}

/**
 * `count` numbers at equal distances from `start` to `stop`, both of them included and exact. f32. Throws HDL0003.
 *
 * @formula y[i] = start + i · (stop − start) / (count − 1)
 * @example linspace(0, 1, 5) // f32: [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace<const N extends number>(
  start: number,
  stop: number,
  count: N,
): Node<readonly [N], 'f32'> {
  if (!Number.isFinite(start) || !Number.isFinite(stop) || !Number.isInteger(count) || count < 0) {
    const what = `linspace(${start}, ${stop}, ${count})`;
    refuse('HDL0003', what, 'the ends are finite, the count an integer of at least 0', 'linspace(0, 1, 5)');
  }
  const y = scope('linspace', () => {
    const i = iota([count], 0, 'f32') as Node;
    const step = count > 1 ? (stop - start) / (count - 1) : 0;
    // Counted from the nearer end, so that both ends come out exactly.
    const up: Node = add(mul(i, step), start);
    const down: Node = sub(stop, mul(sub(count - 1, i) as Node, step) as Node);
    return count < 2 ? up : where(lt(i, count / 2), up, down);
  });
  return y as Node as Node<readonly [N], 'f32'>;
}

export interface MeshgridOptions<I extends 'xy' | 'ij' = 'xy' | 'ij'> {
  /** `xy` (default): the first vector runs along the columns, as NumPy and Keras have it; `ij`: each runs along its own axis. */
  readonly indexing?: I;
}

/**
 * Coordinates of the points of a grid that vectors span: one tensor for each vector, all of one shape. Any dtype. Throws
 * HDL0001 for other ranks.
 *
 * @formula ij: yₖ[i₀, i₁, …] = xₖ[iₖ]; xy: the same with the first two axes exchanged
 * @example meshgrid([x, y]) // f32[3], f32[2] → f32[2, 3], f32[2, 3]
 */
export function meshgrid<const T extends readonly Node[], const I extends 'xy' | 'ij' = 'xy'>(
  vectors: T,
  options: MeshgridOptions<I> = {},
): { -readonly [K in keyof T]: Node<Grid<LengthsOf<T>, I>, DTypeOf<T[K]>> } {
  const sizes = vectors.map((v, i) => {
    if (v.type.shape.length !== 1) {
      const what = `meshgrid with ${v.type.shape.length} dimensions in vector ${i}`;
      refuse('HDL0001', what, 'it takes vectors', 'flatten it first: reshape(x, [-1])');
    }
    return v.type.shape[0]!;
  });
  const order = vectors.map((_, i) => i);
  if ((options.indexing ?? 'xy') === 'xy' && order.length >= 2) order.splice(0, 2, 1, 0);
  const shape = order.map((k) => sizes[k]!);
  const grids = scope('meshgrid', () =>
    vectors.map((v, k) => broadcastInDim(v as Node, shape, [order.indexOf(k)])),
  );
  return grids as readonly Node[] as { -readonly [K in keyof T]: Node<Grid<LengthsOf<T>, I>, DTypeOf<T[K]>> };
}
