// The choice that a pool makes: which element of each window is largest, and moving values between windows and the elements
// that they chose. Gather and scatter are each other's gradients, so pools are differentiable to any order.

import { makeNode } from '../graph/build.ts';
import type { HostTensor, Node, OpDef, SampleSource } from '../graph/ir.ts';
import { elementCount, type Shape, sameShape } from '../graph/types.ts';
import {
  addIndex,
  divIndex,
  type Index,
  indexRange,
  type LoopVar,
  modIndex,
  offsetIndex,
  scaleIndex,
  varIndex,
} from '../kernel/affine.ts';
import {
  type Condition,
  compare,
  constant,
  indexValue,
  neutral,
  reduce,
  type ScalarType,
  select,
} from '../kernel/expr.ts';
import { isLarger } from './argmax.ts';
import { checkDType, checkIntegers, numeric } from './attrs.ts';
import { defineOp } from './define.ts';
import { drawDistinct, drawTensor } from './draw.ts';
import { flatIndex } from './leaf.ts';
import { dilatedPosition, guarded } from './slice.ts';
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

export const windowArgmaxOp: OpDef = defineOp<WindowAttrs>({
  name: 'windowArgmax',
  family: 'window',
  doc: {
    summary: 'Position in each window of its first largest element; NaN counts as largest, padding as −∞.',
    formula:
      'y[i] = the first k, in row-major order of the window, with x[i · strides + k · dilation − padLo] largest',
    types: 'x: T[…] → i32[number of windows in each dimension], T one of f32, i32, u32',
    attrs: windowAttrDocs,
    example: 'grad(sum(maxPool2d(x, { kernel: 2 })), x)',
  },
  arity: 1,
  type([x], attrs, fail) {
    checkDType(fail, x!, numeric);
    return { dtype: 'i32', shape: windowShape(x!.shape, attrs, fail) };
  },
  reference([x], attrs, out) {
    const cover = windowCover(x!.type.shape, out.shape, attrs);
    const taps = elementCount(attrs.window);
    const padding = neutral('max', x!.type.dtype as ScalarType);
    const element = (i: number): number => (cover[i]! < 0 ? padding : x!.data[cover[i]!]!);
    return Float64Array.from({ length: elementCount(out.shape) }, (_, o) => {
      let best = 0;
      for (let k = 1; k < taps; k++) if (isLarger(element(o * taps + k), element(o * taps + best))) best = k;
      return best;
    });
  },
  gradient: { none: 'its values are positions' },
  lower({ node, at, read, newVar }) {
    const attrs = windowAttrsOf(node.attrs);
    const x = node.operands[0]!.type;
    const vars = tapVars(attrs, newVar);
    const { conditions, position } = coveredElement(at, vars, attrs, x.shape);
    const type = x.dtype as ScalarType;
    const body = guarded(conditions, () => read(0, position), constant(type, neutral('max', type)));
    return { kind: 'argmax', type: 'i32', vars, body };
  },
  sample(random) {
    const { shape, attrs } = drawWindows(random);
    return { operands: [drawDistinct(random, shape, random.pick(['f32', 'f32', 'i32']))], attrs };
  },
});

export const windowGatherOp: OpDef = defineOp<WindowAttrs>({
  name: 'windowGather',
  family: 'window',
  doc: {
    summary:
      'The element that each window chose; 0 where it chose padding, or a position outside of the window.',
    formula: 'y[i] = x[i · strides + k · dilation − padLo], where k is position index[i] of the window',
    types: 'x: f32[…], index: i32[number of windows in each dimension] → f32[shape of index]',
    attrs: windowAttrDocs,
    example: 'grad(sum(square(grad(sum(square(maxPool2d(x, { kernel: 2 }))), x))), x)',
  },
  arity: 2,
  type([x, index], attrs, fail) {
    checkDType(fail, x!, ['f32'], 'x');
    checkDType(fail, index!, ['i32'], 'index');
    const shape = windowShape(x!.shape, attrs, fail);
    if (!sameShape(index!.shape, shape)) {
      fail(`there are [${shape.join(', ')}] windows`, 'index has one element for each window');
    }
    return { dtype: 'f32', shape };
  },
  reference([x, index], attrs, out) {
    const cover = windowCover(x!.type.shape, out.shape, attrs);
    const taps = elementCount(attrs.window);
    return index!.data.map((k, o) => {
      const from = k >= 0 && k < taps ? cover[o * taps + k]! : -1;
      return from < 0 ? 0 : x!.data[from]!;
    });
  },
  gradient({ node, operands, cotangent, needs }) {
    const [x, index] = operands as readonly [Node, Node];
    const attrs = windowAttrsOf(node.attrs);
    return [needs[0] ? windowScatter(cotangent, index, x.type.shape, attrs) : null, null];
  },
  // The chosen element is the sum over all taps of the chosen one and zeros: windows are small, and no run-time position
  // has to be trusted.
  lower({ node, at, read, newVar }) {
    const attrs = windowAttrsOf(node.attrs);
    const taps = tapVars(attrs, newVar);
    const { conditions, position } = coveredElement(at, taps, attrs, node.operands[0]!.type.shape);
    const zero = constant('f32', 0);
    const isChosen = compare('eq', read(1, at), indexValue(flatIndex(attrs.window, taps.map(varIndex))));
    const element = guarded(conditions, () => read(0, position), zero);
    return reduce('sum', taps, select(isChosen, element, zero));
  },
  sample(random) {
    const { shape, attrs } = drawWindows(random);
    return { operands: [drawTensor(random, 'f32', shape), drawChoice(random, shape, attrs)], attrs };
  },
});

