// Concatenation, and what is made of it and of slices: stack and split.

import { makeNode } from '../graph/build.ts';
import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Inserted, PartsOf, Splits } from '../graph/shape-types-axis.ts';
import type { CommonDTypeOf, Concatenated, Concatenates } from '../graph/shape-types-view.ts';
import { formatShape, type Shape } from '../graph/types.ts';
import { offsetIndex } from '../kernel/affine.ts';
import type { Expr } from '../kernel/expr.ts';
import { checkInteger, normalizeAxis } from './attrs.ts';
import { expandDims } from './broadcast.ts';
import { defineOp } from './define.ts';
import { allDTypes, drawTensor } from './draw.ts';
import { generate, reader } from './loops.ts';
import { slice } from './slice.ts';

const concatOp: OpDef = defineOp<{ axis: number }>({
  name: 'concat',
  family: 'shape',
  doc: {
    summary: 'Operands one after the other along an axis.',
    formula: 'y[…, i, …] = x_k[…, i − Σ sizes before k, …] for the k that holds position i',
    types: 'x_k: T[…], equal except along axis → T[…] with the sum of sizes along axis',
    attrs: { axis: 'axis along which operands follow each other' },
    onnx: 'Concat',
    example: 'concat([x, y], 1)',
  },
  arity: { min: 1, max: Number.POSITIVE_INFINITY },
  type(operands, { axis }, fail) {
    const first = operands[0]!;
    if (first.shape.length === 0) fail('a scalar has no axis to follow along', 'use stack for scalars');
    checkInteger(fail, 'axis', axis, 0, first.shape.length - 1);
    operands.forEach((x, k) => {
      if (x.dtype !== first.dtype) {
        fail(
          `operand ${k} has dtype ${x.dtype}, operand 0 ${first.dtype}`,
          `cast it to ${first.dtype}`,
          'HDL0002',
        );
      }
      if (x.shape.length !== first.shape.length) {
        fail(
          `operand ${k} has ${x.shape.length} dimensions, operand 0 has ${first.shape.length}`,
          'reshape one of them',
        );
      }
      const d = x.shape.findIndex((n, i) => i !== axis && n !== first.shape[i]);
      if (d >= 0) {
        fail(
          `dimension ${d} of operand ${k} is ${x.shape[d]}, of operand 0 ${first.shape[d]}`,
          `all dimensions except axis ${axis} must be equal`,
        );
      }
    });
    const total = operands.reduce((n, x) => n + x.shape[axis]!, 0);
    return { dtype: first.dtype, shape: first.shape.map((n, i) => (i === axis ? total : n)) };
  },
  reference(operands, { axis }, out) {
    const reads = operands.map(reader);
    return generate(out.shape, (at) => {
      let i = at[axis]!;
      let k = 0;
      while (i >= operands[k]!.type.shape[axis]!) i -= operands[k++]!.type.shape[axis]!;
      return reads[k]!(at.map((p, d) => (d === axis ? i : p)));
    });
  },
  gradient({ node, operands, cotangent, needs }) {
    if (cotangent.type.dtype !== 'f32') return operands.map(() => null);
    const { axis } = node.attrs as { axis: number };
    const starts = startsAlong(operands, axis);
    return operands.map((x, k) =>
      needs[k] ? sliceAlong(cotangent, axis, starts[k]!, starts[k]! + x.type.shape[axis]!) : null,
    );
  },
  lower({ node, at, read }) {
    const { axis } = node.attrs as { axis: number };
    const starts = startsAlong(node.operands, axis);
    const from = (k: number): Expr =>
      read(
        k,
        at.map((i, d) => (d === axis ? offsetIndex(i, -starts[k]!) : i)),
      );
    // Operands without elements are never read; the last of the others needs no guard.
    const parts = node.operands.map((_, k) => k).filter((k) => node.operands[k]!.type.shape[axis] !== 0);
    if (parts.length === 0) return from(0);
    let expr = from(parts.at(-1)!);
    for (const k of parts.slice(0, -1).reverse()) {
      const hi = starts[k]! + node.operands[k]!.type.shape[axis]!;
      const value = from(k);
      const conditions = [{ kind: 'inRange', index: at[axis]!, lo: starts[k]!, hi }] as const;
      expr = { kind: 'guard', type: value.type, conditions, value, otherwise: expr };
    }
    return expr;
  },
  sample(random) {
    const shape = random.shape(1, 4);
    const axis = random.int(0, shape.length - 1);
    const dtype = random.pick(allDTypes);
    const operands = Array.from({ length: random.int(1, 4) }, () =>
      drawTensor(
        random,
        dtype,
        shape.map((n, i) => (i === axis ? random.int(1, 4) : n)),
      ),
    );
    return { operands, attrs: { axis } };
  },
});

