// The largest or smallest of the updates that meet at an index: pooling over groups whose members are known at run time only. For
// each place of the result all updates are compared with its index, as in scatterAdd.

import { describeNode } from '../graph/describe.ts';
import type { Node } from '../graph/ir.ts';
import { scope } from '../graph/scope.ts';
import type { Accepts, DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import { formatShape, type Shape, sameShape } from '../graph/types.ts';
import { neutral, type ScalarType } from '../kernel/expr.ts';
import { normalizeAxis, numeric, requireDType } from './attrs.ts';
import { maximum, minimum } from './binary.ts';
import { checkIndex } from './check.ts';
import { eq, where } from './compare.ts';
import { iota } from './leaf.ts';
import { max, min } from './reduce.ts';
import { refuse } from './refuse.ts';
import { reshape } from './shape.ts';

type Floats = Node<Shape, 'f32'>;
type Ints = Node<Shape, 'i32'>;
type Bools = Node<Shape, 'bool'>;

/**
 * x, or the largest of the updates at `indices` along an axis (0 by default) where it is larger. x and updates have one dtype of f32,
 * i32, u32; updates have the dimensions of the indices in place of the axis. NaN goes through. The gradient goes in shares to what
 * attains the maximum. Throws HDL0001, HDL0002, HDL0003; the run fails with HDL1004 at an index out of range.
 *
 * @formula y[i] = max(x[i], max updates[j] over indices[j] = i)
 * @example scatterMax(full([8], -Infinity), groups, values) // f32[8], i32[64], f32[64] → f32[8]
 */
export function scatterMax<X extends Node>(
  x: X & Accepts<'scatterMax', X, 'f32' | 'i32' | 'u32'>,
  indices: Node,
  updates: Node,
  axis: number = 0,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return scatterExtreme('scatterMax', x, indices, updates, axis) as Node<ShapeOf<X>, DTypeOf<X>>;
}

/**
 * x, or the smallest of the updates at `indices` along an axis (0 by default) where it is smaller. Otherwise as `scatterMax`.
 *
 * @formula y[i] = min(x[i], min updates[j] over indices[j] = i)
 * @example scatterMin(full([8], Infinity), groups, values) // f32[8], i32[64], f32[64] → f32[8]
 */
export function scatterMin<X extends Node>(
  x: X & Accepts<'scatterMin', X, 'f32' | 'i32' | 'u32'>,
  indices: Node,
  updates: Node,
  axis: number = 0,
): Node<ShapeOf<X>, DTypeOf<X>> {
  return scatterExtreme('scatterMin', x, indices, updates, axis) as Node<ShapeOf<X>, DTypeOf<X>>;
}

function scatterExtreme(
  fn: 'scatterMax' | 'scatterMin',
  x: Node,
  indices: Node,
  updates: Node,
  axis: number,
): Node {
  requireDType(fn, x, numeric);
  const a = normalizeAxis(fn, x, axis);
  const what = `${fn}(${[x, indices, updates].map(describeNode).join(', ')}, axis: ${a})`;
  if (indices.type.dtype !== 'i32') {
    refuse(
      'HDL0002',
      what,
      `indices are i32, not ${indices.type.dtype}`,
      "convert them: cast(indices, 'i32')",
    );
  }
  const shape = x.type.shape;
  const wanted = [...shape.slice(0, a), ...indices.type.shape, ...shape.slice(a + 1)];
  if (!sameShape(updates.type.shape, wanted)) {
    const rule = `updates have shape ${formatShape(wanted)}, not ${formatShape(updates.type.shape)}`;
    refuse('HDL0001', what, rule, 'the dimensions of the indices stand in place of the axis');
  }
  if (updates.type.dtype !== x.type.dtype) {
    const rule = `dtypes ${x.type.dtype} and ${updates.type.dtype} differ`;
    refuse('HDL0002', what, rule, `convert the updates: cast(updates, '${x.type.dtype}')`);
  }
  const size = shape[a]!;
  const monoid = fn === 'scatterMax' ? 'max' : 'min';
  return scope(fn, (): Node => {
    const at = checkIndex(indices as Ints, { size, label: `${fn} indices` }) as Ints;
    const n = at.type.shape.reduce((k, d) => k * d, 1);
    const behind = shape.slice(a + 1);
    // [before…, place, update, behind…]: the updates that are meant for each place.
    const rows = reshape(updates, [...shape.slice(0, a), 1, n, ...behind]) as Floats;
    const meets = eq(iota([size, n], 0) as Ints, reshape(at, [1, n]) as Ints) as Node;
    const isMeant = reshape(meets, [size, n, ...behind.map(() => 1)]) as Bools;
    const nothing = neutral(monoid, x.type.dtype as ScalarType);
    const met = where(isMeant, rows, nothing) as Floats;
    if (monoid === 'max') return maximum(x as Floats, max(met, a + 1) as Floats) as Node;
    return minimum(x as Floats, min(met, a + 1) as Floats) as Node;
  });
}
