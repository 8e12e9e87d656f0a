// Convolution over one to three spatial dimensions. Its gradients are convolutions again, so that gradients of gradients
// need nothing new:
//
//   dx = conv(dy, w with inputs and outputs swapped and taps reversed), dy spread by the strides
//   dw = conv(x, dy), where batch and channels trade places, and strides and dilation too
//
// In one dimension, with o and k counting outputs and taps, all three pair the same elements: input i · inputDilation
// meets output o at tap k where i · inputDilation = o · stride + k · dilation − padLo.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { addIndex, divIndex, type Index, scaleIndex, varIndex } from '../kernel/affine.ts';
import { binary, constant, reduce } from '../kernel/expr.ts';
import { checkDType, checkInteger, checkIntegers } from './attrs.ts';
import { defineOp } from './define.ts';
import { drawTensor } from './draw.ts';
import { full } from './leaf.ts';
import { flatPosition, forEachPosition } from './loops.ts';
import { reshape, reverse, transpose } from './shape.ts';
import { dilatedPosition, guarded } from './slice.ts';
import { placeWindow, spreadSize } from './spatial.ts';

export type ConvolutionAttrs = {
  readonly strides: readonly number[];
  readonly padLo: readonly number[];
  readonly padHi: readonly number[];
  readonly dilation: readonly number[];
  readonly inputDilation: readonly number[];
  readonly groups: number;
};