type ScatterAttrs = WindowAttrs & { readonly shape: readonly number[] };

export const windowScatterOp: OpDef = defineOp<ScatterAttrs>({
  name: 'windowScatter',
  family: 'window',
  doc: {
    summary:
      'Adds the value of each window to the element that the window chose: the transpose of windowGather.',
    formula: 'y[j] = Σ d[i] over windows i whose position index[i] lies on element j',
    types: 'd: f32[number of windows in each dimension], index: i32 of the same shape → f32[shape]',
    attrs: { shape: 'shape of the result, over which the windows slide', ...windowAttrDocs },
    onnx: 'MaxUnpool',
    example: 'grad(sum(maxPool2d(x, { kernel: 2 })), x)',
  },
  arity: 2,
  type([d, index], attrs, fail) {
    checkDType(fail, d!, ['f32'], 'd');
    checkDType(fail, index!, ['i32'], 'index');
    checkIntegers(fail, 'shape', attrs.shape, d!.shape.length, 0);
    const windows = windowShape(attrs.shape, attrs, fail);
    const wrong = [d!, index!].findIndex((v) => !sameShape(v.shape, windows));
    if (wrong >= 0) {
      fail(`there are [${windows.join(', ')}] windows`, 'd and index have one element for each window');
    }
    return { dtype: 'f32', shape: [...attrs.shape] };
  },
  reference([d, index], attrs, out) {
    const cover = windowCover(out.shape, d!.type.shape, attrs);
    const taps = elementCount(attrs.window);
    const y = new Float64Array(elementCount(out.shape));
    index!.data.forEach((k, o) => {
      const to = k >= 0 && k < taps ? cover[o * taps + k]! : -1;
      if (to >= 0) y[to]! += d!.data[o]!;
    });
    return y;
  },
  gradient({ node, operands, cotangent, needs }) {
    const index = operands[1]!;
    return [needs[0] ? windowGather(cotangent, index, windowAttrsOf(node.attrs)) : null, null];
  },
  // Each element asks the windows that may cover it: tap k of the window (j + padLo − k · dilation) / strides. Where
  // windows lie side by side there is one such window and tap, found by dividing; else taps are summed over.
  lower({ node, at, read, newVar }) {
    const attrs = windowAttrsOf(node.attrs);
    const out = node.operands[0]!.type.shape;
    const vars: LoopVar[] = [];
    const places = attrs.window.map((k, d) => {
      const stride = attrs.strides[d]!;
      if (k === stride && (attrs.dilation[d] === 1 || k === 1)) {
        const offset = offsetIndex(at[d]!, attrs.padLo[d]!);
        return { tap: modIndex(offset, k), ...insideDimension(divIndex(offset, k), out[d]!) };
      }
      const v = newVar(`k${d}`, k);
      vars.push(v);
      const begin = addIndex(at[d]!, scaleIndex(varIndex(v), -attrs.dilation[d]!));
      const { conditions, position } = dilatedPosition([begin], [-attrs.padLo[d]!], [stride - 1], [out[d]!]);
      return { tap: varIndex(v), position: position[0]!, conditions };
    });
    const taps = places.map((p) => p.tap);
    const position = places.map((p) => p.position);
    const conditions = places.flatMap((p) => p.conditions);
    const zero = constant('f32', 0);
    const share = guarded(
      conditions,
      () => {
        const isChosen = compare('eq', read(1, position), indexValue(flatIndex(attrs.window, taps)));
        return select(isChosen, read(0, position), zero);
      },
      zero,
    );
    return vars.length === 0 ? share : reduce('sum', vars, share);
  },
  sample(random) {
    const { shape, attrs } = drawWindows(random);
    const index = drawChoice(random, shape, attrs);
    return { operands: [drawTensor(random, 'f32', index.type.shape), index], attrs: { shape, ...attrs } };
  },
});

/** A position, and the condition that it lies in [0, size) unless it always does. */
function insideDimension(
  position: Index,
  size: number,
): { readonly position: Index; readonly conditions: readonly Condition[] } {
  const range = indexRange(position);
  const isInside = range.min >= 0 && range.max < size;
  return { position, conditions: isInside ? [] : [{ kind: 'inRange', index: position, lo: 0, hi: size }] };
}

/** Positions in windows over a value of that shape, some of them on padding. */
function drawChoice(random: SampleSource, shape: Shape, attrs: WindowAttrs): HostTensor {
  const windows = windowShape(shape, attrs, (rule) => {
    throw new Error(`internal: drawn windows are not valid: ${rule}`);
  });
  const last = elementCount(attrs.window) - 1;
  const data = Float64Array.from({ length: elementCount(windows) }, () => random.int(0, last));
  return { type: { dtype: 'i32', shape: windows }, data };
}

/** The node of `windowArgmax`. */
export function windowArgmax(x: Node, attrs: WindowAttrs): Node<Shape, 'i32'> {
  return makeNode(windowArgmaxOp, [x], windowAttrsOf({ ...attrs })) as Node<Shape, 'i32'>;
}

/** The node of `windowGather`. */
export function windowGather(x: Node, index: Node, attrs: WindowAttrs): Node<Shape, 'f32'> {
  return makeNode(windowGatherOp, [x, index], windowAttrsOf({ ...attrs })) as Node<Shape, 'f32'>;
}

/** The node of `windowScatter`. */
export function windowScatter(d: Node, index: Node, shape: Shape, attrs: WindowAttrs): Node<Shape, 'f32'> {
  return makeNode(windowScatterOp, [d, index], {
    shape: [...shape],
    ...windowAttrsOf({ ...attrs }),
  }) as Node<Shape, 'f32'>;
}
