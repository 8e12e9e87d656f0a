// What reductions share. One shape of record serves them all: the axes disappear, elements are combined by a monoid, and
// an empty reduction gives the neutral element. The sum stands apart, in broadcast.ts, below all arithmetic.

import { makeNode } from '../graph/build.ts';
import type { Attrs, GradientRule, HostTensor, Node, OpDef, SampleSource } from '../graph/ir.ts';
import { type DType, elementCount, type Shape } from '../graph/types.ts';
import { type Index, varIndex } from '../kernel/affine.ts';
import { type Monoid, neutral, reduce, type ScalarType } from '../kernel/expr.ts';
import { checkAxes, checkDType, normalizeAxes } from './attrs.ts';
import { broadcastInDim, keepAxes } from './broadcast.ts';
import { defineOp } from './define.ts';
import { drawAxes } from './draw.ts';
import { flatPosition, forEachPosition } from './loops.ts';

interface Reduction {
  readonly name: string;
  readonly monoid: Monoid;
  readonly dtypes: readonly DType[];
  /** Two elements of the dtype into one. */
  readonly combine: (a: number, b: number, dtype: DType) => number;
  readonly summary: string;
  readonly formula: string;
  readonly kinks?: string;
  readonly onnx: string;
  readonly example: string;
  readonly gradient: GradientRule | { readonly none: string };
  readonly draw: (random: SampleSource, shape: Shape) => HostTensor;
}

/** The record of a reduction. */
export function defineReduction(r: Reduction): OpDef {
  return defineOp<{ axes: readonly number[] }>({
    name: r.name,
    family: 'reduce',
    doc: {
      summary: r.summary,
      formula: r.formula,
      types: `x: T[…] → T[shape without axes], T one of ${r.dtypes.join(', ')}`,
      attrs: { axes: 'axes that disappear; at least one, ascending' },
      ...(r.kinks === undefined ? {} : { kinks: r.kinks }),
      onnx: r.onnx,
      example: r.example,
    },
    arity: 1,
    type([x], { axes }, fail) {
      checkAxes(fail, 'axes', axes, x!.shape.length);
      if (axes.length === 0) fail('axes is empty', 'name at least one axis', 'HDL0003');
      checkDType(fail, x!, r.dtypes);
      return { dtype: x!.dtype, shape: x!.shape.filter((_, i) => !axes.includes(i)) };
    },
    reference([x], { axes }, out) {
      const result = new Float64Array(elementCount(out.shape));
      result.fill(neutral(r.monoid, out.dtype as ScalarType));
      forEachPosition(x!.type.shape, (at, flat) => {
        const to = flatPosition(
          out.shape,
          at.filter((_, i) => !axes.includes(i)),
        );
        result[to] = r.combine(result[to]!, x!.data[flat]!, out.dtype);
      });
      return result;
    },
    gradient: r.gradient,
    lower({ node, at, read, newVar }) {
      const axes = reducedAxes(node.attrs);
      const shape = node.operands[0]!.type.shape;
      const vars = axes.map((a) => newVar(`r${a}`, shape[a]!));
      let next = 0;
      const position: Index[] = shape.map((_, i) =>
        axes.includes(i) ? varIndex(vars[axes.indexOf(i)]!) : at[next++]!,
      );
      return reduce(r.monoid, vars, read(0, position));
    },
    sample(random) {
      const shape = random.shape(1, 4);
      const axes = drawAxes(random, shape.length, random.int(1, shape.length));
      return { operands: [r.draw(random, shape)], attrs: { axes } };
    },
  });
}

export function reducedAxes(attrs: Attrs): readonly number[] {
  return (attrs as { axes: readonly number[] }).axes;
}

/** A reduced value repeated along the axes that disappeared. */
export function restoreAxes(y: Node, shape: Shape, axes: readonly number[]): Node {
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return broadcastInDim(y, shape, kept);
}

/** Keeps reduced axes with size 1 in the result, so that it broadcasts against the operand. */
export interface ReduceOptions<K extends boolean = boolean> {
  readonly keepDims?: K;
}

/** What the public reductions share: axes as users write them, and `keepDims`. */
export function reduceBy(
  op: OpDef,
  name: string,
  x: Node,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
): Node {
  const list = normalizeAxes(name, x, axes);
  if (list.length === 0) return x;
  return keepAxes(makeNode(op, [x], { axes: list }), x.type.shape, list, options.keepDims ?? false);
}