const concatOps: readonly OpDef[] = [concatOp];
export default concatOps;

/** Where each operand begins in the result. */
function startsAlong(operands: readonly Node[], axis: number): number[] {
  let start = 0;
  return operands.map((x) => {
    const here = start;
    start += x.type.shape[axis]!;
    return here;
  });
}

/** The part [start, limit) of one axis. */
function sliceAlong(x: Node, axis: number, start: number, limit: number): Node {
  return slice(
    x,
    x.type.shape.map((_, i) => (i === axis ? start : 0)),
    x.type.shape.map((n, i) => (i === axis ? limit : n)),
  );
}

/**
 * Operands one after the other along `axis` (0 by default; negative ones count from the end). All have one dtype, and
 * equal sizes except along the axis. Throws HDL0001, HDL0002.
 *
 *     concat([x, y], 1); // f32[8, 3], f32[8, 5] → f32[8, 8]
 */
export function concat<const T extends readonly Node[], const A extends number = 0>(
  operands: T & Concatenates<T, A>,
  axis?: A,
): Node<Concatenated<T, A>, CommonDTypeOf<T>> {
  return concatAlong(operands, axis ?? 0) as Node as Node<Concatenated<T, A>, CommonDTypeOf<T>>;
}

function concatAlong(operands: readonly Node[], axis: number): Node {
  const first = operands[0];
  if (operands.length === 1) return first!;
  const a = first === undefined || first.type.shape.length === 0 ? 0 : normalizeAxis('concat', first, axis);
  return makeNode(concatOp, operands, { axis: a });
}

/**
 * Operands of one type side by side along a new axis (0 by default). Throws HDL0001, HDL0002.
 *
 *     stack([x, y]); // f32[3], f32[3] → f32[2, 3]
 */
export function stack<const T extends readonly Node[], const A extends number = 0>(
  operands: T,
  axis?: A,
): Node<Inserted<ShapeOf<T[0]>, A, T['length']>, CommonDTypeOf<T>> {
  const a: number = axis ?? 0;
  const rows = operands.map((x): Node => expandDims(x, a));
  return concatAlong(rows, a) as Node as Node<Inserted<ShapeOf<T[0]>, A, T['length']>, CommonDTypeOf<T>>;
}

/**
 * Cuts `x` along `axis` (0 by default) into as many equal parts as `parts` says, or into parts of the listed sizes. Any
 * dtype. Throws HDL0001 when the sizes do not add up.
 *
 *     split(x, 2, 1); // f32[8, 6] → two f32[8, 3]
 */
export function split<X extends Node, const P extends number | readonly number[], const A extends number = 0>(
  x: X,
  parts: P & Splits<ShapeOf<X>, P, A>,
  axis?: A,
): Parts<X, P, A> {
  return splitAlong(x, parts, axis ?? 0) as readonly Node[] as Parts<X, P, A>;
}

/** The parts of `x`: a list of known length where their number is. */
type Parts<X extends Node, P, A extends number> =
  PartsOf<ShapeOf<X>, P, A> extends infer L extends readonly Shape[]
    ? { -readonly [I in keyof L]: Node<L[I], DTypeOf<X>> }
    : never;

function splitAlong(x: Node, parts: number | readonly number[], axis: number): Node[] {
  const a = normalizeAxis('split', x, axis);
  const n = x.type.shape[a]!;
  const sizes = typeof parts === 'number' ? new Array<number>(Math.max(0, parts | 0)).fill(n / parts) : parts;
  const total = sizes.reduce((s, k) => s + k, 0);
  if (sizes.length === 0 || total !== n || !sizes.every((k) => Number.isInteger(k) && k >= 0)) {
    throw compilerError('HDL0001', {
      what: `split(${describeNode(x)}, ${typeof parts === 'number' ? parts : formatShape(parts)}, axis: ${a})`,
      rule:
        typeof parts === 'number'
          ? `dimension ${a} of size ${n} does not divide into ${parts} equal parts`
          : `the parts must be whole numbers that add up to ${n}, the size of dimension ${a}; they add up to ${total}`,
      hint: 'list the sizes of the parts',
      loc: callerLocation(),
    });
  }
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return sliceAlong(x, a, start - size, start);
  });
}
