// A convolution whose filters have one element in each window of their picture: what the gradient of pooling is to the
// convolution below it. It is the gradient to that convolution's weights, and computes one product in each window where a
// plain convolution computes as many as the window has elements, all but one of them with 0.

import { makeNode } from '../graph/build.ts';
import type { HostTensor, Node, OpDef } from '../graph/ir.ts';
import { elementCount, type Shape, sameShape } from '../graph/types.ts';
import {
  addIndex,
  atomIndex,
  divIndex,
  type Index,
  modIndex,
  scaleIndex,
  varIndex,
} from '../kernel/affine.ts';
import { binary, reduce } from '../kernel/expr.ts';
import { checkDType, checkIntegers } from './attrs.ts';
import { convolution, convolutionOp } from './convolution.ts';
import { defineOp } from './define.ts';
import { drawTensor } from './draw.ts';
import { clamped } from './gather.ts';
import { flatPosition, forEachPosition } from './loops.ts';
import type { WindowAttrs } from './window-attrs.ts';
import { windowGather, windowScatter } from './window-choice.ts';

export type WindowConvolutionAttrs = { readonly window: readonly number[] };

export const windowConvolutionOp: OpDef = defineOp<WindowConvolutionAttrs>({
  name: 'windowConvolution',
  family: 'window',
  doc: {
    summary: 'Convolution by filters that have one element in each of their windows, which lie side by side.',
    formula:
      'y[n, o, i] = Σ_{c, p} x[n, c, i + p · window + k] · d[o, c, p], where k is position index[o, c, p] of window p',
    types:
      'x: f32[N, C, spatial…], d: f32[O, C, windows…], index: i32 of the shape of d → f32[N, O, positions…]',
    attrs: { window: 'elements of a window, for each spatial dimension' },
    example: 'grad(sum(maxPool2d(conv2d(x, w), { kernel: 2 })), w)',
  },
  arity: 3,
  type([x, d, index], { window }, fail) {
    checkDType(fail, x!, ['f32'], 'x');
    checkDType(fail, d!, ['f32'], 'd');
    checkDType(fail, index!, ['i32'], 'index');
    checkIntegers(fail, 'window', window, Math.max(1, x!.shape.length - 2), 1);
    if (x!.shape.length < 3 || d!.shape.length !== x!.shape.length)
      fail(
        `x has ${x!.shape.length} dimensions, d has ${d!.shape.length}`,
        'both have two and the spatial ones',
      );
    if (!sameShape(d!.shape, index!.shape))
      fail(`index has shape [${index!.shape.join(', ')}]`, 'index has one element for each element of d');
    if (d!.shape[1] !== x!.shape[1])
      fail(
        `x has ${x!.shape[1]} channels, d has ${d!.shape[1]}`,
        'the second dimensions of x and d are equal',
      );
    const positions = window.map((k, s) => x!.shape[s + 2]! - k * d!.shape[s + 2]! + 1);
    const short = positions.findIndex((n) => n < 1);
    if (short >= 0)
      fail(
        `the windows of dimension ${short + 2} reach beyond x`,
        'windows · window is at most the size of x',
        'HDL0003',
      );
    return { dtype: 'f32', shape: [x!.shape[0]!, d!.shape[0]!, ...positions] };
  },
  reference([x, d, index], { window }, out) {
    const { shape } = d!.type;
    const y = new Float64Array(elementCount(out.shape));
    const last = elementCount(window) - 1;
    forEachPosition(out.shape, (at, i) => {
      const [n, o, ...from] = at as readonly [number, number, ...number[]];
      forEachPosition(shape.slice(1), ([c, ...p]) => {
        const e = flatPosition(shape, [o, c!, ...p]);
        let k = Math.min(Math.max(index!.data[e]!, 0), last);
        const place = new Array<number>(p.length);
        for (let s = p.length - 1; s >= 0; s--) {
          place[s] = from[s]! + p[s]! * window[s]! + (k % window[s]!);
          k = Math.floor(k / window[s]!);
        }
        y[i]! += x!.data[flatPosition(x!.type.shape, [n, c!, ...place])]! * d!.data[e]!;
      });
    });
    return y;
  },
  gradient({ node, operands, cotangent, needs }) {
    const [x, d, index] = operands as readonly [Node, Node, Node];
    const attrs = sideBySide(node.attrs['window'] as readonly number[]);
    const spread = d.type.shape.map((n, s) => n * attrs.window[s]!);
    const dense = convolution(x, windowScatter(d, index, spread, attrs), plain(spread.length - 2));
    if (typeof convolutionOp.gradient !== 'function') return [null, null, null];
    const [dx, filters] = convolutionOp.gradient({
      node: dense,
      operands: dense.operands,
      cotangent,
      needs: [needs[0]!, needs[1]!],
      out: dense,
      cotangents: [cotangent],
    });
    return [dx ?? null, filters ? windowGather(filters, index, attrs) : null, null];
  },
  lower({ node, at, read, newVar }) {
    const { window } = node.attrs as WindowConvolutionAttrs;
    const [, channels, ...windows] = node.operands[1]!.type.shape as [number, number, ...number[]];
    const vars = [newVar('c', channels), ...windows.map((n, s) => newVar(`p${s}`, n))];
    const element = [at[1]!, ...vars.map(varIndex)];
    const extent = elementCount(window);
    const chosen = atomIndex({
      kind: 'value',
      expr: clamped(read(2, element), extent),
      extent,
      id: newVar('index', 1).id,
    });
    const place: Index[] = [];
    let rest = chosen;
    for (let s = window.length - 1; s >= 0; s--) {
      const tap = modIndex(rest, window[s]!);
      place[s] = addIndex(at[s + 2]!, scaleIndex(element[s + 2]!, window[s]!), tap);
      rest = divIndex(rest, window[s]!);
    }
    return reduce('sum', vars, binary('mul', read(0, [at[0]!, element[1]!, ...place]), read(1, element)));
  },
  sample(random) {
    const rank = random.pick([1, 1, 2]);
    const draw = (lo: number, hi: number): number[] => Array.from({ length: rank }, () => random.int(lo, hi));
    const [n, c, o] = [random.int(1, 2), random.int(1, 3), random.int(1, 3)];
    const [window, windows, more] = [draw(1, 3), draw(1, 2), draw(0, 2)];
    const shape = [o, c, ...windows];
    const last = elementCount(window) - 1;
    const data = Float64Array.from({ length: elementCount(shape) }, () => random.int(0, last));
    const index: HostTensor = { type: { dtype: 'i32', shape }, data };
    const sizes = window.map((k, s) => k * windows[s]! + more[s]!);
    const operands = [drawTensor(random, 'f32', [n, c, ...sizes]), drawTensor(random, 'f32', shape), index];
    return { operands, attrs: { window } };
  },
});

/** Windows of the spatial dimensions that lie side by side. */
function sideBySide(window: readonly number[]): WindowAttrs {
  const all = [1, 1, ...window];
  const [none, one] = [all.map(() => 0), all.map(() => 1)];
  return { window: all, strides: all, padLo: none, padHi: none, dilation: one };
}

function plain(rank: number): Parameters<typeof convolution>[2] {
  const [none, one] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(1)];
  return { strides: one, padLo: none, padHi: none, dilation: one, inputDilation: one, groups: 1 };
}

const windowConvolutionOps: readonly OpDef[] = [windowConvolutionOp];
export default windowConvolutionOps;

/** The node of `windowConvolution`. */
export function windowConvolution(
  x: Node,
  d: Node,
  index: Node,
  window: readonly number[],
): Node<Shape, 'f32'> {
  return makeNode(windowConvolutionOp, [x, d, index], { window: [...window] }) as Node<Shape, 'f32'>;
}
