// Slice and pad: each is the other's gradient. A slice is an index map; a pad is a guard that asks whether a position
// lies on an element of the operand, or beside or between them.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Boxed, Limits, Lists } from '../graph/shape-types-box.ts';
import { type DType, type Shape, sameShape } from '../graph/types.ts';
import { divIndex, type Index, indexRange, offsetIndex, scaleIndex } from '../kernel/affine.ts';
import type { Condition, Expr } from '../kernel/expr.ts';
import { checkIntegers } from './attrs.ts';
import { sum } from './broadcast.ts';
import { where } from './compare.ts';
import { defineOp } from './define.ts';
import { allDTypes, drawTensor } from './draw.ts';
import { full } from './leaf.ts';
import { flatPosition, generate, reader } from './loops.ts';
import { spreadSize } from './spatial.ts';

type SliceAttrs = {
  readonly starts: readonly number[];
  readonly limits: readonly number[];
  readonly strides: readonly number[];
};

const sliceOp: OpDef = defineOp<SliceAttrs>({
  name: 'slice',
  family: 'shape',
  doc: {
    summary: 'A box of elements: from starts up to and without limits, every stride-th.',
    formula: 'y[i] = x[starts + i · strides]',
    types: 'x: T[…] → T[ceil((limits − starts) / strides)]',
    attrs: {
      starts: 'first position of each dimension',
      limits: 'end of each dimension, exclusive; at least starts, at most the size',
      strides: 'distance between elements taken; at least 1',
    },
    onnx: 'Slice',
    example: 'slice(x, [0, 2], [4, 8])',
  },
  arity: 1,
  type([x], { starts, limits, strides }, fail) {
    const shape = x!.shape;
    checkIntegers(fail, 'starts', starts, shape.length, 0);
    checkIntegers(fail, 'limits', limits, shape.length, 0);
    checkIntegers(fail, 'strides', strides, shape.length, 1);
    shape.forEach((n, d) => {
      if (starts[d]! <= limits[d]! && limits[d]! <= n) return;
      fail(
        `dimension ${d} has size ${n}: [${starts[d]}, ${limits[d]}) is not a part of it`,
        'keep 0 ≤ start ≤ limit ≤ size in each dimension',
        'HDL0003',
      );
    });
    return {
      dtype: x!.dtype,
      shape: shape.map((_, d) => Math.ceil((limits[d]! - starts[d]!) / strides[d]!)),
    };
  },
  reference([x], { starts, strides }, out) {
    const read = reader(x!);
    return generate(out.shape, (at) => read(at.map((i, d) => starts[d]! + i * strides[d]!)));
  },
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    const { starts, strides } = node.attrs as SliceAttrs;
    const shape = operands[0]!.type.shape;
    const covered = node.type.shape.map((n, d) => spreadSize(n, strides[d]! - 1));
    return [
      padBy(cotangent, {
        lo: starts,
        hi: shape.map((n, d) => n - starts[d]! - covered[d]!),
        interior: strides.map((s) => s - 1),
      }),
    ];
  },
  lower({ node, at, read }) {
    const { starts, strides } = node.attrs as SliceAttrs;
    return read(
      0,
      at.map((i, d) => offsetIndex(scaleIndex(i, strides[d]!), starts[d]!)),
    );
  },
  sample(random) {
    const shape = random.shape(0, 4, 6);
    const starts = shape.map((n) => random.int(0, n - 1));
    const limits = shape.map((n, d) => random.int(starts[d]! + 1, n));
    const strides = shape.map(() => random.int(1, 3));
    return {
      operands: [drawTensor(random, random.pick(allDTypes), shape)],
      attrs: { starts, limits, strides },
    };
  },
});

type PadAttrs = {
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  readonly interior: readonly number[];
};

