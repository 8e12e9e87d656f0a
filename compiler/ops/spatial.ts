// Windows that slide over spatial dimensions: what convolutions and pools have in common. In: sizes, strides, padding and
// dilation as users write them or as attributes hold them. Out: one number for each dimension, sizes of results, and
// errors that name the dimension.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Fail, Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import type { PerDimension, SpatialPadding } from '../graph/shape-types-contract.ts';

/** Size of n elements with `gap` new ones between neighbours. */
export function spreadSize(n: number, gap: number): number {
  return n === 0 ? 0 : n + (n - 1) * gap;
}

/** Number of places of a window in a dimension; 0 or less when it does not fit. */
export function windowCount(padded: number, reach: number, stride: number): number {
  return Math.floor((padded - reach) / stride) + 1;
}

/** `windowCount`, which fails when the window does not fit. `reach` is the dilated size of the window. */
export function placeWindow(
  fail: Fail,
  window: string,
  dimension: number,
  padded: number,
  reach: number,
  stride: number,
): number {
  if (reach > padded) {
    fail(
      `${window} reaches over ${reach} elements, but dimension ${dimension} has ${padded} with its padding`,
      'pad more, or use a smaller or less dilated window',
    );
  }
  return windowCount(padded, reach, stride);
}

/** The option as one integer of at least `min` for each of `rank` spatial dimensions. Throws HDL0003. */
export function perDimension(
  fn: string,
  x: Node,
  name: string,
  value: PerDimension,
  rank: number,
  min: number,
): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value];
  if (list.length === rank && list.every((n) => Number.isInteger(n) && n >= min)) return list;
  throw compilerError('HDL0003', {
    what: `${fn}(${describeNode(x)}, ${name}: ${JSON.stringify(value)})`,
    rule: `${name} must be an integer of at least ${min}, or a list of ${rank}, one for each spatial dimension`,
    hint: `write ${name}: ${Math.max(1, min)} or ${name}: ${JSON.stringify(new Array(rank).fill(Math.max(1, min)))}`,
    loc: callerLocation(),
  });
}

/** Padding before and after each spatial dimension. Throws HDL0003. */
export function resolvePadding(
  fn: string,
  x: Node,
  padding: SpatialPadding,
  sizes: readonly number[],
  reach: readonly number[],
  strides: readonly number[],
): { readonly lo: number[]; readonly hi: number[] } {
  if (padding === 'valid') return { lo: sizes.map(() => 0), hi: sizes.map(() => 0) };
  if (padding === 'same') {
    const total = sizes.map((n, d) =>
      Math.max(0, (Math.ceil(n / strides[d]!) - 1) * strides[d]! + reach[d]! - n),
    );
    return { lo: total.map((p) => Math.floor(p / 2)), hi: total.map((p) => Math.ceil(p / 2)) };
  }
  const pairs =
    typeof padding === 'number'
      ? sizes.map(() => [padding, padding] as const)
      : Array.isArray(padding)
        ? padding.map((p: number | readonly [number, number]) =>
            typeof p === 'number' ? ([p, p] as const) : p,
          )
        : [];
  const valid = pairs.every(
    (p) => Array.isArray(p) && p.length === 2 && p.every((n) => Number.isInteger(n) && n >= 0),
  );
  if (pairs.length !== sizes.length || !valid) {
    throw compilerError('HDL0003', {
      what: `${fn}(${describeNode(x)}, padding: ${JSON.stringify(padding)})`,
      rule: `padding must be an integer of at least 0, a list of ${sizes.length} integers or of ${sizes.length} pairs [before, after], 'same' or 'valid'`,
      hint: `write padding: 1 or padding: ${JSON.stringify(sizes.map(() => [1, 1]))}`,
      loc: callerLocation(),
    });
  }
  return { lo: pairs.map(([lo]) => lo), hi: pairs.map(([, hi]) => hi) };
}
