// Reductions over axes. Axes were an attribute first and are an operand now; without any, all dimensions are reduced, or
// none with `noop_with_empty_axes`.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import {
  asFloat,
  axesOf,
  type F,
  isInteger,
  like,
  product,
  range,
  rankOf,
  shapeOf,
  type T,
} from './common.ts';

interface Axes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

function reducedAxes(c: Call, since: number): Axes {
  const rank = rankOf(c.x(0));
  const named = axesOf(c, since);
  const isNoop = c.opset >= since && c.flag('noop_with_empty_axes');
  const list = named === undefined || named.length === 0 ? (isNoop ? [] : range(rank)) : named;
  return { axes: list.map((a) => c.axis(a, rank)), keepDims: c.flag('keepdims', true) };
}

type Reducer = (x: T, axes: readonly number[], options: { keepDims: boolean }, c: Call) => T;

const reduction = (name: string, since: number, f: Reducer, wraps = false): OnnxOp =>
  op(name, { versions: { 1: 'axes are an attribute', [since]: 'axes are an operand' }, wraps }, (c) => {
    const { axes, keepDims } = reducedAxes(c, since);
    return like(c, 0, f(c.x(0), axes, { keepDims }, c));
  });

const sum: Reducer = (x, axes, o) => h.sum(x, axes, o) as T;

/** Computed as floats, and turned back where the operand holds integers. */
const asFloats =
  (f: (x: F, axes: readonly number[], o: { keepDims: boolean }) => T): Reducer =>
  (x, axes, o) => {
    const y = f(asFloat(x), axes, o);
    return (x.type.dtype === 'f32' ? y : h.cast(y, x.type.dtype)) as T;
  };

export const reduceOps: readonly OnnxOp[] = [
  reduction('ReduceSum', 13, sum, true),
  reduction('ReduceMean', 18, (x, axes, o, c) =>
    isInteger(c, 0)
      ? (h.div(sum(x, axes, o, c), product(axes.map((a) => shapeOf(x)[a]!))) as T)
      : (h.mean(x as F, axes, o) as T),
  ),
  reduction('ReduceProd', 18, (x, axes, o) => h.prod(x, axes, o) as T, true),
  reduction('ReduceMax', 18, (x, axes, o) =>
    x.type.dtype === 'bool' ? (h.any(x, axes, o) as T) : (h.max(x, axes, o) as T),
  ),
  reduction('ReduceMin', 18, (x, axes, o) =>
    x.type.dtype === 'bool' ? (h.all(x, axes, o) as T) : (h.min(x, axes, o) as T),
  ),
  reduction('ReduceL1', 18, (x, axes, o, c) => sum(h.abs(x) as T, axes, o, c)),
  reduction('ReduceSumSquare', 18, (x, axes, o, c) => sum(h.mul(x, x) as T, axes, o, c)),
  reduction(
    'ReduceL2',
    18,
    asFloats((x, axes, o) => h.l2(x, axes, o) as T),
  ),
  reduction(
    'ReduceLogSum',
    18,
    asFloats((x, axes, o) => h.log(h.sum(x, axes, o) as F) as T),
  ),
  reduction(
    'ReduceLogSumExp',
    18,
    asFloats((x, axes, o) => h.logSumExp(x, axes, o) as T),
  ),
];
