// The geometry of windows over all dimensions of a value, which the ops in window.ts and window-choice.ts share: where
// windows stand, which elements they cover, and how attributes and samples of it look.

import type { AttrValue, Fail, SampleSource } from '../graph/ir.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { addIndex, type Index, type LoopVar, scaleIndex, varIndex } from '../kernel/affine.ts';
import type { Condition } from '../kernel/expr.ts';
import { checkIntegers } from './attrs.ts';
import { flatPosition, forEachPosition } from './loops.ts';
import { dilatedPosition } from './slice.ts';
import { placeWindow, spreadSize } from './spatial.ts';

export type WindowAttrs = {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padLo: readonly number[];
  readonly padHi: readonly number[];
  readonly dilation: readonly number[];
};

/** The documentation of these attributes. */
export const windowAttrDocs: Readonly<Record<keyof WindowAttrs, string>> = {
  window: 'elements of the window, for each dimension of x; 1 where it does not extend',
  strides: 'distance between windows; at least 1',
  padLo: 'places before each dimension; negative: elements left out',
  padHi: 'places after each dimension; negative: elements left out',
  dilation: 'distance between elements of the window; at least 1',
};

/** The number of windows in each dimension of a value; fails when attributes are not valid. */
export function windowShape(shape: Shape, attrs: WindowAttrs, fail: Fail): number[] {
  const rank = shape.length;
  checkIntegers(fail, 'window', attrs.window, rank, 1);
  checkIntegers(fail, 'strides', attrs.strides, rank, 1);
  checkIntegers(fail, 'padLo', attrs.padLo, rank, Number.NEGATIVE_INFINITY);
  checkIntegers(fail, 'padHi', attrs.padHi, rank, Number.NEGATIVE_INFINITY);
  checkIntegers(fail, 'dilation', attrs.dilation, rank, 1);
  return shape.map((n, d) => {
    const padded = n + attrs.padLo[d]! + attrs.padHi[d]!;
    // No rows, no windows: a batch of 0 stays one.
    if (padded === 0 && attrs.window[d] === 1) return 0;
    const reach = spreadSize(attrs.window[d]!, attrs.dilation[d]! - 1);
    return placeWindow(fail, 'the window', d, padded, reach, attrs.strides[d]!);
  });
}

/** Only the geometry, for a node of another op over the same windows. */
export function windowAttrsOf(attrs: Readonly<Record<string, AttrValue>>): WindowAttrs {
  const { window, strides, padLo, padHi, dilation } = attrs as unknown as WindowAttrs;
  return { window, strides, padLo, padHi, dilation };
}

/**
 * For each window, in row-major order, and each of its taps, likewise, the row-major number of the element that it covers,
 * or -1 for padding: `cover[o * taps + tap]`.
 */
export function windowCover(shape: Shape, out: Shape, attrs: WindowAttrs): Int32Array {
  const taps = elementCount(attrs.window);
  const cover = new Int32Array(elementCount(out) * taps);
  forEachPosition(out, (place, o) => {
    forEachPosition(attrs.window, (tap, k) => {
      const at = place.map((i, d) => i * attrs.strides[d]! + tap[d]! * attrs.dilation[d]! - attrs.padLo[d]!);
      cover[o * taps + k] = flatPosition(shape, at);
    });
  });
  return cover;
}

/** A loop variable for each dimension of the window. */
export function tapVars(attrs: WindowAttrs, newVar: (name: string, extent: number) => LoopVar): LoopVar[] {
  return attrs.window.map((k, d) => newVar(`k${d}`, k));
}

/** The element under the taps of the window at `at`, and the conditions under which it is one and not padding. */
export function coveredElement(
  at: readonly Index[],
  taps: readonly LoopVar[],
  attrs: WindowAttrs,
  shape: Shape,
): { readonly conditions: readonly Condition[]; readonly position: readonly Index[] } {
  const meeting = at.map((i, d) =>
    addIndex(scaleIndex(i, attrs.strides[d]!), scaleIndex(varIndex(taps[d]!), attrs.dilation[d]!)),
  );
  return dilatedPosition(
    meeting,
    attrs.padLo,
    shape.map(() => 0),
    shape,
  );
}

/** Valid windows for a value of rank 1 to 4, at least one in each dimension, and each covering some element. */
export function drawWindows(random: SampleSource): { readonly shape: number[]; readonly attrs: WindowAttrs } {
  const shape = random.shape(1, 4, 5);
  const window = shape.map(() => random.pick([1, 2, 3]));
  const strides = shape.map(() => random.int(1, 3));
  const dilation = shape.map(() => random.pick([1, 1, 2]));
  const padLo = window.map((k) => random.int(0, k - 1));
  const padHi = shape.map((n, d) => {
    const reach = spreadSize(window[d]!, dilation[d]! - 1);
    return Math.max(random.int(0, window[d]! - 1), reach - n - padLo[d]!);
  });
  return { shape, attrs: { window, strides, padLo, padHi, dilation } };
}