export const convolutionOp: OpDef = defineOp<ConvolutionAttrs>({
  name: 'convolution',
  family: 'contract',
  doc: {
    summary: 'Slides a bank of filters over an image (cross-correlation, as is usual in neural nets).',
    formula:
      'y[n, o, p] = Σ_{c, k} x̃[n, c, p · strides + k · dilation − padLo] · w[o, c, k]; x̃ is x with zeros between',
    types:
      'x: f32[N, C, spatial…], w: f32[O, C / groups, taps…] → f32[N, O, spatial…]; 1 to 3 spatial dimensions',
    attrs: {
      strides: 'distance between outputs, for each spatial dimension; at least 1',
      padLo: 'zeros before each spatial dimension; negative: elements left out',
      padHi: 'zeros after each spatial dimension; negative: elements left out',
      dilation: 'distance between taps; at least 1',
      inputDilation: 'distance between elements of x, with zeros in between; at least 1',
      groups: 'number of groups of channels that do not see each other',
    },
    onnx: 'Conv',
    example: "conv2d(images, filters, { padding: 'same' })",
  },
  arity: 2,
  type([x, w], attrs, fail) {
    checkDType(fail, x!, ['f32'], 'x');
    checkDType(fail, w!, ['f32'], 'w');
    const rank = x!.shape.length - 2;
    if (rank < 1 || rank > 3) {
      fail(`x has ${x!.shape.length} dimensions`, 'x is [N, C, spatial…] with 1 to 3 spatial dimensions');
    }
    if (w!.shape.length !== x!.shape.length) {
      fail(
        `w has ${w!.shape.length} dimensions, x has ${x!.shape.length}`,
        'w is [outputs, channels / groups, taps…] with as many spatial dimensions as x',
      );
    }
    checkIntegers(fail, 'strides', attrs.strides, rank, 1);
    checkIntegers(fail, 'padLo', attrs.padLo, rank, Number.NEGATIVE_INFINITY);
    checkIntegers(fail, 'padHi', attrs.padHi, rank, Number.NEGATIVE_INFINITY);
    checkIntegers(fail, 'dilation', attrs.dilation, rank, 1);
    checkIntegers(fail, 'inputDilation', attrs.inputDilation, rank, 1);
    checkInteger(fail, 'groups', attrs.groups, 1, Number.POSITIVE_INFINITY);
    const { groups } = attrs;
    const [outputs, filterChannels, ...taps] = w!.shape as [number, number, ...number[]];
    if (x!.shape[1] !== filterChannels * groups) {
      fail(
        `x has ${x!.shape[1]} channels, w reads ${filterChannels * groups}${groups > 1 ? ` (${groups} groups of ${filterChannels})` : ''}`,
        'w is [outputs, channels / groups, taps…]: its second dimension times groups must equal the channels of x',
      );
    }
    if (outputs % groups !== 0) {
      fail(
        `${outputs} outputs do not divide into ${groups} groups`,
        'the outputs must be a multiple of groups',
      );
    }
    const spatial = taps.map((k, d) => {
      if (k === 0) fail(`dimension ${d + 2} of w is 0`, 'a filter has at least one tap in each dimension');
      const size = spreadSize(x!.shape[d + 2]!, attrs.inputDilation[d]! - 1);
      const padded = size + attrs.padLo[d]! + attrs.padHi[d]!;
      const reach = spreadSize(k, attrs.dilation[d]! - 1);
      return placeWindow(fail, 'the filter', d + 2, padded, reach, attrs.strides[d]!);
    });
    return { dtype: 'f32', shape: [x!.shape[0]!, outputs, ...spatial] };
  },
  reference([x, w], attrs, out) {
    const [batch, channels, ...sizes] = x!.type.shape as [number, number, ...number[]];
    const [outputs, filterChannels, ...taps] = w!.type.shape as [number, number, ...number[]];
    const places = out.shape.slice(2);
    const [n, k, p] = [elementCount(sizes), elementCount(taps), elementCount(places)];
    // For each output place and tap, the element of x that they meet, or -1 for a zero.
    const meets = new Int32Array(p * k);
    forEachPosition(places, (place, i) => {
      forEachPosition(taps, (tap, j) => {
        const at = place.map(
          (o, d) =>
            (o * attrs.strides[d]! + tap[d]! * attrs.dilation[d]! - attrs.padLo[d]!) /
            attrs.inputDilation[d]!,
        );
        meets[i * k + j] = at.every(Number.isInteger) ? flatPosition(sizes, at) : -1;
      });
    });
    const y = new Float64Array(elementCount(out.shape));
    const groupOutputs = outputs / attrs.groups;
    for (let b = 0; b < batch; b++) {
      for (let o = 0; o < outputs; o++) {
        const from = Math.floor(o / groupOutputs) * filterChannels;
        for (let i = 0; i < p; i++) {
          let total = 0;
          for (let c = 0; c < filterChannels; c++) {
            const xAt = (b * channels + from + c) * n;
            const wAt = (o * filterChannels + c) * k;
            for (let j = 0; j < k; j++) {
              const at = meets[i * k + j]!;
              if (at >= 0) total += x!.data[xAt + at]! * w!.data[wAt + j]!;
            }
          }
          y[(b * outputs + o) * p + i] = total;
        }
      }
    }
    return y;
  },
  gradient({ node, operands, cotangent, needs }) {
    const [x, w] = operands as readonly [Node, Node];
    const attrs = node.attrs as ConvolutionAttrs;
    const isEmpty = [x, w, cotangent].some((v) => elementCount(v.type.shape) === 0);
    if (isEmpty) return [needs[0] ? full(x.type.shape, 0) : null, needs[1] ? full(w.type.shape, 0) : null];
    return [
      needs[0] ? inputGradient(cotangent, x.type.shape, w, attrs) : null,
      needs[1] ? filterGradient(cotangent, x, w.type.shape, attrs) : null,
    ];
  },
  lower({ node, at, read, newVar }) {
    const attrs = node.attrs as ConvolutionAttrs;
    const [x, w] = node.operands.map((o) => o.type.shape) as [Shape, Shape];
    const c = newVar('c', w[1]!);
    const taps = w.slice(2).map((k, d) => newVar(`k${d}`, k));
    const group = divIndex(at[1]!, w[0]! / attrs.groups);
    const channel = addIndex(scaleIndex(group, w[1]!), varIndex(c));
    const meeting: Index[] = taps.map((k, d) =>
      addIndex(scaleIndex(at[d + 2]!, attrs.strides[d]!), scaleIndex(varIndex(k), attrs.dilation[d]!)),
    );
    const gaps = attrs.inputDilation.map((i) => i - 1);
    const { conditions, position } = dilatedPosition(meeting, attrs.padLo, gaps, x.slice(2));
    const element = guarded(conditions, () => read(0, [at[0]!, channel, ...position]), constant('f32', 0));
    const weight = read(1, [at[1]!, varIndex(c), ...taps.map(varIndex)]);
    return reduce('sum', [c, ...taps], binary('mul', element, weight));
  },
  sample(random) {
    const rank = random.pick([1, 1, 2, 2, 2, 3]);
    const draw = (lo: number, hi: number): number[] => Array.from({ length: rank }, () => random.int(lo, hi));
    const groups = random.pick([1, 1, 2, 3]);
    const [n, cg, og] = [random.int(1, 2), random.int(1, 2), random.int(1, 2)];
    const [sizes, taps] = [draw(1, rank === 3 ? 3 : 5), draw(1, rank === 3 ? 2 : 3)];
    const [strides, dilation, inputDilation] = [draw(1, 3), draw(1, 2), draw(1, random.pick([1, 1, 3]))];
    const padLo = draw(-1, 2);
    const padHi = sizes.map((size, d) => {
      const missing =
        spreadSize(taps[d]!, dilation[d]! - 1) - spreadSize(size, inputDilation[d]! - 1) - padLo[d]!;
      return Math.max(random.int(-1, 2), missing);
    });
    return {
      operands: [
        drawTensor(random, 'f32', [n, cg * groups, ...sizes]),
        drawTensor(random, 'f32', [og * groups, cg, ...taps]),
      ],
      attrs: { strides, padLo, padHi, dilation, inputDilation, groups },
    };
  },
});