const padOp: OpDef = defineOp<PadAttrs>({
  name: 'pad',
  family: 'shape',
  doc: {
    summary: 'Puts a value around the elements and between them; negative amounts crop.',
    formula: 'y[lo + i · (interior + 1)] = x[i] where that is inside, else value',
    types: 'x: T[…], value: T[] → T[lo + n + max(n − 1, 0) · interior + hi]',
    attrs: {
      lo: 'elements added before each dimension; negative: removed',
      hi: 'elements added after each dimension; negative: removed',
      interior: 'elements added between neighbours; at least 0',
    },
    onnx: 'Pad',
    example: 'pad(x, [[0, 0], [1, 1]])',
  },
  arity: 2,
  type([x, value], { lo, hi, interior }, fail) {
    const rank = x!.shape.length;
    checkIntegers(fail, 'lo', lo, rank, Number.NEGATIVE_INFINITY);
    checkIntegers(fail, 'hi', hi, rank, Number.NEGATIVE_INFINITY);
    checkIntegers(fail, 'interior', interior, rank, 0);
    if (value!.shape.length !== 0) fail('the padding value must be a scalar', 'give one value: full([], 0)');
    if (value!.dtype !== x!.dtype) {
      fail(
        `the padding value has dtype ${value!.dtype}, the operand ${x!.dtype}`,
        `cast the value to ${x!.dtype}`,
        'HDL0002',
      );
    }
    const shape = x!.shape.map((n, d) => lo[d]! + spreadSize(n, interior[d]!) + hi[d]!);
    const negative = shape.findIndex((n) => n < 0);
    if (negative >= 0) {
      fail(
        `dimension ${negative} of size ${x!.shape[negative]} would get size ${shape[negative]}`,
        'crop no more than there is',
        'HDL0003',
      );
    }
    return { dtype: x!.dtype, shape };
  },
  reference([x, value], { lo, interior }, out) {
    return generate(out.shape, (at) => {
      const from = at.map((i, d) => (i - lo[d]!) / (interior[d]! + 1));
      const flat = from.every(Number.isInteger) ? flatPosition(x!.type.shape, from) : -1;
      return flat < 0 ? value!.data[0]! : x!.data[flat]!;
    });
  },
  gradient({ node, operands, cotangent, needs }) {
    if (cotangent.type.dtype !== 'f32') return [null, null];
    const shape = operands[0]!.type.shape;
    return [
      needs[0] ? unpad(cotangent, node.attrs as PadAttrs, shape) : null,
      needs[1] ? sum(where(isPadding(node), cotangent, full(node.type.shape, 0))) : null,
    ];
  },
  lower({ node, at, read }) {
    const shape = node.operands[0]!.type.shape;
    const { lo, interior } = node.attrs as PadAttrs;
    const { conditions, position } = dilatedPosition(at, lo, interior, shape);
    return guarded(conditions, () => read(0, position), read(1, []));
  },
  sample(random) {
    const shape = random.shape(0, 4);
    const dtype = random.pick(allDTypes);
    const interior = shape.map(() => (random.bool(0.3) ? random.int(1, 2) : 0));
    const lo = shape.map((n, d) => random.int(-Math.min(2, spreadSize(n, interior[d]!) - 1), 2));
    const hi = shape.map((n, d) => random.int(-Math.min(2, spreadSize(n, interior[d]!) + lo[d]! - 1), 2));
    return {
      operands: [drawTensor(random, dtype, shape), drawTensor(random, dtype, [])],
      attrs: { lo, hi, interior },
    };
  },
});

/** True where a pad put its value: the pad of false by true. */
function isPadding(node: Node): Node {
  const shape = node.operands[0]!.type.shape;
  return makeNode(padOp, [full(shape, 0, 'bool'), full([], 1, 'bool')], node.attrs);
}

