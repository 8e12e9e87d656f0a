// Windows over spatial dimensions as ONNX nodes describe them: strides, dilations and pads in attributes, or padding that
// is computed (`auto_pad`).

import type { Call } from '../call.ts';

export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Elements that a window reaches over. */
  readonly reach: readonly number[];
  /** Before and after each spatial dimension. */
  readonly lo: readonly number[];
  readonly hi: readonly number[];
}

/** Attributes of a window over `sizes`; what is missing has its default. */
export function windowsOf(c: Call, sizes: readonly number[], kernel: readonly number[]): Windows {
  const ones = sizes.map(() => 1);
  const strides = c.ints('strides') ?? ones;
  const dilations = c.ints('dilations') ?? ones;
  const reach = kernel.map((k, d) => (k - 1) * dilations[d]! + 1);
  const { lo, hi } = padsOf(c, sizes, strides, reach);
  return { kernel, strides, dilations, reach, lo, hi };
}

/** Whether pads follow from sizes, and how. */
export type AutoPad = 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID';

export function autoPadOf(c: Call): AutoPad {
  const mode = c.text('auto_pad', 'NOTSET');
  if (!['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID', ''].includes(mode)) {
    c.refuse(`auto_pad '${mode}' is not known`, 'write the pads out');
  }
  return mode === '' ? 'NOTSET' : (mode as AutoPad);
}

function padsOf(
  c: Call,
  sizes: readonly number[],
  strides: readonly number[],
  reach: readonly number[],
): { lo: number[]; hi: number[] } {
  const mode = autoPadOf(c);
  const given = c.ints('pads');
  if (mode === 'NOTSET') return halves(given ?? [...sizes, ...sizes].map(() => 0));
  const zeros = sizes.map(() => 0);
  if (mode === 'VALID') return { lo: zeros, hi: zeros };
  const total = sizes.map((n, d) =>
    Math.max(0, (Math.ceil(n / strides[d]!) - 1) * strides[d]! + reach[d]! - n),
  );
  return splitPads(total, mode);
}

/** The odd element goes to the end for SAME_UPPER, to the start for SAME_LOWER. */
export function splitPads(total: readonly number[], mode: AutoPad): { lo: number[]; hi: number[] } {
  const small = total.map((p) => Math.floor(p / 2));
  const large = total.map((p, d) => p - small[d]!);
  return mode === 'SAME_LOWER' ? { lo: large, hi: small } : { lo: small, hi: large };
}

/** [begin…, end…] */
export function halves(pads: readonly number[]): { lo: number[]; hi: number[] } {
  const rank = pads.length / 2;
  return { lo: pads.slice(0, rank), hi: pads.slice(rank) };
}
