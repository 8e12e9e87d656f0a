// Sums and extremes under a sliding window, over all dimensions of a value; a window of 1 leaves a dimension alone. The
// gradient of a sum is a sum under windows of the spread cotangent; that of an extreme goes to the chosen elements, by
// the ops in window-choice.ts.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { type DType, elementCount, roundTo, type Shape } from '../graph/types.ts';
import { constant, neutral, reduce, type ScalarType } from '../kernel/expr.ts';
import { neg } from './arithmetic.ts';
import { checkDType, numeric } from './attrs.ts';
import { defineOp } from './define.ts';
import { drawDistinct, drawTensor } from './draw.ts';
import { guarded, padBy } from './slice.ts';
import { spreadSize } from './spatial.ts';
import {
  coveredElement,
  drawWindows,
  tapVars,
  type WindowAttrs,
  windowAttrDocs,
  windowAttrsOf,
  windowCover,
  windowShape,
} from './window-attrs.ts';
import {
  windowArgmax,
  windowArgmaxOp,
  windowGatherOp,
  windowScatter,
  windowScatterOp,
} from './window-choice.ts';

export type WindowMonoid = 'sum' | 'max' | 'min';
type ReduceWindowAttrs = WindowAttrs & { readonly monoid: WindowMonoid };

const combine: Readonly<Record<WindowMonoid, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
};

export const reduceWindowOp: OpDef = defineOp<ReduceWindowAttrs>({
  name: 'reduceWindow',
  family: 'window',
  doc: {
    summary: 'Sum, largest or smallest element under a sliding window; NaN if there is one.',
    formula: 'y[i] = ⊕_k x[i · strides + k · dilation − padLo], where padding is neutral: 0, −∞ or +∞',
    types: 'x: T[…] → T[number of windows in each dimension], T one of f32, i32, u32',
    attrs: { monoid: "'sum', 'max' or 'min'", ...windowAttrDocs },
    kinks: 'of equal extremes the first in row-major order gets the whole gradient',
    onnx: 'MaxPool',
    example: 'maxPool2d(x, { kernel: 2 })',
  },
  arity: 1,
  type([x], attrs, fail) {
    checkDType(fail, x!, numeric);
    if (!Object.hasOwn(combine, attrs.monoid)) {
      fail(
        `monoid ${JSON.stringify(attrs.monoid)} does not exist`,
        "choose 'sum', 'max' or 'min'",
        'HDL0003',
      );
    }
    return { dtype: x!.dtype, shape: windowShape(x!.shape, attrs, fail) };
  },
  reference([x], attrs, out) {
    const cover = windowCover(x!.type.shape, out.shape, attrs);
    const taps = elementCount(attrs.window);
    const y = new Float64Array(elementCount(out.shape));
    y.fill(neutral(attrs.monoid, out.dtype as ScalarType));
    cover.forEach((from, i) => {
      const o = Math.floor(i / taps);
      if (from >= 0) y[o] = combine[attrs.monoid](y[o]!, x!.data[from]!);
    });
    return out.dtype === 'f32' ? y : y.map((v) => roundTo(out.dtype, v));
  },
  gradient({ node, operands, cotangent, needs }) {
    if (!needs[0] || cotangent.type.dtype !== 'f32') return [null];
    const x = operands[0]!;
    const { monoid, ...attrs } = node.attrs as ReduceWindowAttrs;
    if (monoid === 'sum') return [windowSumGradient(cotangent, x.type.shape, attrs)];
    const chosen = windowArgmax(monoid === 'max' ? x : (neg(x as Node<Shape, 'f32'>) as Node), attrs);
    return [windowScatter(cotangent, chosen, x.type.shape, attrs)];
  },
  lower({ node, at, read, newVar }) {
    const { monoid } = node.attrs as ReduceWindowAttrs;
    const attrs = windowAttrsOf(node.attrs);
    const taps = tapVars(attrs, newVar);
    const { conditions, position } = coveredElement(at, taps, attrs, node.operands[0]!.type.shape);
    const type = node.type.dtype as ScalarType;
    const element = guarded(conditions, () => read(0, position), constant(type, neutral(monoid, type)));
    return reduce(monoid, taps, element);
  },
  sample(random) {
    const { shape, attrs } = drawWindows(random);
    const monoid = random.pick(['sum', 'max', 'min'] as const);
    const operand =
      monoid === 'sum'
        ? drawTensor(random, random.pick(numeric), shape)
        : drawDistinct(random, shape, random.pick(['f32', 'f32', 'i32']));
    return { operands: [operand], attrs: { monoid, ...attrs } };
  },
});

/** Each element gets the cotangents of the windows that cover it: a sum under windows of the spread cotangent. */
function windowSumGradient(cotangent: Node, shape: Shape, attrs: WindowAttrs): Node {
  const none = shape.map(() => 0);
  const one = shape.map(() => 1);
  const reach = attrs.window.map((k, d) => spreadSize(k, attrs.dilation[d]! - 1));
  const lo = reach.map((r, d) => r - 1 - attrs.padLo[d]!);
  const hi = shape.map(
    (n, d) => n + reach[d]! - 1 - spreadSize(cotangent.type.shape[d]!, attrs.strides[d]! - 1) - lo[d]!,
  );
  const spread = padBy(cotangent, { lo, hi, interior: attrs.strides.map((s) => s - 1) });
  const { window, dilation } = attrs;
  return reduceWindow(spread, 'sum', { window, strides: one, padLo: none, padHi: none, dilation });
}

const windowOps: readonly OpDef[] = [reduceWindowOp, windowArgmaxOp, windowGatherOp, windowScatterOp];
export default windowOps;

/** The node of `reduceWindow`, or `x` itself when windows are single elements. */
export function reduceWindow<D extends DType>(
  x: Node<Shape, D>,
  monoid: WindowMonoid,
  attrs: WindowAttrs,
): Node<Shape, D> {
  const isIdentity =
    [attrs.window, attrs.strides].every((list) => list.every((n) => n === 1)) &&
    [attrs.padLo, attrs.padHi].every((list) => list.every((n) => n === 0));
  if (isIdentity) return x;
  return makeNode(reduceWindowOp, [x], { monoid, ...windowAttrsOf({ ...attrs }) }) as Node<Shape, D>;
}