/** The elements of a padded value that came from the operand; those that were cropped become 0. */
function unpad(y: Node, { lo, hi, interior }: PadAttrs, shape: Shape): Node {
  // First undo the cropping, so that each element of the operand has its place again; then take every (interior + 1)th.
  const grown = padBy(y, { lo: lo.map((p) => Math.max(0, -p)), hi: hi.map((p) => Math.max(0, -p)) });
  const starts = lo.map((p) => Math.max(0, p));
  return slice(
    grown,
    starts,
    shape.map((n, d) => starts[d]! + spreadSize(n, interior[d]!)),
    interior.map((i) => i + 1),
  );
}

/**
 * The position in an operand of the element at `at` of its padded and dilated image, and the conditions under which there
 * is one. Conditions that always hold are left out.
 */
export function dilatedPosition(
  at: readonly Index[],
  lo: readonly number[],
  interior: readonly number[],
  shape: Shape,
): { readonly conditions: readonly Condition[]; readonly position: readonly Index[] } {
  const conditions: Condition[] = [];
  const position = at.map((i, d) => {
    const by = interior[d]! + 1;
    const offset = offsetIndex(i, -lo[d]!);
    const hi = spreadSize(shape[d]!, interior[d]!);
    const range = indexRange(offset);
    if (range.min < 0 || range.max >= hi) conditions.push({ kind: 'inRange', index: offset, lo: 0, hi });
    const aligned = offset.constant % by === 0 && offset.terms.every((t) => t.coeff % by === 0);
    if (!aligned) conditions.push({ kind: 'divisible', index: offset, by });
    return divIndex(offset, by);
  });
  return { conditions, position };
}

/** `value` under conditions, or plainly when there are none. */
export function guarded(conditions: readonly Condition[], value: () => Expr, otherwise: Expr): Expr {
  const x = value();
  return conditions.length === 0 ? x : { kind: 'guard', type: x.type, conditions, value: x, otherwise };
}

const sliceOps: readonly OpDef[] = [sliceOp, padOp];
export default sliceOps;

/**
 * A box of elements, from `starts` up to and without `limits`, every `strides`-th (1 by default) of each dimension. Any
 * dtype. Throws HDL0003 when the box is not inside.
 *
 *     slice(x, [0, 2], [4, 8]); // f32[4, 10] → f32[4, 6]
 */
export function slice<
  X extends Node,
  const S extends Shape,
  const L extends Shape,
  const T extends Shape | undefined = undefined,
>(
  x: X,
  starts: S & Lists<'slice', 'starts', ShapeOf<X>, S>,
  limits: L & Limits<ShapeOf<X>, L>,
  strides?: T,
): Node<Boxed<ShapeOf<X>, S, L, T>, DTypeOf<X>> {
  return box(x, starts, limits, strides) as Node<Boxed<ShapeOf<X>, S, L, T>, DTypeOf<X>>;
}

function box(x: Node, starts: Shape, limits: Shape, strides: Shape = x.type.shape.map(() => 1)): Node {
  const all =
    starts.every((s) => s === 0) && strides.every((s) => s === 1) && sameShape(limits, x.type.shape);
  if (all) return x;
  return makeNode(sliceOp, [x], { starts: [...starts], limits: [...limits], strides: [...strides] });
}

/** How a pad changes each dimension; what is left out is 0 everywhere. */
export interface Padding {
  /** Elements added before; negative numbers remove. */
  readonly lo?: readonly number[];
  /** Elements added after; negative numbers remove. */
  readonly hi?: readonly number[];
  /** Elements added between neighbours. */
  readonly interior?: readonly number[];
}

/** The node of `pad`, or `x` itself when nothing changes. */
export function padBy<D extends DType>(
  x: Node<Shape, D>,
  padding: Padding,
  value: number | Node = 0,
): Node<Shape, D> {
  const none = x.type.shape.map(() => 0);
  const { lo = none, hi = none, interior = none } = padding;
  if ([lo, hi, interior].every((list) => sameShape(list, none))) return x;
  const fill = typeof value === 'number' ? full([], value, x.type.dtype) : value;
  return makeNode(padOp, [x, fill], { lo: [...lo], hi: [...hi], interior: [...interior] }) as Node<Shape, D>;
}
