// Blocks of pixels as channels and back: reshapes and a transpose. Any dtype.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { DTypeOf, ShapeOf } from '../graph/shape-types.ts';
import type { Spread, Stacked } from '../graph/shape-types-box.ts';
import { reshape, transpose } from './shape.ts';

/** Which of block position and channel counts faster in the deep value: the channel (`DCR`), or the position (`CRD`). */
export type DepthOrder = 'DCR' | 'CRD';

/**
 * Channels become blocks of pixels: f32[N, C · b · b, H, W] → f32[N, C, H · b, W · b]. The order `DCR` (default) is that of
 * TensorFlow and ONNX; `CRD` is PyTorch's pixel shuffle. Any dtype. Throws HDL0001, HDL0003.
 *
 *     depthToSpace(x, 2); // f32[1, 12, 8, 8] → f32[1, 3, 16, 16]
 */
export function depthToSpace<X extends Node, const B extends number>(
  x: X,
  block: B,
  order: DepthOrder = 'DCR',
): Node<Spread<ShapeOf<X>, B>, DTypeOf<X>> {
  const [n, deep, h, w] = sizesOf('depthToSpace', x, block);
  if (deep % block ** 2 !== 0) {
    throw refuse('depthToSpace', x, block, `${deep} channels do not divide into blocks of ${block ** 2}`);
  }
  const c = deep / block ** 2;
  return scope('depthToSpace', () => {
    const split =
      order === 'DCR'
        ? transpose(reshape(x as Node, [n, block, block, c, h, w]) as Node, [0, 3, 4, 1, 5, 2])
        : transpose(reshape(x as Node, [n, c, block, block, h, w]) as Node, [0, 1, 4, 2, 5, 3]);
    return reshape(split as Node, [n, c, h * block, w * block]) as Node as Node<
      Spread<ShapeOf<X>, B>,
      DTypeOf<X>
    >;
  });
}

/**
 * Blocks of pixels become channels: f32[N, C, H · b, W · b] → f32[N, C · b · b, H, W], the inverse of `depthToSpace` with the
 * same order.
 *
 *     spaceToDepth(x, 2); // f32[1, 3, 16, 16] → f32[1, 12, 8, 8]
 */
export function spaceToDepth<X extends Node, const B extends number>(
  x: X,
  block: B,
  order: DepthOrder = 'DCR',
): Node<Stacked<ShapeOf<X>, B>, DTypeOf<X>> {
  const [n, c, height, width] = sizesOf('spaceToDepth', x, block);
  if (height % block !== 0 || width % block !== 0) {
    throw refuse('spaceToDepth', x, block, `${height} × ${width} pixels do not divide into blocks`);
  }
  const [h, w] = [height / block, width / block];
  return scope('spaceToDepth', () => {
    const blocks = reshape(x as Node, [n, c, h, block, w, block]) as Node;
    const deep = transpose(blocks, order === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]);
    return reshape(deep as Node, [n, c * block ** 2, h, w]) as Node as Node<
      Stacked<ShapeOf<X>, B>,
      DTypeOf<X>
    >;
  });
}

/**
 * Channels dealt out anew: with g groups of n channels each, the first of every group comes first, then the second (Zhang et al.,
 * 2018). x is [N, C, …]. Any dtype. Throws HDL0001 for less than two dimensions, HDL0003 unless the groups divide the channels.
 *
 * @formula y[b, j · g + i] = x[b, i · n + j]
 * @example channelShuffle(x, 2) // channels [0, 1, 2, 3] → [0, 2, 1, 3]
 */
export function channelShuffle<X extends Node>(x: X, groups: number): Node<ShapeOf<X>, DTypeOf<X>> {
  const [n, c, ...rest] = x.type.shape;
  const fail = (code: 'HDL0001' | 'HDL0003', rule: string, hint: string): never => {
    const what = `channelShuffle(${describeNode(x)}, ${groups})`;
    throw compilerError(code, { what, rule, hint, loc: callerLocation() });
  };
  if (c === undefined) fail('HDL0001', 'channels are dimension 1', 'x is [N, C, …]: give it a batch');
  const size = c! / groups;
  if (!Number.isInteger(groups) || groups < 1 || !Number.isInteger(size)) {
    fail('HDL0003', `${groups} groups do not divide ${c} channels`, 'take a divisor of the channels');
  }
  const y = scope('channelShuffle', () => {
    const split = reshape(x as Node, [n!, groups, size, ...rest]) as Node;
    const order = split.type.shape.map((_, d) => (d === 1 ? 2 : d === 2 ? 1 : d));
    return reshape(transpose(split, order) as Node, x.type.shape);
  });
  return y as Node as Node<ShapeOf<X>, DTypeOf<X>>;
}

function sizesOf(fn: string, x: Node, block: number): [number, number, number, number] {
  if (x.type.shape.length !== 4) {
    throw refuse(fn, x, block, `x has ${x.type.shape.length} dimensions, not 4: [N, C, H, W]`);
  }
  if (!Number.isInteger(block) || block < 1) {
    throw refuse(fn, x, block, 'the block size is an integer of at least 1');
  }
  return x.type.shape as unknown as [number, number, number, number];
}

function refuse(fn: string, x: Node, block: number, rule: string): Error {
  return compilerError('HDL0001', {
    what: `${fn}(${describeNode(x)}, ${block})`,
    rule,
    hint: 'x is [N, C, H, W]; the square of the block size divides channels, the block size divides height and width',
    loc: callerLocation(),
  });
}