/** dL/dx: the cotangent, spread by the strides, under the reversed filters. */
function inputGradient(cotangent: Node, shape: Shape, w: Node, attrs: ConvolutionAttrs): Node {
  const { groups, strides, dilation, inputDilation } = attrs;
  const [outputs, filterChannels, ...taps] = w.type.shape as [number, number, ...number[]];
  const spatial = taps.map((_, d) => d + 2);
  // Within each group inputs and outputs trade places: [g · O, C, taps] → [g · C, O, taps].
  const split = reshape(reverse(w, spatial), [groups, outputs / groups, filterChannels, ...taps]);
  const swapped = transpose(split, [0, 2, 1, ...spatial.map((d) => d + 1)]);
  const filters = reshape(swapped, [groups * filterChannels, outputs / groups, ...taps]);
  const padLo = taps.map((k, d) => (k - 1) * dilation[d]! - attrs.padLo[d]!);
  const padHi = taps.map((k, d) => {
    const last = (shape[d + 2]! - 1) * inputDilation[d]!; // where the window of the last element begins
    const spread = spreadSize(cotangent.type.shape[d + 2]!, strides[d]! - 1);
    return last + spreadSize(k, dilation[d]! - 1) - spread - padLo[d]!;
  });
  return convolution(cotangent, filters, {
    strides: inputDilation,
    padLo,
    padHi,
    dilation,
    inputDilation: strides,
    groups,
  });
}

/** dL/dw: x under the cotangent as a filter; the batch is what is summed over. */
function filterGradient(cotangent: Node, x: Node, shape: Shape, attrs: ConvolutionAttrs): Node {
  const { groups, strides, dilation, inputDilation, padLo } = attrs;
  const [batch, channels, ...sizes] = x.type.shape as [number, number, ...number[]];
  const [, filterChannels, ...taps] = shape as [number, number, ...number[]];
  const spatial = taps.map((_, d) => d + 2);
  // [N, g · C, spatial] → [C, g · N, spatial]: group g of the channels is what group g of the outputs has seen.
  const split = reshape(x, [batch, groups, channels / groups, ...sizes]);
  const swapped = transpose(split, [2, 1, 0, ...spatial.map((d) => d + 1)]);
  const images = reshape(swapped, [filterChannels, groups * batch, ...sizes]);
  const filters = transpose(cotangent, [1, 0, ...spatial]);
  // Exactly as many outputs as there are taps: what strides skipped at the end of x is left out.
  const padHi = taps.map((k, d) => {
    const reach = spreadSize(cotangent.type.shape[d + 2]!, strides[d]! - 1);
    return (k - 1) * dilation[d]! + reach - spreadSize(sizes[d]!, inputDilation[d]! - 1) - padLo[d]!;
  });
  const y = convolution(images, filters, {
    strides: dilation,
    padLo,
    padHi,
    dilation: strides,
    inputDilation,
    groups,
  });
  return transpose(y, [1, 0, ...spatial]);
}

/** The node of `convolution`. */
export function convolution(x: Node, w: Node, attrs: ConvolutionAttrs): Node<Shape, 'f32'> {
  return makeNode(convolutionOp, [x, w], {
    strides: [...attrs.strides],
    padLo: [...attrs.padLo],
    padHi: [...attrs.padHi],
    dilation: [...attrs.dilation],
    inputDilation: [...attrs.inputDilation],
    groups: attrs.groups,
  }) as Node<Shape, 'f32'>;
}
