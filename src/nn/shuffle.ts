// Layers that move pixels and channels without computing: for pictures of a higher resolution, and for grouped convolutions.

import type { Spread, Stacked } from '../../compiler/graph/shape-types-box.ts';
import { channelShuffle as dealOut, depthToSpace, spaceToDepth } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { checkCount } from './check.ts';
import { expectRank, type Layer, type LayerOptions, layer, layouts } from './layer.ts';
import type { InputShape, SameShape, ShapeRule } from './shape-rule.ts';

/** [N, C · b², H, W] → [N, C, H · b, W · b]. */
export interface PixelShuffleRule<B extends number> extends ShapeRule {
  readonly output: Spread<InputShape<this>, B>;
  readonly dtype: 'f32';
}

/** [N, C, H · b, W · b] → [N, C · b², H, W]. */
export interface PixelUnshuffleRule<B extends number> extends ShapeRule {
  readonly output: Stacked<InputShape<this>, B>;
  readonly dtype: 'f32';
}

/**
 * Channels become blocks of pixels (Shi et al., 2016): f32[N, C · factor², H, W] → f32[N, C, H · factor, W · factor], in PyTorch's order.
 * Throws HDL0001, HDL0003, HDL0015.
 *
 * @example nn.pixelShuffle(2)
 */
export function pixelShuffle<const B extends number>(
  factor: B,
  options: LayerOptions = {},
): Layer<PixelShuffleRule<B>> {
  checkCount('pixelShuffle', 'factor', factor);
  return onPictures('pixelShuffle', (x) => depthToSpace(x, factor, 'CRD') as Floats, options);
}

/**
 * Blocks of pixels become channels, the inverse of `pixelShuffle`: f32[N, C, H · factor, W · factor] → f32[N, C · factor², H, W].
 * Throws HDL0001, HDL0003, HDL0015.
 *
 * @example nn.pixelUnshuffle(2)
 */
export function pixelUnshuffle<const B extends number>(
  factor: B,
  options: LayerOptions = {},
): Layer<PixelUnshuffleRule<B>> {
  checkCount('pixelUnshuffle', 'factor', factor);
  return onPictures('pixelUnshuffle', (x) => spaceToDepth(x, factor, 'CRD') as Floats, options);
}

/**
 * Channels dealt out anew between groups, so that grouped convolutions hear of each other (Zhang et al., 2018). f32[N, C, …]. Throws
 * HDL0001, HDL0003.
 *
 * @example nn.channelShuffle(4)
 */
export function channelShuffle(groups: number, options: LayerOptions = {}): Layer<SameShape> {
  checkCount('channelShuffle', 'groups', groups);
  return layer('channelShuffle', (x) => dealOut(x, groups) as Floats, options);
}

function onPictures<R extends ShapeRule>(
  kind: string,
  build: (x: Floats) => Floats,
  options: LayerOptions,
): Layer<R> {
  return layer(
    kind,
    (x) => {
      expectRank(kind, x, 4, layouts[2]);
      return build(x);
    },
    options,
  );
}
